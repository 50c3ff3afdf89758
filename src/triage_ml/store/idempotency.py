"""Requests that may come twice: who sent which key with which body, and what was stored for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from triage_ml.store.schema import Instant, insert_new, metadata

__all__ = ["Once", "claim", "find_request"]

idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("owner", sa.String(16), primary_key=True),
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("stored_ids", sa.JSON, nullable=False),
    sa.Column("stored_at", Instant, nullable=False, index=True),
)


@dataclass(frozen=True, order=True)
class Once:
    """A request that must take effect once: the API key's id, the caller's key, and the sha256 of route and body."""

    owner: str
    key: str
    fingerprint: str


def claim(connection: sa.Connection, once: Once, ids: Sequence[str], *, now: datetime) -> tuple[str, list[str]] | None:
    """Claim the key for rows with these ids, or learn that it is taken.

    On PostgreSQL this waits for another transaction that claims the same key, so claim in sorted order.

    Returns
    -------
    None where the key is ours now, else the fingerprint and the ids of the request that had it first.
    """
    values = {**vars(once), "stored_ids": list(ids), "stored_at": now}
    if insert_new(connection, idempotency, values, "owner", "key"):
        return None
    return find_request(connection, once)


def find_request(connection: sa.Connection, once: Once) -> tuple[str, list[str]] | None:
    """The fingerprint and the ids of the request that had this key first; None where nobody had it."""
    query = sa.select(idempotency.c.fingerprint, idempotency.c.stored_ids)
    row = connection.execute(
        query.where(idempotency.c.owner == once.owner, idempotency.c.key == once.key)
    ).one_or_none()
    return None if row is None else (row.fingerprint, row.stored_ids)
