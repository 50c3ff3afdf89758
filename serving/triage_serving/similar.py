"""Resolved tickets like this one, from the case index that `triage index` builds beside the store.

The index is opened by the thread that polls, and opened again when it was built again. Searching takes a thread's time for a
moment; it is asked for by people, not for every ticket. The threads are its own: readiness and keys must not wait for a search.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import structlog

from triage_ml.bundle import MANIFEST
from triage_ml.cases import CaseIndex, SimilarCase, cases_folder, open_cases
from triage_ml.errors import BundleError
from triage_ml.text import combine
from triage_serving.problems import Problem, busy, too_slow

__all__ = ["Similar"]

#: Searches at once, how many more may wait, and how long one may take.
SEARCHES = 2
WAITING = 30
SEARCH_SECONDS = 30.0

log = structlog.get_logger("triage.similar")


class Similar:
    """Follows the case index of a home, and asks it."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._seen: tuple[int, int] | None = None
        self._index: CaseIndex | None = None
        self._threads = ThreadPoolExecutor(SEARCHES, thread_name_prefix="similar")
        self._free = threading.BoundedSemaphore(SEARCHES + WAITING)

    @property
    def is_there(self) -> bool:
        """There is an index to ask."""
        return self._index is not None

    def poll(self) -> None:
        """Open the index where it is new; one that is damaged leaves the old one in use."""
        seen = _stamp(cases_folder(self._home) / MANIFEST)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._index = open_cases(self._home)
        except BundleError as error:
            log.error("case_index_refused", reason=error.message)
            return
        log.info("case_index_in_use", cases=len(self._index) if self._index else 0)

    async def nearest(self, tickets: Sequence[Mapping[str, Any]], k: int) -> list[list[dict[str, Any]]]:
        """Up to `k` cases for each ticket, the nearest first.

        Raises
        ------
        Problem
            409 `no_case_index`; 503 `busy` or `too_slow` where more is asked for than can be searched.
        """
        index = self._index
        if index is None:
            detail = "There is no index of resolved tickets. Build one: triage index TICKETS."
            raise Problem(409, "no_case_index", detail)
        texts = [combine(ticket.get("title"), ticket.get("description")) for ticket in tickets]
        found = await self._searched(lambda: index.nearest(texts, k, but=[ticket["ticket_id"] for ticket in tickets]))
        return [[vars(case) for case in cases] for cases in found]

    async def _searched(self, search: Callable[[], list[list[SimilarCase]]]) -> list[list[SimilarCase]]:
        if not self._free.acquire(blocking=False):
            raise busy()
        try:
            work = self._threads.submit(search)
        except BaseException:
            self._free.release()
            raise
        work.add_done_callback(lambda _: self._free.release())  # a search that was given up on still takes its thread
        try:
            return await asyncio.wait_for(asyncio.wrap_future(work), SEARCH_SECONDS)
        except TimeoutError:
            raise too_slow() from None


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino
