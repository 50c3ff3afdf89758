"""Ready means: a model is loaded, the store takes a write, and nobody asked us to stop."""

from __future__ import annotations

import asyncio
import time

from triage_ml.errors import StoreError
from triage_ml.store import Store
from triage_serving.champion import Champion

__all__ = ["Readiness"]

FRESH_SECONDS = 1.0
ANSWER_SECONDS = 2.0
FAILED_SECONDS = 5.0
COMMIT_SECONDS = 5.0


class Readiness:
    """Answers `/readyz`; the store is written at most once a second, however often it is asked.

    A disk that is nearly full still takes the small write of this check while tickets fail, so a commit that failed in the last
    `FAILED_SECONDS` counts as well. So does one that is under way for `COMMIT_SECONDS`: a table may be locked that the check does
    not touch.
    """

    def __init__(self, champion: Champion, store: Store) -> None:
        self._champion = champion
        self._store = store
        self._checked_at = float("-inf")
        self._check: asyncio.Task[str | None] | None = None
        self._commit_failed_at = float("-inf")
        self._commit_began_at = float("inf")
        self.draining = False

    def committing(self) -> None:
        """Told by the storing thread before every commit."""
        self._commit_began_at = time.monotonic()

    def committed(self, well: bool) -> None:
        """Told by the storing thread after every commit."""
        self._commit_began_at = float("inf")
        self._commit_failed_at = float("-inf") if well else time.monotonic()

    async def reasons(self) -> list[str]:
        """Why the service is not ready; empty where it is."""
        reasons = ["draining"] if self.draining else []
        if self._champion.current is None:
            reasons.append("no_champion")
        if (store := await self._store_reason()) is not None:
            reasons.append(store)
        elif time.monotonic() - self._commit_failed_at < FAILED_SECONDS:
            reasons.append("store_not_writable")
        elif time.monotonic() - self._commit_began_at > COMMIT_SECONDS:
            reasons.append("store_too_slow")
        return reasons

    async def _store_reason(self) -> str | None:
        if self._check is None or (self._check.done() and time.monotonic() - self._checked_at > FRESH_SECONDS):
            self._check = asyncio.create_task(self._write())
        try:
            return await asyncio.wait_for(asyncio.shield(self._check), ANSWER_SECONDS)
        except TimeoutError:
            return "store_too_slow"

    async def _write(self) -> str | None:
        try:
            await asyncio.to_thread(self._store.check_writable)
        except StoreError:
            return "store_not_writable"
        finally:
            self._checked_at = time.monotonic()
        return None
