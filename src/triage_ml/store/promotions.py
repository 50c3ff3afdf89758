"""Promotions: which version became champion, when, by whom and why. The row decides, MLflow's alias follows it.

MLflow's aliases have no compare-and-swap, so two promotions at once could both seem to win there. Here each promotion
takes the number after the one that it follows, and only one can have it. It follows a promotion and not a version,
because a rollback makes the same version champion a second time.

A promotion that was claimed but never finished (the process died before the alias was moved) has no `done_at`; whoever
comes next finishes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from triage_ml.store.schema import Instant, insert_new, metadata

__all__ = ["Promotion", "PromotionKind", "claim_promotion", "finish_promotion", "list_promotions"]

PromotionKind = Literal["first", "promoted", "forced", "rolled_back", "found"]

promotions = sa.Table(
    "promotions",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("replaces", sa.String(64)),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("who", sa.String(200), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("checks", sa.JSON, nullable=False),
    sa.Column("claimed_at", Instant, nullable=False),
    sa.Column("done_at", Instant),
)


@dataclass(frozen=True)
class Promotion:
    """One row. Promotion `number` follows `number - 1`; `found` is an alias that somebody moved in MLflow by hand."""

    number: int
    version: str
    replaces: str | None
    kind: PromotionKind
    who: str
    reason: str
    claimed_at: datetime
    checks: Sequence[Mapping[str, Any]] = ()
    done_at: datetime | None = None


def claim_promotion(connection: sa.Connection, promotion: Promotion) -> bool:
    """Claim the place after the present champion; False where another promotion took it first."""
    return insert_new(connection, promotions, {**vars(promotion), "checks": list(promotion.checks)}, "number")


def finish_promotion(connection: sa.Connection, number: int, *, now: datetime) -> None:
    """Say that the alias was moved."""
    connection.execute(sa.update(promotions).where(promotions.c.number == number).values(done_at=now))


def list_promotions(connection: sa.Connection) -> list[Promotion]:
    """All promotions, oldest first; the last one names the champion."""
    rows = connection.execute(sa.select(promotions).order_by(promotions.c.number)).mappings()
    return [Promotion(**row) for row in rows]
