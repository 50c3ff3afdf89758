"""The `Idempotency-Key` header: the same request may come twice and takes effect once."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Header, Request
from pydantic import StringConstraints
from starlette.types import Scope

from triage_ml.store import ApiKey, Once, Store, forget_requests

__all__ = ["IdempotencyKey", "OnceDep", "forget_old_requests", "once_of"]

KEPT = timedelta(hours=24)
ROWS = 5_000

IdempotencyKey = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
KeyHeader = Annotated[
    IdempotencyKey | None,
    Header(
        alias="Idempotency-Key",
        description="The same key with the same body is answered with what was stored the first time, within 24 hours.",
    ),
]


def once_of(key: ApiKey, given: str, scope: Scope, body: bytes) -> Once:
    """What makes a request the same as another: who sent it, with which key, to which address, with which body."""
    said = hashlib.sha256(f"{scope['path']}?{scope['query_string'].decode('latin-1')}\n".encode())
    said.update(body)
    return Once(key.key_id, given, said.hexdigest())


async def _once(request: Request, key: KeyHeader = None) -> Once | None:
    return None if key is None else once_of(request.state.key, key, request.scope, await request.body())


OnceDep = Annotated[Once | None, Depends(_once)]


def forget_old_requests(store: Store) -> None:
    """Delete keys past their time, so that they don't pile up; in short transactions, for requests must not wait for it."""
    before, found = datetime.now(UTC) - KEPT, ROWS
    while found == ROWS:
        with store.begin() as connection:
            found = forget_requests(connection, before=before, most=ROWS)
