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

from triage_serving.jobs import Job, Result
from triage_serving.problems import busy

__all__ = ["Worker"]

BATCH_SIZE = 512


@dataclass(frozen=True)
class _Waiting:
    job: Job
    result: asyncio.Future[list[dict[str, Any]]]
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)


class Worker:
    """Runs `work` in a thread of its own, on as many jobs at once as are waiting.

    Parameters
    ----------
    work
        Jobs to results, one a job and in order; a result that is an exception is raised in its request.
    limit
        How many tickets and outcomes may wait or be worked on; beyond it `run` raises a 503 problem.
    """

    def __init__(self, work: Callable[[Sequence[Job]], Sequence[Result]], *, limit: int) -> None:
        self._work = work
        self._limit = limit
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self.waiting = 0

    def start(self) -> None:
        """Start the worker thread."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is waiting, then end the thread."""
        self._queue.put(None)
        self._thread.join()

    async def run(self, job: Job) -> list[dict[str, Any]]:
        """The result of a job, once it is durable."""
        if self.waiting + job.size > self._limit:
            raise busy()
        self.waiting += job.size
        try:
            waiting = _Waiting(job, asyncio.get_running_loop().create_future())
            self._queue.put(waiting)
            return await waiting.result
        finally:
            self.waiting -= job.size

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
        size = 0
        while size < BATCH_SIZE:
            try:
                waiting = self._queue.get(block=not batch)
            except queue.Empty:
                break
            if waiting is None:
                return batch, True
            if not waiting.result.cancelled():
                batch.append(waiting)
                size += waiting.job.size
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
