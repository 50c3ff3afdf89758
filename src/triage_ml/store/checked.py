"""What one version of a model answered, beside how the tickets ended: the evidence for or against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from triage_ml.store.outcomes import holding_outcomes, outcomes
from triage_ml.store.predictions import predictions
from triage_ml.store.shadows import shadows

__all__ = ["CheckedAnswer", "checked_answers", "count_closed"]


@dataclass(frozen=True)
class CheckedAnswer:
    """`labels` is what was right, `targets` what the version answered, or would have where it was in the shadow."""

    labels: Mapping[str, str]
    targets: Mapping[str, Mapping[str, Any]]
    in_shadow: bool


def checked_answers(connection: sa.Connection, version: str, *, since: datetime, last: int) -> list[CheckedAnswer]:
    """The version's answers on the last `last` tickets that were closed since then, in the order of receipt."""
    held = holding_outcomes()
    gave = predictions.c.model_version == version
    query = (
        sa.select(held.c.labels, sa.case((gave, True), else_=False), predictions.c.answer, shadows.c.targets)
        .join(predictions, predictions.c.prediction_id == held.c.joined_id)
        .outerjoin(
            shadows,
            sa.and_(shadows.c.prediction_id == predictions.c.prediction_id, shadows.c.model_version == version),
        )
        .where(held.c.received_at >= since, sa.or_(gave, shadows.c.prediction_id.is_not(None)))
        .order_by(held.c.number.desc())
        .limit(last)
    )
    return [
        CheckedAnswer(labels, answer["targets"] if given else would_have, in_shadow=not given)
        for labels, given, answer, would_have in reversed(connection.execute(query).all())
    ]


def count_closed(connection: sa.Connection, *, since: datetime) -> int:
    """How many tickets were reported closed since then."""
    query = sa.select(sa.func.count(outcomes.c.ticket_id.distinct())).where(outcomes.c.received_at >= since)
    return int(connection.execute(query).scalar_one())
