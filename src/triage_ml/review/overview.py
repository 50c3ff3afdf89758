"""What the pages *Patterns*, *Service levels* and *Routing* show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from triage_ml.store import ClosedTicket, Connection, Standing, all_patterns, standings, work_by_week
from triage_ml.taxonomy import Taxonomy
from triage_ml.value import Work, service_levels

__all__ = ["PatternLine", "load_patterns", "load_service_levels", "routing_figures"]


@dataclass(frozen=True)
class PatternLine:
    """One pattern: title, status, owner, first week, tickets so far and the last week that had one."""

    pattern_id: str
    title: str
    status: str
    owner: str | None
    born: str
    tickets: int
    last_week: str | None


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
            )
        )
    return sorted(lines, key=lambda line: (-line.tickets, line.title))


def load_service_levels(connection: Connection, taxonomy: Taxonomy) -> dict[str, Any] | None:
    """Service levels over all weeks that were mined; None before the first."""
    return service_levels([Work(**row) for row in work_by_week(connection)], taxonomy)


def routing_figures(closed: Iterable[ClosedTicket]) -> list[dict[str, Any]]:
    """By target and action: tickets whose outcome is known, how many were answered right, and the share.

    `coverage` is the share of a target's closed tickets that were decided in this way.
    """
    right: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for one in closed:
        if one.prediction is None:
            continue
        for name, label in one.outcome.labels.items():
            if (answer := one.prediction.answer["targets"].get(name)) is not None:
                counted = right[name, answer["action"]]
                counted[0] += answer["value"] == label
                counted[1] += 1
    totals: defaultdict[str, int] = defaultdict(int)
    for (name, _), (_, tickets) in right.items():
        totals[name] += tickets
    return [
        {
            "target": name,
            "action": action,
            "tickets": tickets,
            "right": good,
            "precision": good / tickets,
            "coverage": tickets / totals[name],
        }
        for (name, action), (good, tickets) in sorted(right.items())
    ]
