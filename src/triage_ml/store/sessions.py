"""Sessions of people who signed in to the review pages with a key. The store holds the sha256 of the cookie, never the cookie."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

import sqlalchemy as sa

from triage_ml.store.schema import Instant, metadata

__all__ = ["end_session", "forget_sessions", "session_key", "start_session"]

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    sa.Column("key_id", sa.String(16), nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
)


def start_session(connection: sa.Connection, key_id: str, *, now: datetime, expires_at: datetime) -> str:
    """Start a session for a key and return its token, which is shown to nobody but the browser."""
    token = secrets.token_urlsafe(32)
    values = {"token_sha256": _hash(token), "key_id": key_id, "started_at": now, "expires_at": expires_at}
    connection.execute(sa.insert(sessions), values)
    return token


def session_key(connection: sa.Connection, token: str, *, now: datetime) -> str | None:
    """The id of the key that a session was started with; None for one that is unknown, ended or expired."""
    query = sa.select(sessions.c.key_id).where(sessions.c.token_sha256 == _hash(token), sessions.c.expires_at > now)
    key_id: str | None = connection.scalar(query)
    return key_id


def end_session(connection: sa.Connection, token: str) -> None:
    """End a session; one that is not there any more is fine."""
    connection.execute(sa.delete(sessions).where(sessions.c.token_sha256 == _hash(token)))


def forget_sessions(connection: sa.Connection, *, now: datetime) -> int:
    """Delete sessions that have expired; returns how many."""
    return connection.execute(sa.delete(sessions).where(sessions.c.expires_at <= now)).rowcount


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
