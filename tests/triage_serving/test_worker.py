from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from triage_serving.jobs import Answered, Job, Part, Result, Scored, ScoreJob
from triage_serving.problems import Problem
from triage_serving.worker import TURN_TICKETS, Worker


class Desk:
    """Scores a ticket with its own id, and stores it once `disk` lets it; notes what went together.

    `models` is what the tickets of a part are asked of: one more each time that a part names none.
    """

    def __init__(self) -> None:
        self.disk = threading.Event()
        self.begun = threading.Event()
        self.turns: list[int] = []
        self.commits: list[int] = []
        self.model = 0

    def score(self, parts: Sequence[Part]) -> list[Scored]:
        self.turns.append(sum(len(part.tickets) for part in parts))
        self.model += 1
        for part in parts:
            part.model = part.model or self.model
        if any(ticket.get("breaks") for part in parts for ticket in part.tickets):
            raise ArithmeticError("scoring fell over")
        return [
            ValueError("no") if part.tickets[0].get("bad") else [self.answered(ticket, part) for ticket in part.tickets]
            for part in parts
        ]

    def answered(self, ticket: dict[str, Any], part: Part) -> Answered:
        answer = {"ticket_id": ticket["ticket_id"], "model": part.model}
        return Answered(answer, orjson.dumps(answer))

    def store(self, jobs: Sequence[Job], scored: Sequence[Scored]) -> list[Result]:
        self.commits.append(len(jobs))
        self.begun.set()
        self.disk.wait(60)
        return [one if isinstance(one, Exception) else [answered.body for answered in one] for one in scored]


@asynccontextmanager
async def running(desk: Desk, limit: int = 100, seconds: float = 60.0) -> AsyncIterator[Worker]:
    worker = Worker(desk.score, desk.store, limit=limit, seconds=seconds)
    worker.start()
    try:
        yield worker
    finally:
        desk.disk.set()
        await worker.stop()


def job(*numbers: int, **more: object) -> ScoreJob:
    return ScoreJob([{"ticket_id": str(number), **more} for number in numbers])


async def begin(worker: Worker, desk: Desk, jobs: Sequence[ScoreJob]) -> list[asyncio.Task[list[bytes]]]:
    """The first job is being stored, the others have arrived."""
    tasks = [asyncio.create_task(worker.run(jobs[0]))]
    await asyncio.to_thread(desk.begun.wait, 60)
    tasks += [asyncio.create_task(worker.run(later)) for later in jobs[1:]]
    await asyncio.sleep(0)
    return tasks


def ids(result: Sequence[bytes]) -> list[str]:
    return [orjson.loads(body)["ticket_id"] for body in result]


def test_one_alone_goes_at_once_and_those_that_come_while_it_is_stored_go_together() -> None:
    desk = Desk()

    async def scenario() -> list[list[bytes]]:
        async with running(desk) as worker:
            tasks = await begin(worker, desk, [job(number) for number in range(9)])
            desk.disk.set()
            results = await asyncio.gather(*tasks)
            assert worker.waiting == 0
            return results

    assert [ids(result) for result in asyncio.run(scenario())] == [[str(number)] for number in range(9)]
    assert (desk.turns, desk.commits) == ([1, 8], [1, 8])


def test_a_disk_that_hangs_does_not_keep_many_from_being_scored_and_they_share_the_next_commit() -> None:
    desk = Desk()

    async def scenario() -> None:
        async with running(desk, limit=1000) as worker:
            tasks = await begin(worker, desk, [job(number) for number in range(1 + 2 * TURN_TICKETS)])
            while sum(desk.turns) <= 2 * TURN_TICKETS:
                await asyncio.sleep(0)
            desk.disk.set()
            await asyncio.gather(*tasks)

    asyncio.run(scenario())
    assert desk.turns == [1, TURN_TICKETS, TURN_TICKETS]
    assert desk.commits == [1, 2 * TURN_TICKETS]


def test_many_tickets_of_one_request_let_others_pass_and_are_answered_by_one_model() -> None:
    desk = Desk()
    desk.disk.set()

    async def scenario() -> list[list[bytes]]:
        async with running(desk, limit=10_000) as worker:
            return await asyncio.gather(worker.run(job(*range(1000))), worker.run(job(7777)))

    many, one = asyncio.run(scenario())
    assert ids(many) == [str(number) for number in range(1000)]
    assert len({orjson.loads(body)["model"] for body in many}) == 1
    assert orjson.loads(one[0])["model"] <= 2, "it waited for the whole of the other request"
    assert max(desk.turns) == TURN_TICKETS


