"""What people decided about patterns: append-only rows, a revision each, and where a pattern stands by them.

Nothing is ever changed or deleted. Undo is a decision, too, so who did what when stays to be read. Two people who decide
at once both name the revision that they saw; the second finds it taken and is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal, get_args

import sqlalchemy as sa

from triage_ml.store.schema import Instant, insert_new, metadata

__all__ = [
    "DECISION_ACTIONS",
    "STATUSES",
    "DecisionAction",
    "PatternDecision",
    "Standing",
    "Status",
    "add_decision",
    "binding_decisions",
    "decisions_in_force",
    "decisions_of",
    "is_decided",
    "standing_of",
    "standings",
]

Status = Literal["new", "accepted", "rejected", "in_progress", "automated"]
STATUSES: tuple[Status, ...] = get_args(Status)

DecisionAction = Literal[
    "accept", "reject", "in_progress", "automated", "merge", "split", "rename", "assign", "note", "undo"
]
DECISION_ACTIONS: tuple[DecisionAction, ...] = get_args(DecisionAction)

_STATUS_OF: Mapping[str, Status] = {
    "accept": "accepted",
    "reject": "rejected",
    "in_progress": "in_progress",
    "automated": "automated",
}
#: Decisions that the next `mine` is bound by.
_BINDING = ("merge", "split", "rename")
CHUNK = 500

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("pattern_id", sa.String(16), primary_key=True),
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("action", sa.String(16), nullable=False),
    sa.Column("decided_at", Instant, nullable=False, index=True),
    sa.Column("decided_by", sa.String(200), nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
)


@dataclass(frozen=True)
class PatternDecision:
    """One decision; `revision` counts the decisions on a pattern from 1.

    `details` has what the action needs, as plain JSON: `reason`, `until` (reject), `reference`, `mode`, `since` (automated),
    `into` (merge), `apart` (split), `title` (rename), `owner`, `consulted`, `informed` (assign), and `frozen`: the week and the
    figures that the person saw.
    """

    pattern_id: str
    revision: int
    action: DecisionAction
    decided_at: datetime
    decided_by: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """Where a pattern stands after all decisions on it.

    `revision` is that of the last decision, 0 without one: who decides names it. `since` is the day from which an automation
    counts, `until` the last day of a rejection, `frozen` the figures at the decision that made the status.
    """

    status: Status = "new"
    revision: int = 0
    reason: str | None = None
    until: date | None = None
    reference: str | None = None
    mode: str | None = None
    since: date | None = None
    title: str | None = None
    owner: str | None = None
    consulted: tuple[str, ...] = ()
    informed: tuple[str, ...] = ()
    merged_into: str | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    frozen: Mapping[str, Any] | None = None


def add_decision(connection: sa.Connection, decision: PatternDecision) -> bool:
    """Append a decision; False where its revision is not the next one, and then nothing was written."""
    query = sa.select(sa.func.max(decisions.c.revision)).where(decisions.c.pattern_id == decision.pattern_id)
    if decision.revision != (connection.scalar(query) or 0) + 1:
        return False
    values = {**vars(decision), "details": dict(decision.details)}
    return insert_new(connection, decisions, values, "pattern_id", "revision")


def decisions_of(connection: sa.Connection, pattern_ids: Iterable[str]) -> dict[str, list[PatternDecision]]:
    """All decisions on these patterns, oldest first; a pattern without any is left out."""
    found: dict[str, list[PatternDecision]] = {}
    ids = list(pattern_ids)
    for start in range(0, len(ids), CHUNK):
        query = sa.select(decisions).where(decisions.c.pattern_id.in_(ids[start : start + CHUNK]))
        _collect(connection, query, found)
    return found


def standings(connection: sa.Connection, *, today: date) -> dict[str, Standing]:
    """Where every pattern stands that was ever decided on."""
    found: dict[str, list[PatternDecision]] = {}
    _collect(connection, sa.select(decisions), found)
    return {pattern_id: standing_of(history, today=today) for pattern_id, history in found.items()}


def is_decided(connection: sa.Connection, week: str) -> bool:
    """Whether somebody decided by the figures of this week's list; an undo does not make that unhappen."""
    frozen = decisions.c.details["frozen"]["week"].as_string()
    return bool(connection.scalar(sa.select(sa.exists().where(frozen == week))))


def binding_decisions(connection: sa.Connection) -> list[PatternDecision]:
    """Merges, splits and renames that were not undone, oldest first: the next `mine` keeps to them."""
    found: dict[str, list[PatternDecision]] = {}
    _collect(connection, sa.select(decisions), found)
    standing = (one for history in found.values() for one in decisions_in_force(history) if one.action in _BINDING)
    return sorted(standing, key=lambda one: (one.decided_at, one.pattern_id, one.revision))


def decisions_in_force(history: Sequence[PatternDecision]) -> list[PatternDecision]:
    """The decisions that no undo took back, oldest first; each undo takes back the latest that stands."""
    standing: list[PatternDecision] = []
    for decision in history:
        if decision.action != "undo":
            standing.append(decision)
        elif standing:
            standing.pop()
    return standing


def standing_of(history: Sequence[PatternDecision], *, today: date) -> Standing:
    """Where a pattern stands after `history`, oldest first. A rejection that has run out leaves it new again."""
    standing = Standing()
    for decision in decisions_in_force(history):
        standing = _after(standing, decision)
    if standing.status == "rejected" and standing.until is not None and standing.until < today:
        standing = replace(standing, status="new")
    return replace(standing, revision=history[-1].revision if history else 0)


def _after(standing: Standing, decision: PatternDecision) -> Standing:
    details = decision.details
    if decision.action in _STATUS_OF:
        return replace(
            standing,
            status=_STATUS_OF[decision.action],
            reason=details.get("reason"),
            until=_day(details.get("until")),
            reference=details.get("reference"),
            mode=details.get("mode"),
            since=_day(details.get("since")),
            decided_at=decision.decided_at,
            decided_by=decision.decided_by,
            frozen=details.get("frozen"),
        )
    if decision.action == "rename":
        return replace(standing, title=details["title"])
    if decision.action == "merge":
        return replace(standing, merged_into=details["into"])
    if decision.action == "assign":
        consulted, informed = (tuple(details.get(name) or ()) for name in ("consulted", "informed"))
        return replace(standing, owner=details["owner"], consulted=consulted, informed=informed)
    return standing


def _collect(connection: sa.Connection, query: sa.Select[Any], found: dict[str, list[PatternDecision]]) -> None:
    ordered = query.order_by(decisions.c.pattern_id, decisions.c.revision)
    for row in connection.execute(ordered).mappings():
        found.setdefault(row["pattern_id"], []).append(PatternDecision(**row))


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
