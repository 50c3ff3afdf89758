"""Requests that arrive together are worked on together; one alone never waits.

Scoring runs on the event loop, in turns of at most `TURN_TICKETS`; storing has a thread of its own. Python runs one thread at
a time: with scoring in a thread, too, every system call of the loop waited up to 5 ms to get its turn back, and a worker
answered a third of what it does now. The storing thread waits for the disk, and does little else.

While a commit is under way the next tickets gather: load makes the batches, no timer does. A request with many tickets is
scored a slice a turn, and those with one go in between.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from triage_serving.jobs import Job, Part, Result, Scored, ScoreJob, characters_of
from triage_serving.problems import busy, too_slow
from triage_serving.tracing import trace_steps, traced_since

__all__ = ["Worker"]

#: Most tickets, and about how many characters, that are scored before the event loop looks at its sockets again.
TURN_TICKETS = 128
TURN_CHARACTERS = 200_000
#: While a commit is under way, a turn waits for it unless so many tickets are there.
ENOUGH = 32

Score = Callable[[Sequence[Part]], Sequence[Scored]]
Store = Callable[[Sequence[Job], Sequence[Scored]], Sequence[Result]]


class _Waiting:
    """A job on its way: what of it is scored, by which model, and where its result goes."""

    __slots__ = ("include_all", "job", "model", "result", "scored", "scored_ns", "tickets")

    def __init__(self, job: Job, result: asyncio.Future[list[bytes]]) -> None:
        self.job = job
        self.result = result
        self.tickets = job.tickets if isinstance(job, ScoreJob) else ()
        self.include_all = isinstance(job, ScoreJob) and job.include_all
        self.scored: Scored = []
        self.model: object = None
        self.scored_ns = 0

    @property
    def left(self) -> int:
        """How many of its tickets are not scored yet."""
        return 0 if isinstance(self.scored, Exception) else len(self.tickets) - len(self.scored)

    def next_part(self, most: int) -> Part:
        """Up to `most` of the tickets that are left, fewer where they are long."""
        begin = end = len(self.tickets) - self.left
        characters = 0
        while end < min(begin + most, len(self.tickets)) and characters < TURN_CHARACTERS:
            characters += characters_of(self.tickets[end])
            end += 1
        return Part(self.tickets[begin:end], self.include_all, self.model, characters)

    def take(self, part: Part, scored: Scored) -> None:
        """Keep what a part came to; the rest of the job is asked of the same model."""
        self.model = part.model
        if isinstance(scored, Exception) or isinstance(self.scored, Exception):
            self.scored = scored
        else:
            self.scored.extend(scored)


class Worker:
    """Scores jobs on the event loop and stores them in a thread, as many at once as are waiting.

    Parameters
    ----------
    score
        Parts of jobs to answers, one entry a part; it sets each part's `model`.
    store
        Jobs and their answers to results, which are durable; a result that is an exception is raised in its request.
    limit
        How many tickets and outcomes may wait or be worked on; beyond it `run` raises a 503 problem.
    seconds
        How long a job may take; beyond it, too. It is not acknowledged, and only stored where that had begun. Until the storing
        thread is past it, it counts as waiting: a database that hangs must not let jobs pile up.
    stop_seconds
        How long `stop` waits for the storing thread.
    """

    def __init__(
        self, score: Score, store: Store, *, limit: int, seconds: float = 30.0, stop_seconds: float = 5.0
    ) -> None:
        self._score = score
        self._store = store
        self._limit = limit
        self._seconds = seconds
        self._stop_seconds = stop_seconds
        self._asked = 0
        self._arrived: deque[_Waiting] = deque()
        self._turn_is_due = False
        self._storing = 0
        self._to_store: queue.SimpleQueue[list[_Waiting] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._store_all, name="store", daemon=True)
        self.waiting = 0

    def start(self) -> None:
        """Start the storing thread; call it on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Finish what somebody waits for, then end the thread."""
        while self._asked:
            await asyncio.sleep(0.005)
        self._to_store.put(None)
        await asyncio.to_thread(self._thread.join, self._stop_seconds)

    async def run(self, job: Job) -> list[bytes]:
        """The result of a job, once it is durable."""
        if self.waiting + job.size > self._limit:
            raise busy()
        self.waiting += job.size
        self._asked += 1
        traced = traced_since()
        waiting = _Waiting(job, self._loop.create_future())
        # A timer that ends the future: asyncio.timeout would cost every request as much as reading its head.
        timer = self._loop.call_later(self._seconds, _give_up, waiting.result)
        try:
            self._arrived.append(waiting)
            self._make_turn_due()
            result = await waiting.result
        finally:
            timer.cancel()
            self._asked -= 1
        if traced is not None:
            trace_steps(traced, waiting.scored_ns, job.size)
        return result

    def _make_turn_due(self) -> None:
        if self._arrived and not self._turn_is_due and not (self._storing and self._are_few()):
            self._turn_is_due = True
            self._loop.call_soon(self._turn)

    def _are_few(self) -> bool:
        return sum(waiting.left or 1 for waiting in self._arrived) < ENOUGH

    def _turn(self) -> None:
        """Score what there is, up to the limits of a turn, and pass on the jobs that are complete."""
        self._turn_is_due = False
        taken = self._take()
        asked = [(waiting, part) for waiting, part in taken if part.tickets]
        for (waiting, part), scored in zip(asked, self._scored([part for _, part in asked]), strict=True):
            waiting.take(part, scored)
        self._arrived.extend(waiting for waiting, _ in taken if waiting.left)
        if complete := [waiting for waiting, _ in taken if not waiting.left]:
            now = time.time_ns()
            for waiting in complete:
                waiting.scored_ns = now
            self._storing += 1
            self._to_store.put(complete)
        self._make_turn_due()

    def _take(self) -> list[tuple[_Waiting, Part]]:
        taken: list[tuple[_Waiting, Part]] = []
        tickets = characters = 0
        while self._arrived and tickets < TURN_TICKETS and characters < TURN_CHARACTERS:
            waiting = self._arrived.popleft()
            if waiting.result.done():  # who asked has gone, or was told that it takes too long
                self.waiting -= waiting.job.size
                continue
            part = waiting.next_part(TURN_TICKETS - tickets)
            taken.append((waiting, part))
            tickets += len(part.tickets) or 1
            characters += part.characters
        return taken

    def _scored(self, parts: Sequence[Part]) -> Sequence[Scored]:
        try:
            return self._score(parts) if parts else []
        except Exception as error:  # noqa: BLE001 - whatever it is, it must reach the requests and not end the turns
            return [error] * len(parts)

    def _store_all(self) -> None:
        while (turns := self._complete_turns()) is not None:
            batch = [waiting for turn in turns for waiting in turn]
            wanted = [waiting for waiting in batch if not waiting.result.done()]
            results = self._stored(wanted) if wanted else ()
            self._loop.call_soon_threadsafe(self._deliver, len(turns), batch, wanted, results)

    def _complete_turns(self) -> list[list[_Waiting]] | None:
        """Wait for one turn that was scored, then take what else is there; None at the end."""
        turns: list[list[_Waiting]] = []
        while not turns or not self._to_store.empty():
            turn = self._to_store.get()
            if turn is None:
                self._to_store.put(None)  # also for the next look
                break
            turns.append(turn)
        return turns or None

    def _stored(self, batch: Sequence[_Waiting]) -> Sequence[Result]:
        try:
            return self._store([waiting.job for waiting in batch], [waiting.scored for waiting in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, it must reach the requests and not end the thread
            return [error] * len(batch)

    def _deliver(
        self, turns: int, batch: Sequence[_Waiting], wanted: Sequence[_Waiting], results: Sequence[Result]
    ) -> None:
        self._storing -= turns
        self.waiting -= sum(waiting.job.size for waiting in batch)
        for waiting, result in zip(wanted, results, strict=True):
            if waiting.result.done():
                continue
            if isinstance(result, Exception):
                waiting.result.set_exception(result)
            else:
                waiting.result.set_result(result)
        self._make_turn_due()


def _give_up(result: asyncio.Future[list[bytes]]) -> None:
    if not result.done():
        result.set_exception(too_slow())
