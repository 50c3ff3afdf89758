"""What is forgotten, and when."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from triage_ml.store.idempotency import idempotency
from triage_ml.store.outcomes import outcomes
from triage_ml.store.predictions import predictions
from triage_ml.store.shadows import shadows

__all__ = ["forget_requests", "prune"]


def prune(connection: sa.Connection, *, before: datetime) -> dict[str, int]:
    """Delete predictions, shadows, outcomes and idempotency keys older than `before`; returns how many of each."""
    aged = {
        "predictions": predictions.c.stored_at,
        "outcomes": outcomes.c.received_at,
        "shadows": shadows.c.stored_at,
    }
    counts = {
        name: connection.execute(sa.delete(column.table).where(column < before)).rowcount
        for name, column in aged.items()
    }
    return counts | {"idempotency": forget_requests(connection, before=before)}


def forget_requests(connection: sa.Connection, *, before: datetime) -> int:
    """Delete idempotency keys older than `before`; returns how many."""
    return connection.execute(sa.delete(idempotency).where(idempotency.c.stored_at < before)).rowcount
