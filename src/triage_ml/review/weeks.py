"""A week's list and a single candidate, put together from figures, patterns and decisions.

Figures stay as they were listed. Title, status and owner are those of today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from triage_ml.store import (
    Connection,
    PatternDecision,
    PatternRecord,
    Standing,
    candidate_lists,
    decisions_of,
    mined_weeks,
    pattern_records,
    read_week,
    standing_of,
    standings,
)

__all__ = ["ReviewedCandidate", "ReviewedWeek", "load_candidate", "load_week"]


@dataclass(frozen=True)
class ReviewedWeek:
    """One week's list; each candidate is plain JSON: its figures, what is known of its pattern, and where it stands."""

    week: str
    tickets: int
    covered: float
    candidates: Sequence[Mapping[str, Any]]

    @property
    def hours(self) -> float:
        """Hours a week that could be saved, the sum of the medians of what nobody rejected."""
        open_ones = (candidate for candidate in self.candidates if candidate["status"] != "rejected")
        return float(sum(candidate["hours"]["p50"] for candidate in open_ones))

    @property
    def work(self) -> float:
        """Hours a week that the listed patterns take today, the sum of their medians."""
        return float(sum(candidate["work"]["p50"] for candidate in self.candidates))

    @property
    def monday(self) -> date:
        """The first day of the week."""
        return date.fromisocalendar(int(self.week[:4]), int(self.week[-2:]), 1)

    def as_json(self) -> dict[str, Any]:
        """The list as the API and `--json` give it."""
        return {
            "week": self.week,
            "tickets": self.tickets,
            "covered": self.covered,
            "candidates": [dict(candidate) for candidate in self.candidates],
        }


@dataclass(frozen=True)
class ReviewedCandidate:
    """A pattern with its figures in the latest list that has it (or none), and every decision on it, oldest first."""

    record: PatternRecord
    standing: Standing
    week: str | None
    figures: Mapping[str, Any] | None
    listed_in: Sequence[str]
    decisions: Sequence[PatternDecision]

    @property
    def title(self) -> str:
        """What a person called it, else what mining did."""
        return self.standing.title or self.record.title

    def as_json(self) -> dict[str, Any]:
        """The candidate as the API gives it; the figures are missing for a pattern that no list has."""
        return {
            **(self.figures or {"pattern_id": self.record.pattern_id}),
            **_known(self.record, self.standing),
            "week": self.week,
            "listed_in": list(self.listed_in),
            "standing": _plain(vars(self.standing)),
            "decisions": [_plain(vars(decision)) for decision in self.decisions],
        }


def load_week(connection: Connection, week: str | None, *, today: date) -> ReviewedWeek | None:
    """The list of a week, by default the latest; None where that week was not mined."""
    if week is None:
        mined = mined_weeks(connection)
        if not mined:
            return None
        week = mined[-1]
    listed = read_week(connection, week)
    if listed is None:
        return None
    records = pattern_records(connection, [figures["pattern_id"] for figures in listed.candidates])
    standing = standings(connection, today=today)
    candidates = [
        {**figures, **_known(records[figures["pattern_id"]], standing.get(figures["pattern_id"], Standing()))}
        for figures in listed.candidates
    ]
    return ReviewedWeek(listed.week, listed.tickets, listed.covered, candidates)


def load_candidate(
    connection: Connection, pattern_id: str, *, today: date, week: str | None = None
) -> ReviewedCandidate | None:
    """A pattern as it was listed in `week`, by default the latest that has it; None for an unknown pattern."""
    record = pattern_records(connection, [pattern_id]).get(pattern_id)
    if record is None:
        return None
    history = decisions_of(connection, [pattern_id]).get(pattern_id, [])
    lists = dict(candidate_lists(connection, pattern_id))
    shown = week if week in lists else max(lists, default=None)
    return ReviewedCandidate(
        record=record,
        standing=standing_of(history, today=today),
        week=shown,
        figures=None if shown is None else lists[shown],
        listed_in=sorted(lists),
        decisions=history,
    )


def _known(record: PatternRecord, standing: Standing) -> dict[str, Any]:
    return {
        "title": standing.title or record.title,
        "status": standing.status,
        "owner": standing.owner,
        "revision": standing.revision,
        "born": record.born,
        "keywords": list(record.keywords),
        "examples": list(record.examples),
    }


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Dates as ISO 8601 and tuples as lists, so that it is plain JSON."""
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
