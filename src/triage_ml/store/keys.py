"""API keys: `triage_<id>_<secret>`. The store holds the sha256 of the secret, never the key.

The secret has 256 random bits, so a plain hash is enough: there is nothing to guess that a slow hash would protect.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

import sqlalchemy as sa

from triage_ml.errors import InputError
from triage_ml.store.schema import Instant, metadata

__all__ = ["SCOPES", "ApiKey", "Scope", "api_keys", "create_key", "list_keys", "revoke_key", "split_key", "touch_keys"]

Scope = Literal["score", "review", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
PREFIX = "triage"

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("key_id", sa.String(16), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("scope", sa.String(16), nullable=False),
    sa.Column("secret_sha256", sa.String(64), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant),
    sa.Column("revoked_at", Instant),
    sa.Column("last_used_at", Instant),
)


@dataclass(frozen=True)
class ApiKey:
    """What is known of a key; the key itself is shown once, when it is made."""

    key_id: str
    name: str
    scope: Scope
    secret_sha256: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def matches(self, secret: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self.secret_sha256, _hash(secret))

    def is_valid(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def state(self, now: datetime) -> str:
        """`active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "active" if self.is_valid(now) else "expired"


def create_key(
    connection: sa.Connection, scope: Scope, *, now: datetime, name: str = "", expires_at: datetime | None = None
) -> tuple[str, ApiKey]:
    """Make a key and keep its hash; returns the key, which can't be shown again, and its record."""
    secret = secrets.token_hex(32)
    record = ApiKey(secrets.token_hex(6), name, scope, _hash(secret), now, expires_at)
    connection.execute(sa.insert(api_keys), dict(vars(record)))
    return f"{PREFIX}_{record.key_id}_{secret}", record


def split_key(key: str) -> tuple[str, str] | None:
    """Id and secret of a key, or None for a text that is no key."""
    parts = key.split("_")
    if len(parts) != 3 or parts[0] != PREFIX or not all(part.isascii() for part in parts):
        return None
    return parts[1], parts[2]


def list_keys(connection: sa.Connection) -> list[ApiKey]:
    """All keys, oldest first."""
    query = sa.select(api_keys).order_by(api_keys.c.created_at, api_keys.c.key_id)
    return [ApiKey(**row) for row in connection.execute(query).mappings()]


def revoke_key(connection: sa.Connection, key_id: str, *, now: datetime) -> None:
    """Revoke a key for good; a second time changes nothing.

    Raises
    ------
    InputError
        There is no such key.
    """
    if connection.scalar(sa.select(api_keys.c.key_id).where(api_keys.c.key_id == key_id)) is None:
        raise InputError(f"There is no key with id {key_id!r}.", hint="`triage keys list` shows the ids.")
    change = sa.update(api_keys).where(api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None))
    connection.execute(change.values(revoked_at=now))


def touch_keys(connection: sa.Connection, used: dict[str, datetime]) -> None:
    """Note when keys were last used."""
    for key_id, moment in sorted(used.items()):
        connection.execute(sa.update(api_keys).where(api_keys.c.key_id == key_id).values(last_used_at=moment))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
