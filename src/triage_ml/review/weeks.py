"""A week's list and a single candidate, put together from figures, patterns and decisions.

Figures stay as they were listed. Title, status and owner are those of today.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import orjson

from triage_ml.review.looking_back import LookingBack
from triage_ml.store import (
    Connection,
    LineageEvent,
    PatternDecision,
    PatternRecord,
    Standing,
    all_records,
    candidate_lists,
    decisions_of,
    evidence_of,
    lineage_of,
    mined_weeks,
    pattern_records,
    read_week,
    standing_of,
    standings,
)
from triage_ml.weeks import monday

__all__ = ["ReviewedCandidate", "ReviewedWeek", "load_candidate", "load_listed", "load_week"]


#: How many patterns are shown beside one.
NEAR = 5


def expected_hours(figures: Mapping[str, Any]) -> float:
    """Hours a week that a candidate's automation would save, how certain it is taken into account."""
    return float(figures["savings"].get("expected", figures["hours"]["p50"]))


@dataclass(frozen=True)
class ReviewedWeek:
    """One week's list; each candidate is plain JSON: its figures, what is known of its pattern, and where it stands.

    `realised` is the hours that all automations have saved so far, listed this week or not; None where nothing is automated.
    """

    week: str
    tickets: int
    covered: float
    candidates: Sequence[Mapping[str, Any]]
    realised: float | None = None

    @property
    def hours(self) -> float:
        """Hours a week that can be expected to be saved: the sum over what nobody rejected or has automated."""
        done = ("rejected", "automated")
        open_ones = (candidate for candidate in self.candidates if candidate["status"] not in done)
        return float(sum(expected_hours(candidate) for candidate in open_ones))

    @property
    def work(self) -> float:
        """Hours a week that the listed patterns take today, the sum of their medians."""
        return float(sum(candidate["work"]["p50"] for candidate in self.candidates))

    @property
    def monday(self) -> date:
        """The first day of the week."""
        return monday(self.week)

    def as_json(self) -> dict[str, Any]:
        """The list as the API and `--json` give it."""
        return {
            "week": self.week,
            "tickets": self.tickets,
            "covered": self.covered,
            "hours_expected": round(self.hours, 2),
            "hours_realised": self.realised,
            "candidates": [dict(candidate) for candidate in self.candidates],
        }


@dataclass(frozen=True)
class ReviewedCandidate:
    """A pattern with its figures in the latest list that has it (or none), and every decision on it, oldest first.

    `realised` is what its automation saved, `lineage` what became of it, `evidence` its typical, edge and counter examples as
    mining chose them, `near` the patterns that share most words with it.
    """

    record: PatternRecord
    standing: Standing
    week: str | None
    figures: Mapping[str, Any] | None
    listed_in: Sequence[str]
    decisions: Sequence[PatternDecision]
    realised: Mapping[str, Any] | None = None
    lineage: Sequence[LineageEvent] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    near: Sequence[PatternRecord] = ()

    @property
    def figures_digest(self) -> str | None:
        """Sixteen hexadecimal digits that tell whether a week's figures are still those that somebody read."""
        if self.figures is None:
            return None
        return hashlib.sha256(orjson.dumps(self.figures, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]

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
            "figures_digest": self.figures_digest,
            "listed_in": list(self.listed_in),
            "realised": self.realised,
            "lineage": [vars(event) for event in self.lineage],
            "standing": _plain(vars(self.standing)),
            "decisions": [_plain(vars(decision)) for decision in self.decisions],
        }


def load_week(
    connection: Connection, week: str | None, *, today: date, looking_back: LookingBack | None = None
) -> ReviewedWeek | None:
    """The list of a week, by default the latest; None where that week was not mined.

    `looking_back` keeps what automations saved between calls.
    """
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
    saved = (looking_back or LookingBack()).realised(connection, standing)
    candidates = [
        {
            **figures,
            **_known(records[figures["pattern_id"]], standing.get(figures["pattern_id"], Standing())),
            "realised": saved.get(figures["pattern_id"]),
        }
        for figures in listed.candidates
    ]
    total = round(sum(one["hours"] for one in saved.values()), 1) if saved else None
    return ReviewedWeek(listed.week, listed.tickets, listed.covered, candidates, total)


def load_candidate(
    connection: Connection,
    pattern_id: str,
    *,
    today: date,
    week: str | None = None,
    looking_back: LookingBack | None = None,
) -> ReviewedCandidate | None:
    """A pattern with everything that is known of it, as it was listed in `week`, by default the latest list that has it;
    None for an unknown pattern. `looking_back` keeps what automations saved between calls."""
    found = load_listed(connection, pattern_id, today=today, week=week)
    if found is None:
        return None
    saved = (looking_back or LookingBack()).realised(connection, standings(connection, today=today))
    return replace(
        found,
        realised=saved.get(pattern_id),
        lineage=lineage_of(connection, [pattern_id]).get(pattern_id, []),
        evidence=(evidence_of(connection, pattern_id) or ("", {}))[1],
        near=_near(found.record, all_records(connection).values()),
    )


def load_listed(
    connection: Connection, pattern_id: str, *, today: date, week: str | None = None
) -> ReviewedCandidate | None:
    """As `load_candidate`, but only what a decision needs: where it stands, its figures and its decisions. Reads nothing of
    other patterns, so that it may be read while the store is locked."""
    record = pattern_records(connection, [pattern_id]).get(pattern_id)
    if record is None:
        return None
    history = decisions_of(connection, [pattern_id]).get(pattern_id, [])
    standing = standing_of(history, today=today)
    lists = dict(candidate_lists(connection, pattern_id))
    shown = week if week in lists else max(lists, default=None)
    return ReviewedCandidate(
        record=record,
        standing=standing,
        week=shown,
        figures=None if shown is None else lists[shown],
        listed_in=sorted(lists),
        decisions=history,
    )


def _near(record: PatternRecord, others: Iterable[PatternRecord]) -> list[PatternRecord]:
    """The live patterns that share most of their words with this one (Jaccard), at most `NEAR`."""
    words = {word.casefold() for word in record.keywords}
    alike = []
    for other in others:
        theirs = {word.casefold() for word in other.keywords}
        shared = len(words & theirs) / max(len(words | theirs), 1)
        if shared > 0 and other.pattern_id != record.pattern_id and other.state != "merged":
            alike.append((-shared, other.pattern_id, other))
    return [other for _, _, other in sorted(alike, key=lambda item: item[:2])[:NEAR]]


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
