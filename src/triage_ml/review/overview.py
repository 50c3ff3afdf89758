"""What the pages *Patterns* and *Service levels* show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from triage_ml.store import Connection, Standing, all_patterns, standings, work_by_week
from triage_ml.taxonomy import Taxonomy
from triage_ml.value import Periods, Work, service_levels

__all__ = ["PatternLine", "load_patterns", "load_service_levels"]


@dataclass(frozen=True)
class PatternLine:
    """One pattern: title, status, owner, first week, tickets so far and the last week that had one, and its state: `live`,
    `idle` or `merged`."""

    pattern_id: str
    title: str
    status: str
    owner: str | None
    born: str
    tickets: int
    last_week: str | None
    state: str = "live"


def load_patterns(connection: Connection, *, today: date) -> list[PatternLine]:
    """Every pattern, the one with most tickets first."""
    standing = standings(connection, today=today)
    lines = []
    for record, tickets, last_week in all_patterns(connection):
        stands = standing.get(record.pattern_id, Standing())
        lines.append(
            PatternLine(
                record.pattern_id,
                stands.title or record.title,
                stands.status,
                stands.owner,
                record.born,
                tickets,
                last_week,
                record.state,
            )
        )
    return sorted(lines, key=lambda line: (-line.tickets, line.title))


def load_service_levels(
    connection: Connection, taxonomy: Taxonomy, baseline: tuple[str, str] | None = None
) -> dict[str, Any] | None:
    """Service levels over all weeks that were mined; None before the first.

    `baseline` is the first and the last week to compare with; by default the first half of the weeks.
    """
    work = [Work(**row) for row in work_by_week(connection)]
    weeks = sorted({one.week for one in work})
    periods = Periods.halves(weeks) if baseline is None else Periods.since(weeks, *baseline)
    return service_levels(work, taxonomy, periods)