def test_long_tickets_take_a_turn_of_their_own() -> None:
    desk = Desk()
    desk.disk.set()

    async def scenario() -> None:
        async with running(desk) as worker:
            await worker.run(job(*range(6), description="x" * 100_000))

    asyncio.run(scenario())
    assert desk.turns == [2, 2, 2]


def test_beyond_the_limit_a_request_is_refused_at_once() -> None:
    desk = Desk()

    async def scenario() -> None:
        async with running(desk, limit=2) as worker:
            tasks = await begin(worker, desk, [job(1), job(2)])
            with pytest.raises(Problem, match="Too many tickets are waiting") as caught:
                await worker.run(job(3))
            assert (caught.value.status_code, caught.value.headers) == (503, {"Retry-After": "1"})
            desk.disk.set()
            await asyncio.gather(*tasks)
            await worker.run(job(4))

    asyncio.run(scenario())


def test_a_disk_that_hangs_is_given_up_on() -> None:
    desk = Desk()

    async def scenario() -> None:
        async with running(desk, seconds=0.01) as worker:
            with pytest.raises(Problem, match="The answer took too long") as caught:
                await worker.run(job(1))
            assert (caught.value.status_code, caught.value.headers) == (503, {"Retry-After": "5"})

    asyncio.run(scenario())


def test_while_the_disk_hangs_no_more_is_held_than_the_limit_and_what_was_given_up_on_is_not_stored() -> None:
    desk = Desk()

    async def scenario() -> None:
        async with running(desk, limit=3, seconds=0.05) as worker:
            tasks = await begin(worker, desk, [job(1), job(2)])
            results = await asyncio.gather(*tasks, worker.run(job(3)), return_exceptions=True)
            assert [str(result) for result in results] == [str(results[0])] * 3
            assert worker.waiting == 3
            with pytest.raises(Problem, match="Too many tickets are waiting"):
                await worker.run(job(4))
            desk.disk.set()
            while worker.waiting:
                await asyncio.sleep(0)
            worker._seconds = 60
            assert ids(await worker.run(job(5))) == ["5"]

    asyncio.run(scenario())
    assert desk.commits == [1, 1]


def test_stopping_does_not_wait_for_a_disk_that_hangs() -> None:
    desk = Desk()

    async def scenario() -> None:
        worker = Worker(desk.score, desk.store, limit=100, seconds=0.01, stop_seconds=0.05)
        worker.start()
        with pytest.raises(Problem, match="The answer took too long"):
            await worker.run(job(1))
        await asyncio.wait_for(worker.stop(), 5)
        assert worker.waiting == 1
        desk.disk.set()
        await asyncio.to_thread(worker._thread.join, 60)

    asyncio.run(scenario())


def test_an_error_reaches_its_own_request_alone() -> None:
    desk = Desk()
    desk.disk.set()

    async def scenario() -> list[Any]:
        async with running(desk) as worker:
            jobs = [job(1), job(2, bad=True), job(3)]
            return await asyncio.gather(*(worker.run(each) for each in jobs), return_exceptions=True)

    first, second, third = asyncio.run(scenario())
    assert (ids(first), str(second), ids(third)) == (["1"], "no", ["3"])


def test_work_goes_on_after_scoring_fell_over() -> None:
    desk = Desk()
    desk.disk.set()

    async def scenario() -> list[bytes]:
        async with running(desk) as worker:
            with pytest.raises(ArithmeticError, match="scoring fell over"):
                await worker.run(job(1, breaks=True))
            return await worker.run(job(2))

    assert ids(asyncio.run(scenario())) == ["2"]


def test_a_request_that_gave_up_is_not_worked_on() -> None:
    desk = Desk()

    async def scenario() -> None:
        async with running(desk) as worker:
            tasks = await begin(worker, desk, [job(1), job(2), job(3)])
            tasks[1].cancel()
            await asyncio.sleep(0)
            desk.disk.set()
            await asyncio.gather(tasks[0], tasks[2])

    asyncio.run(scenario())
    assert desk.turns == [1, 1]


def test_stopping_finishes_what_waits() -> None:
    desk = Desk()

    async def scenario() -> list[list[bytes]]:
        async with running(desk) as worker:
            tasks = await begin(worker, desk, [job(1), job(2)])
        return await asyncio.gather(*tasks)

    assert [ids(result) for result in asyncio.run(scenario())] == [["1"], ["2"]]
