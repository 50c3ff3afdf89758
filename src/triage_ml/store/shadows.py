"""What the challenger would have answered, beside the prediction that was given. Compared with it when the ticket closes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from triage_ml.store.schema import Instant, metadata

__all__ = ["Shadow", "add_shadows", "shadows", "shadows_of"]

CHUNK = 500

shadows = sa.Table(
    "shadows",
    metadata,
    sa.Column("prediction_id", sa.String(36), primary_key=True),
    sa.Column("model_version", sa.String(64), primary_key=True),
    sa.Column("stored_at", Instant, nullable=False, index=True),
    sa.Column("targets", sa.JSON, nullable=False),
)


@dataclass(frozen=True)
class Shadow:
    """`targets` maps each target to its value, probability, action and reason; there are no words in it."""

    prediction_id: str
    model_version: str
    stored_at: datetime
    targets: Mapping[str, Mapping[str, Any]]


def add_shadows(connection: sa.Connection, rows: Iterable[Shadow]) -> None:
    """Add what a challenger said of some predictions."""
    values = [dict(vars(row)) for row in rows]
    if values:
        connection.execute(sa.insert(shadows).returning(shadows.c.prediction_id), values).all()


def shadows_of(connection: sa.Connection, prediction_ids: Iterable[str]) -> list[Shadow]:
    """What challengers said of these predictions."""
    ids = list(prediction_ids)
    found: list[Shadow] = []
    for start in range(0, len(ids), CHUNK):
        query = sa.select(shadows).where(shadows.c.prediction_id.in_(ids[start : start + CHUNK]))
        found += [Shadow(**row) for row in connection.execute(query.order_by(*shadows.primary_key)).mappings()]
    return found
