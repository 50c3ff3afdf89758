"""Requests that arrive together are worked on together; one alone never waits.

One worker thread takes everything that is waiting, works on it as one batch, and hands the results back in one call to
the event loop. While it works, the next batch gathers: load makes the batches, no timer does.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from triage_serving.problems import busy

__all__ = ["Job", "Scorer"]

BATCH_TICKETS = 512

Result = list[dict[str, Any]] | Exception


@dataclass(frozen=True)
class Job:
    """The tickets of one request."""

    tickets: Sequence[dict[str, Any]]
    include_all: bool = False


@dataclass(frozen=True)
class _Waiting:
    job: Job
    result: asyncio.Future[list[dict[str, Any]]]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)


class Scorer:
    """Runs `work` in a thread of its own, on as many jobs at once as are waiting.

    Parameters
    ----------
    work
        Jobs to results, one a job and in order: answers, or the exception for that job.
    limit
        How many tickets may wait or be worked on; beyond it `score` raises a 503 problem.
    """

    def __init__(self, work: Callable[[Sequence[Job]], Sequence[Result]], *, limit: int) -> None:
        self._work = work
        self._limit = limit
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="scorer", daemon=True)
        self.waiting = 0

    def start(self) -> None:
        """Start the worker thread."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is waiting, then end the thread."""
        self._queue.put(None)
        self._thread.join()

    async def score(self, job: Job) -> list[dict[str, Any]]:
        """The answers to a job, in the order of its tickets, once they are durable."""
        if self.waiting + len(job.tickets) > self._limit:
            raise busy()
        self.waiting += len(job.tickets)
        try:
            waiting = _Waiting(job, asyncio.get_running_loop().create_future())
            self._queue.put(waiting)
            return await waiting.result
        finally:
            self.waiting -= len(job.tickets)

    def _run(self) -> None:
        last = False
        while not last:
            batch, last = self._take()
            if batch:
                results = self._results([waiting.job for waiting in batch])
                batch[0].loop.call_soon_threadsafe(_deliver, batch, results)

    def _take(self) -> tuple[list[_Waiting], bool]:
        """Wait for one job, then take what else is there; True once the queue was closed."""
        batch: list[_Waiting] = []
        tickets = 0
        while tickets < BATCH_TICKETS:
            try:
                waiting = self._queue.get(block=not batch)
            except queue.Empty:
                break
            if waiting is None:
                return batch, True
            if not waiting.result.cancelled():
                batch.append(waiting)
                tickets += len(waiting.job.tickets)
        return batch, False

    def _results(self, jobs: Sequence[Job]) -> Sequence[Result]:
        try:
            return self._work(jobs)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must reach the requests and not end the thread
            return [error] * len(jobs)


def _deliver(batch: Sequence[_Waiting], results: Sequence[Result]) -> None:
    for waiting, result in zip(batch, results, strict=True):
        if waiting.result.done():
            continue
        if isinstance(result, Exception):
            waiting.result.set_exception(result)
        else:
            waiting.result.set_result(result)
