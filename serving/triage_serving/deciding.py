"""A decision of a person, checked and appended: the same for the API and for the review pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from triage_ml.review import ReviewedCandidate, load_listed
from triage_ml.store import (
    Connection,
    Once,
    PatternDecision,
    Store,
    add_decision,
    claim,
    decisions_in_force,
    decisions_of,
    pattern_records,
)
from triage_serving.candidate_schemas import DecisionRequest
from triage_serving.problems import Problem

__all__ = ["Asked", "decide", "unknown_pattern"]

#: Figures that stay beside a decision as the person saw them.
_FROZEN = ("hours", "work", "savings", "volume", "kind")
#: Decisions that they stay beside.
_BY_FIGURES = ("accept", "reject", "in_progress", "automated")
#: Fields of a request that say what was seen, not what is decided.
_SEEN = {"week", "figures_digest"}


@dataclass(frozen=True)
class Asked:
    """What a person wants decided, who it is, and the revision that they saw."""

    pattern_id: str
    request: DecisionRequest
    revision: int
    by: str


def decide(store: Store, asked: Asked, *, today: date, now: datetime | None = None, once: Once | None = None) -> None:
    """Append the decision; with `once` a repeat changes nothing. The store is locked for no more than that.

    Parameters
    ----------
    today
        The day in the calendar's time zone.

    Raises
    ------
    Problem
        404 for an unknown pattern, 412 where somebody decided meanwhile or the list that was read is another now, 409 where
        the decision makes no sense as things stand, and for an idempotency key that was used for another decision.
    StoreError
        The store is away; nothing was decided.
    """
    now = now or datetime.now(UTC)
    with store.begin() as connection:
        seen = load_listed(connection, asked.pattern_id, today=today, week=asked.request.week)
        if seen is None:
            raise unknown_pattern()
        if once is not None and _is_repeat(connection, once, asked, now):
            return
        if asked.revision != seen.standing.revision:
            raise _decided_meanwhile(seen)
        if asked.request.action in _BY_FIGURES and not _is_as_read(asked.request, seen):
            raise _listed_anew(seen)
        _check(connection, asked, seen, today)
        decision = PatternDecision(
            asked.pattern_id, asked.revision + 1, asked.request.action, now, asked.by, _details(asked, seen, today)
        )
        if not add_decision(connection, decision):
            raise _decided_meanwhile(seen)


def unknown_pattern() -> Problem:
    """404."""
    return Problem(404, "unknown_pattern", "There is no pattern with this id.")


def _is_repeat(connection: Connection, once: Once, asked: Asked, now: datetime) -> bool:
    earlier = claim(connection, once, [f"{asked.pattern_id}/{asked.revision + 1}"], now=now)
    if earlier is None:
        return False
    if earlier[0] != once.fingerprint:
        raise Problem(409, "idempotency_conflict", "This Idempotency-Key was used for another request.")
    return True


def _is_as_read(request: DecisionRequest, seen: ReviewedCandidate) -> bool:
    """Whether the list that the person read, if they named it, still says of the pattern what it did."""
    if request.week is not None and request.week != seen.week:
        return False
    return request.figures_digest is None or request.figures_digest == seen.figures_digest


def _check(connection: Connection, asked: Asked, seen: ReviewedCandidate, today: date) -> None:
    request = asked.request
    if request.action == "undo":
        history = decisions_of(connection, [asked.pattern_id]).get(asked.pattern_id, [])
        if not decisions_in_force(history):
            raise _refused("action", "there is nothing to undo")
    if request.until is not None and request.until < today:
        raise _refused("until", "this day is over")
    if request.into is not None:
        if request.into == asked.pattern_id:
            raise _refused("into", "a pattern can't be merged into itself")
        if not pattern_records(connection, [request.into]):
            raise _refused("into", "there is no pattern with this id")
    if set(request.apart or ()) - set(seen.record.examples):
        raise _refused("apart", "each must be one of the pattern's examples, word for word")


def _details(asked: Asked, seen: ReviewedCandidate, today: date) -> Mapping[str, Any]:
    given = asked.request.model_dump(mode="json", exclude={"action", *_SEEN}, exclude_none=True)
    if asked.request.action == "automated":
        given = {"mode": "suggest", "since": today.isoformat()} | given
    if seen.figures is not None and asked.request.action in _BY_FIGURES:
        kept = {name: seen.figures[name] for name in _FROZEN if name in seen.figures}
        given["frozen"] = {"week": seen.week, **kept}
    return given


def _decided_meanwhile(seen: ReviewedCandidate) -> Problem:
    who = seen.decisions[-1].decided_by if seen.decisions else "Somebody"
    return Problem(
        412,
        "decided_meanwhile",
        f"{who} decided on this pattern after you read it; nothing was changed. Read it again, then decide.",
        headers={"ETag": f'"{seen.standing.revision}"'},
    )


def _listed_anew(seen: ReviewedCandidate) -> Problem:
    return Problem(
        412,
        "listed_anew",
        "The list was mined again after you read it and says something else of this pattern; nothing was changed. "
        "Read it again, then decide.",
        headers={"ETag": f'"{seen.standing.revision}"'},
    )


def _refused(field: str, message: str) -> Problem:
    return Problem(
        409,
        "decision_refused",
        "The decision is not one that can be taken as things stand.",
        errors=[{"location": field, "message": message}],
    )
