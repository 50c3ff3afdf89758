"""What became of patterns over time: found, merged, split, idle, returned; and what a reorganisation proposes.

Lineage is append-only, as decisions are. Evidence and proposals are the latest ones: a run replaces them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from triage_ml.store.schema import BigId, Instant, metadata

__all__ = [
    "LINEAGE_EVENTS",
    "LineageEvent",
    "Proposal",
    "add_lineage",
    "evidence_of",
    "lineage_of",
    "proposals",
    "put_evidence",
    "put_proposals",
]

#: What can happen to a pattern. `split` is said of the one that was split, `split_from` of what came of it, `rejoined` of
#: that when the split is undone.
LINEAGE_EVENTS = ("found", "merged", "unmerged", "split", "split_from", "rejoined", "idle", "returned", "refitted")

CHUNK = 500

lineage = sa.Table(
    "pattern_lineage",
    metadata,
    sa.Column("number", BigId, primary_key=True),
    sa.Column("pattern_id", sa.String(16), nullable=False, index=True),
    sa.Column("week", sa.String(8), nullable=False),
    sa.Column("event", sa.String(12), nullable=False),
    sa.Column("other", sa.String(16)),
    sa.Column("recorded_at", Instant, nullable=False),
)

evidence = sa.Table(
    "pattern_evidence",
    metadata,
    sa.Column("pattern_id", sa.String(16), primary_key=True),
    sa.Column("week", sa.String(8), nullable=False),
    sa.Column("figures", sa.JSON, nullable=False),
)

proposed = sa.Table(
    "pattern_proposals",
    metadata,
    sa.Column("number", BigId, primary_key=True),
    sa.Column("action", sa.String(10), nullable=False),
    sa.Column("pattern_id", sa.String(16), nullable=False),
    sa.Column("other", sa.String(16)),
    sa.Column("likeness", sa.Float, nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
    sa.Column("proposed_at", Instant, nullable=False),
)


@dataclass(frozen=True)
class LineageEvent:
    """One of `LINEAGE_EVENTS`, of a pattern in a week; `other` is the pattern that it was merged into or split from."""

    pattern_id: str
    week: str
    event: str
    other: str | None = None


@dataclass(frozen=True)
class Proposal:
    """Something that people may decide: `merge` a pattern into `other`, or `split` it. Nothing happens without a decision.

    `likeness` is the mean cosine between the texts of the two (merge), or between the texts of the parts (split).
    """

    action: Literal["merge", "split"]
    pattern_id: str
    other: str | None
    likeness: float
    details: Mapping[str, Any] = field(default_factory=dict)


def add_lineage(connection: sa.Connection, events: Iterable[LineageEvent], *, now: datetime) -> None:
    """Append what happened."""
    rows = [{**vars(event), "recorded_at": now} for event in events]
    if rows:
        connection.execute(sa.insert(lineage), rows)


def lineage_of(connection: sa.Connection, pattern_ids: Iterable[str] | None = None) -> dict[str, list[LineageEvent]]:
    """What happened to these patterns (by default to all), oldest first; a pattern without events is left out."""
    found: dict[str, list[LineageEvent]] = {}
    ordered = sa.select(lineage).order_by(lineage.c.number)
    ids = None if pattern_ids is None else sorted(set(pattern_ids))
    chunks: Sequence[Sequence[str] | None] = (
        [None] if ids is None else [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
    )
    for chunk in chunks:
        query = ordered if chunk is None else ordered.where(lineage.c.pattern_id.in_(chunk))
        for row in connection.execute(query):
            event = LineageEvent(row.pattern_id, row.week, row.event, row.other)
            found.setdefault(row.pattern_id, []).append(event)
    return found


def put_evidence(connection: sa.Connection, week: str, figures_of: Mapping[str, Mapping[str, Any]]) -> None:
    """Write what is known of patterns as of a week, instead of what was known before."""
    ids = sorted(figures_of)
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        connection.execute(sa.delete(evidence).where(evidence.c.pattern_id.in_(chunk)))
        rows = [{"pattern_id": one, "week": week, "figures": dict(figures_of[one])} for one in chunk]
        connection.execute(sa.insert(evidence), rows)


def evidence_of(connection: sa.Connection, pattern_id: str) -> tuple[str, Mapping[str, Any]] | None:
    """The week and the figures of a pattern's evidence, or None."""
    row = connection.execute(sa.select(evidence).where(evidence.c.pattern_id == pattern_id)).first()
    return None if row is None else (row.week, row.figures)


def put_proposals(connection: sa.Connection, found: Iterable[Proposal], *, now: datetime) -> None:
    """Write what a reorganisation proposes, instead of what the one before did."""
    connection.execute(sa.delete(proposed))
    rows = [{**vars(one), "details": dict(one.details), "proposed_at": now} for one in found]
    if rows:
        connection.execute(sa.insert(proposed), rows)


def proposals(connection: sa.Connection) -> list[Proposal]:
    """What the last reorganisation proposes, most alike first."""
    query = sa.select(proposed).order_by(proposed.c.number)
    return [
        Proposal(row.action, row.pattern_id, row.other, row.likeness, row.details) for row in connection.execute(query)
    ]
