"""The `Idempotency-Key` header: the same request may come twice and takes effect once."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Depends, Header, Request

from triage_ml.store import Once, Store, forget_requests

__all__ = ["OnceDep", "forget_old_requests"]

KEPT = timedelta(hours=24)

KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key with the same body is answered with what was stored the first time, within 24 hours.",
    ),
]


async def _once(request: Request, key: KeyHeader = None) -> Once | None:
    if key is None:
        return None
    said = hashlib.sha256(f"{request.url.path}?{request.url.query}\n".encode())
    said.update(await request.body())
    return Once(request.state.key.key_id, key, said.hexdigest())


OnceDep = Annotated[Once | None, Depends(_once)]


def forget_old_requests(store: Store) -> None:
    """Delete keys past their time, so that they don't pile up."""
    with store.begin() as connection:
        forget_requests(connection, before=datetime.now(UTC) - KEPT)
