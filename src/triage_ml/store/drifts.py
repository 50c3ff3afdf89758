"""What `triage drift` found of each week, the latest look at it; the service shows the newest week as metrics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from triage_ml.store.schema import Instant, metadata

__all__ = ["DriftWeek", "latest_drift", "put_drift"]

drift_weeks = sa.Table(
    "drift_weeks",
    metadata,
    sa.Column("week", sa.String(8), primary_key=True),
    sa.Column("judged_at", Instant, nullable=False),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("figures", sa.JSON, nullable=False),
)


@dataclass(frozen=True)
class DriftWeek:
    """One week: its verdict and its figures, without any word of a ticket."""

    week: str
    judged_at: datetime
    verdict: str
    figures: Mapping[str, Any]


def put_drift(connection: sa.Connection, weeks: Iterable[DriftWeek]) -> None:
    """Store weeks; one that is there already is replaced."""
    for week in weeks:
        connection.execute(sa.delete(drift_weeks).where(drift_weeks.c.week == week.week))
        connection.execute(sa.insert(drift_weeks).values(**vars(week)))


def latest_drift(connection: sa.Connection) -> DriftWeek | None:
    """The newest week that was looked at."""
    row = (
        connection.execute(sa.select(drift_weeks).order_by(drift_weeks.c.week.desc()).limit(1)).mappings().one_or_none()
    )
    return None if row is None else DriftWeek(**row)
