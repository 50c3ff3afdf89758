"""What was answered over a span of time, one entry a ticket, for those who look back: drift, reports."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from triage_ml.store.predictions import Prediction, from_row, predictions

__all__ = ["scored_tickets"]


def scored_tickets(connection: sa.Connection, *, since: datetime) -> list[Prediction]:
    """The last prediction of each ticket that was scored at or after `since`, in the order of storing."""
    newest = (
        sa.select(sa.func.max(predictions.c.number).label("number"))
        .where(predictions.c.stored_at >= since)
        .group_by(predictions.c.ticket_id)
        .subquery()
    )
    query = sa.select(predictions).join(newest, newest.c.number == predictions.c.number).order_by(predictions.c.number)
    return [from_row(row) for row in connection.execute(query).mappings()]
