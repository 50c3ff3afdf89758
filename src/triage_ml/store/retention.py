"""What is forgotten, and when."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import sqlalchemy as sa

from triage_ml.store.database import Store
from triage_ml.store.idempotency import idempotency
from triage_ml.store.outcomes import outcomes
from triage_ml.store.predictions import predictions
from triage_ml.store.shadows import shadows

__all__ = ["forget_requests", "prune", "prune_store"]

#: What is forgotten, by the moment at which it was stored.
_AGED = {
    "predictions": predictions.c.stored_at,
    "outcomes": outcomes.c.received_at,
    "shadows": shadows.c.stored_at,
    "idempotency": idempotency.c.stored_at,
}
#: Rows a transaction: on SQLite nobody else writes meanwhile, and a request must not wait for a year to be deleted.
ROWS = 5_000


def prune_store(store: Store, *, before: datetime) -> dict[str, int]:
    """Delete what is older than `before` in many short transactions, so that a running service can write in between."""
    counts: Counter[str] = Counter(dict.fromkeys(_AGED, 0))
    while True:
        with store.begin() as connection:
            found = prune(connection, before=before, most=ROWS)
        counts.update(found)
        if not any(found.values()):
            return dict(counts)


def prune(connection: sa.Connection, *, before: datetime, most: int | None = None) -> dict[str, int]:
    """Delete predictions, shadows, outcomes and idempotency keys older than `before`; returns how many of each.

    With `most`, at most so many of each.
    """
    return {name: _forget(connection, column, before, most) for name, column in _AGED.items()}


def forget_requests(connection: sa.Connection, *, before: datetime, most: int | None = None) -> int:
    """Delete idempotency keys older than `before`, with `most` at most so many; returns how many."""
    return _forget(connection, idempotency.c.stored_at, before, most)


def _forget(connection: sa.Connection, column: sa.Column[datetime], before: datetime, most: int | None) -> int:
    table = column.table
    if most is None:
        return connection.execute(sa.delete(table).where(column < before)).rowcount
    key = list(table.primary_key)
    some = sa.select(*key).where(column < before).limit(most)
    return connection.execute(sa.delete(table).where(sa.tuple_(*key).in_(some))).rowcount
