"""How many requests a second a key may send to this worker: a bucket of tokens a key, refilled with time."""

from __future__ import annotations

import time
from collections.abc import Callable

from triage_serving.problems import Problem

__all__ = ["RateLimit"]

BURST_SECONDS = 2.0


class RateLimit:
    """Takes a token a request; `per_second` of None means no limit.

    A worker counts what it sees, so with several workers a key may send as many times more.
    """

    def __init__(self, per_second: float | None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._most = max(1.0, (per_second or 0.0) * BURST_SECONDS)
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key_id: str) -> None:
        """One request of a key that is known.

        Raises
        ------
        Problem
            429 with `Retry-After`.
        """
        if self._per_second is None:
            return
        now = self._clock()
        tokens, since = self._buckets.get(key_id, (self._most, now))
        tokens = min(self._most, tokens + (now - since) * self._per_second)
        if tokens < 1:
            self._buckets[key_id] = (tokens, now)
            seconds = max(1, round((1 - tokens) / self._per_second))
            detail = f"This key may send {self._per_second:g} requests a second to each worker."
            raise Problem(429, "too_many_requests", detail, headers={"Retry-After": str(seconds)})
        self._buckets[key_id] = (tokens - 1, now)
