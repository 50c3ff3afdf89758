"""What was sent to whom: claimed before it goes out, so that nothing is sent twice by accident.

A claim that was never confirmed is one whose sender died or lost the connection at the worst moment: it may have arrived.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from triage_ml.store.schema import Instant, insert_new, metadata

__all__ = ["Delivery", "claim_delivery", "confirm_delivery", "deliveries_of", "release_delivery"]

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("week", sa.String(8), primary_key=True),
    sa.Column("channel", sa.String(20), primary_key=True),
    sa.Column("recipients", sa.String(64), primary_key=True),
    sa.Column("claimed_at", Instant, nullable=False),
    sa.Column("sent_at", Instant),
)


@dataclass(frozen=True)
class Delivery:
    """A week's digest on its way to somebody; `recipients` is a digest of the addresses, `sent_at` None while unconfirmed."""

    week: str
    channel: str
    recipients: str
    claimed_at: datetime
    sent_at: datetime | None = None


def claim_delivery(connection: sa.Connection, delivery: Delivery) -> bool:
    """Claim a delivery before sending it; False where it was claimed before."""
    return insert_new(connection, deliveries, vars(delivery), "week", "channel", "recipients")


def confirm_delivery(connection: sa.Connection, delivery: Delivery, *, now: datetime) -> None:
    """It has arrived."""
    connection.execute(sa.update(deliveries).where(*_this(delivery)).values(sent_at=now))


def release_delivery(connection: sa.Connection, delivery: Delivery) -> None:
    """It has certainly not arrived, or is to be sent again on purpose: it may be claimed anew."""
    connection.execute(sa.delete(deliveries).where(*_this(delivery)))


def deliveries_of(connection: sa.Connection, week: str) -> list[Delivery]:
    """All deliveries of a week."""
    query = sa.select(deliveries).where(deliveries.c.week == week).order_by(*deliveries.primary_key)
    return [Delivery(**row) for row in connection.execute(query).mappings()]


def _this(delivery: Delivery) -> tuple[sa.ColumnElement[bool], ...]:
    return tuple(deliveries.c[name] == getattr(delivery, name) for name in ("week", "channel", "recipients"))
