from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from triage_serving.jobs import Result, ScoreJob
from triage_serving.problems import Problem
from triage_serving.worker import Worker


class SlowWork:
    """Answers each ticket with itself, but only after `go`; notes the size of each batch."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Event()
        self.batches: list[int] = []

    def __call__(self, jobs: Sequence[ScoreJob]) -> list[Result]:
        self.batches.append(len(jobs))
        self.begun.set()
        self.go.wait(5)
        return [ValueError("no") if job.tickets[0].get("bad") else list(job.tickets) for job in jobs]


@contextmanager
def running(work: SlowWork, limit: int = 100) -> Iterator[Worker]:
    worker = Worker(work, limit=limit)
    worker.start()
    try:
        yield worker
    finally:
        work.go.set()
        worker.stop()


def job(number: int, **more: object) -> ScoreJob:
    return ScoreJob([{"ticket_id": str(number), **more}])


async def begin(worker: Worker, work: SlowWork, jobs: Sequence[ScoreJob]) -> list[asyncio.Task[list[dict[str, Any]]]]:
    """The first job is being worked on, the others wait."""
    tasks = [asyncio.create_task(worker.run(jobs[0]))]
    await asyncio.to_thread(work.begun.wait, 5)
    tasks += [asyncio.create_task(worker.run(later)) for later in jobs[1:]]
    await asyncio.sleep(0)
    return tasks


def test_one_alone_goes_at_once_and_those_that_gather_meanwhile_go_together() -> None:
    work = SlowWork()

    async def scenario(worker: Worker) -> list[list[dict[str, Any]]]:
        tasks = await begin(worker, work, [job(number) for number in range(9)])
        work.go.set()
        return await asyncio.gather(*tasks)

    with running(work) as worker:
        results = asyncio.run(scenario(worker))
    assert [result[0]["ticket_id"] for result in results] == [str(number) for number in range(9)]
    assert work.batches == [1, 8]
    assert worker.waiting == 0


def test_beyond_the_limit_a_request_is_refused_at_once() -> None:
    work = SlowWork()

    async def scenario(worker: Worker) -> None:
        tasks = await begin(worker, work, [job(1), job(2)])
        with pytest.raises(Problem, match="Too many tickets are waiting") as caught:
            await worker.run(job(3))
        assert (caught.value.status_code, caught.value.headers) == (503, {"Retry-After": "1"})
        work.go.set()
        await asyncio.gather(*tasks)
        await worker.run(job(4))

    with running(work, limit=2) as worker:
        asyncio.run(scenario(worker))


def test_an_error_reaches_its_own_request_alone() -> None:
    work = SlowWork()
    work.go.set()

    async def scenario(worker: Worker) -> list[Any]:
        jobs = [job(1), job(2, bad=True), job(3)]
        return await asyncio.gather(*(worker.run(each) for each in jobs), return_exceptions=True)

    with running(work) as worker:
        first, second, third = asyncio.run(scenario(worker))
    assert (first[0]["ticket_id"], str(second), third[0]["ticket_id"]) == ("1", "no", "3")


def test_a_request_that_gave_up_is_not_worked_on() -> None:
    work = SlowWork()

    async def scenario(worker: Worker) -> None:
        tasks = await begin(worker, work, [job(1), job(2), job(3)])
        tasks[1].cancel()
        await asyncio.sleep(0)
        work.go.set()
        await asyncio.gather(tasks[0], tasks[2])

    with running(work) as worker:
        asyncio.run(scenario(worker))
    assert work.batches == [1, 1]


def test_stopping_finishes_what_waits() -> None:
    work = SlowWork()

    async def scenario() -> list[list[dict[str, Any]]]:
        worker = Worker(work, limit=10)
        worker.start()
        tasks = await begin(worker, work, [job(1), job(2)])
        stopping = asyncio.create_task(asyncio.to_thread(worker.stop))
        work.go.set()
        await stopping
        return await asyncio.gather(*tasks)

    assert len(asyncio.run(scenario())) == 2
