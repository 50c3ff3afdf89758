"""Who may ask: API keys, kept in memory and read again every few seconds.

So a request costs no query, a dead database locks nobody out, and a key that was revoked is refused within
`REFRESH_SECONDS` in every worker. A key that is not known yet is looked up at once, at most five times a second;
requests beyond that wait for the next time, all for the same one, which also slows whoever guesses.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from triage_ml.errors import StoreError
from triage_ml.store import ApiKey, Scope, Store, list_keys, split_key, touch_keys
from triage_serving.problems import Problem
from triage_serving.rates import RateLimit

__all__ = ["REFRESH_SECONDS", "KeyRing"]

REFRESH_SECONDS = 2.0
LOOKUP_PAUSE = 0.2
LOOKUP_SECONDS = 5.0
#: Compared with where an id is unknown, so that an unknown id takes as long as a wrong secret.
NOBODY = ApiKey(
    "", "", "score", "0" * 64, datetime(1970, 1, 1, tzinfo=UTC), revoked_at=datetime(1970, 1, 1, tzinfo=UTC)
)

log = structlog.get_logger("triage.auth")


def _now() -> datetime:
    return datetime.now(UTC)


class KeyRing:
    """The keys of a store."""

    def __init__(self, store: Store, *, limit: RateLimit | None = None, now: Callable[[], datetime] = _now) -> None:
        self._store = store
        self._limit = limit or RateLimit(None)
        self._now = now
        self._keys: dict[str, ApiKey] = {}
        self._used: dict[str, datetime] = {}
        self._lock = threading.Lock()
        self._looked_up = -LOOKUP_PAUSE
        self._looking: asyncio.Task[bool] | None = None

    def refresh(self, timeout: float = -1.0) -> bool:
        """Read all keys, and note in the store which were used since the last time; whether that went well.

        With `timeout` who is not the only one to ask waits at most so many seconds for its turn.
        """
        if not self._lock.acquire(timeout=timeout):
            return False
        try:
            return self._refresh()
        finally:
            self._lock.release()

    def _refresh(self) -> bool:
        used, self._used = self._used, {}
        try:
            if used:
                with self._store.begin() as connection:
                    touch_keys(connection, used)
            with self._store.read() as connection:
                self._keys = {key.key_id: key for key in list_keys(connection)}
        except StoreError as error:
            self._used = used | self._used
            log.warning("keys_not_refreshed", reason=error.message)
            return False
        return True

    def note_uses(self, timeout: float) -> None:
        """At the end: what was used is stored where that can be done in time; a database that hangs must not hold the stop."""
        last = threading.Thread(target=self.refresh, args=(timeout,), daemon=True)
        last.start()
        last.join(timeout)

    async def authorise(self, header: str | None, scope: Scope, *, person: ApiKey | None = None) -> ApiKey:
        """The key in an Authorization header; without one the person whom a trusted proxy named, see `proxy`.

        Raises
        ------
        Problem
            401 for no, a wrong, an expired or a revoked key; 403 for one of another scope; 429 for one that comes too often;
            503 for one that is not known yet while the store is away.
        """
        key = person if person is not None and not header else await self._given(header)
        if key.scope not in (scope, "admin"):
            raise Problem(403, "wrong_scope", f"This key has scope `{key.scope}`; the route needs `{scope}`.")
        self._limit.take(key.key_id)
        if key is not person:
            self._used[key.key_id] = self._now()
        return key

    async def _given(self, header: str | None) -> ApiKey:
        kind, _, text = (header or "").partition(" ")
        parts = split_key(text.strip()) if kind.lower() == "bearer" else None
        if parts is None:
            raise _unknown("Send an API key: `Authorization: Bearer <key>`.")
        key_id, secret = parts
        key = await self._find(key_id)
        if not key.matches(secret) or not key.is_valid(self._now()):
            raise _unknown("This API key is not valid (wrong, expired or revoked).")
        return key

    async def known(self, key_id: str) -> ApiKey | None:
        """The key with this id where it is valid now."""
        key = await self._find(key_id)
        return key if key.is_valid(self._now()) else None

    async def _find(self, key_id: str) -> ApiKey:
        is_new = False
        while key_id not in self._keys and not is_new:  # a look that had begun may have come before the key
            looking, is_new = self._next_look()
            await asyncio.wait({looking}, timeout=LOOKUP_SECONDS)
            if key_id not in self._keys and not (looking.done() and looking.result()):
                detail = "API keys can't be looked up now; try again shortly."
                raise Problem(503, "store_unavailable", detail, headers={"Retry-After": "5"})
        return self._keys.get(key_id, NOBODY)

    def _next_look(self) -> tuple[asyncio.Task[bool], bool]:
        """The look that is under way, or a new one; and whether it is new."""
        if self._looking is not None and not self._looking.done():
            return self._looking, False
        self._looking = asyncio.create_task(self._look())
        return self._looking, True

    async def _look(self) -> bool:
        await asyncio.sleep(self._looked_up + LOOKUP_PAUSE - time.monotonic())
        self._looked_up = time.monotonic()
        return await asyncio.to_thread(self.refresh, LOOKUP_SECONDS)


def _unknown(detail: str) -> Problem:
    return Problem(401, "unauthorised", detail, headers={"WWW-Authenticate": "Bearer"})
