"""Score a whole file: stream in, stream out, on all cores, and go on after a kill.

Chunks of tickets go to worker processes that share one memory-mapped bundle; each writes the answers of its chunk as a
part, and at the end the parts become the output, in the order of the input. At most a few chunks are in memory at a time.
Small files are scored here, without workers: starting them takes seconds.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from triage_ml import __version__
from triage_ml.answer.answerer import Answerer, load_answerer
from triage_ml.answer.outputs import write_output
from triage_ml.answer.parts import Parts, file_digest, write_part
from triage_ml.answer.recogniser import Recogniser
from triage_ml.answer.stages import Stages
from triage_ml.answer.table import score_table
from triage_ml.errors import TriageError
from triage_ml.patterns import load_book
from triage_ml.settings import Settings
from triage_ml.tickets import TicketChunk, stream_tickets

__all__ = ["CHUNK_TICKETS", "BulkJob", "Scored", "score_file"]

#: Tickets in a chunk: large enough that handing it over costs nothing, small enough to lose little to a kill.
CHUNK_TICKETS = 4096

_WORTH_WORKERS = 16  # chunks: one process does them while others would start
_WAITING = 2  # chunks a worker


@dataclass(frozen=True)
class BulkJob:
    """What is scored, by which model, into which file.

    `book` is the digest of a published pattern bundle, `automations` are those in force, `recogniser` is the folder of what
    says where they may act; see `Answerer`.
    """

    tickets: Path
    out: Path
    bundle: Path
    settings: Settings
    book: str | None = None
    automations: dict[str, dict[str, Any]] = field(default_factory=dict)
    recogniser: Path | None = None
    chunk_tickets: int = CHUNK_TICKETS

    def answerer(self) -> Answerer:
        """The answerer, read from disk."""
        patterns = load_book(self.settings.paths.bundles, self.book) if self.book else None
        recogniser = Recogniser.read(self.recogniser) if self.recogniser and self.automations else None
        return load_answerer(
            self.bundle, self.settings, patterns=patterns, automations=self.automations, recogniser=recogniser
        )

    def depends_on(self, model: str) -> dict[str, Any]:
        """All that the answers depend on, as plain JSON."""
        rules = self.settings.decision.rules
        return {
            "version": __version__,
            "model": model,
            "input": file_digest(self.tickets),
            "decision": self.settings.decision.model_dump(mode="json"),
            "rules": None if rules is None else file_digest(rules),
            "patterns": self.book,
            "automations": self.automations,
            "recogniser": None if self.recogniser is None else self.recogniser.name,
            "chunk_tickets": self.chunk_tickets,
        }


@dataclass(frozen=True)
class Scored:
    """What came of it: how many tickets and of each action, how many were done before, seconds by stage, summed over
    workers."""

    tickets: int
    resumed: int
    actions: dict[str, int]
    seconds: dict[str, float]
    digest: str


class Pool(Protocol):
    """Where chunks are scored."""

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Begin with it."""
        ...


def score_file(
    job: BulkJob,
    *,
    workers: int | None = None,
    resume: bool = True,
    progress: Callable[[int, float], None] = lambda done, share: None,
) -> Scored:
    """Score `job.tickets` into `job.out`, one row a ticket, in their order; columns as `score_table`.

    Parameters
    ----------
    workers
        Processes; by default as many as there are cores for this process.
    resume
        Use what an earlier, unfinished run with the same model, input and settings has done.
    progress
        Told after each chunk how many tickets are done and which share of the file that is, 0 to 1.

    Raises
    ------
    InputError
        The file can't be read; the parts that are done stay for the next run.
    """
    answerer, stages = job.answerer(), Stages()
    parts = Parts(job.out, job.depends_on(answerer.digest), resume=resume)
    chunks = stream_tickets(job.tickets, rows=job.chunk_tickets)
    first = stages.timed("read", lambda: list(islice(chunks, _WORTH_WORKERS + 1)))
    count = workers or _cores()
    alone = count == 1 or len(first) <= _WORTH_WORKERS
    run = _Run(job, parts, stages, progress)
    with _here(answerer) if alone else _workers(job, count) as pool:
        run.score(chain(first, chunks), pool, most=1 if alone else count * _WAITING)
    actions = stages.timed("write", lambda: write_output(job.out, parts.tables(run.chunks)))
    parts.remove()
    return Scored(run.tickets, run.resumed, actions, stages.seconds, answerer.digest)


class _Run:
    """The loop: hand out what is not done, wait for the oldest when enough are under way."""

    def __init__(self, job: BulkJob, parts: Parts, stages: Stages, progress: Callable[[int, float], None]) -> None:
        self._job, self._parts, self._stages, self._progress = job, parts, stages, progress
        self._under_way: deque[tuple[TicketChunk, Future[dict[str, float]]]] = deque()
        self.chunks = self.tickets = self.resumed = 0

    def score(self, chunks: Iterator[TicketChunk], pool: Pool, *, most: int) -> None:
        while (chunk := self._stages.timed("read", lambda: next(chunks, None))) is not None:
            self.chunks += 1
            self.tickets += len(chunk.frame)
            if self._parts.is_done(chunk.number):
                self.resumed += len(chunk.frame)
                continue
            future = pool.submit(_score_chunk, chunk.frame, self._parts.path(chunk.number))
            self._under_way.append((chunk, future))
            if len(self._under_way) >= most:
                self._finish_one()
        while self._under_way:
            self._finish_one()

    def _finish_one(self) -> None:
        chunk, future = self._under_way.popleft()
        try:
            self._stages.add(future.result())
        except BrokenProcessPool:
            raise TriageError(
                "A worker process was ended from outside, perhaps for want of memory.",
                hint="What is done is kept: the same command goes on from there. --workers 1 needs least memory.",
            ) from None
        self._progress(chunk.number * self._job.chunk_tickets + len(chunk.frame), chunk.share)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _SamePlace:
    """A pool without processes."""

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args))
        return future


def _here(answerer: Answerer) -> AbstractContextManager[Pool]:
    _mine.answerer = answerer
    return nullcontext(_SamePlace())


def _workers(job: BulkJob, count: int) -> AbstractContextManager[Pool]:
    context = multiprocessing.get_context("spawn")  # forking a process that has threads may lock up
    return ProcessPoolExecutor(count, mp_context=context, initializer=_start_worker, initargs=(job,))


class _Mine:
    """What a process scores with."""

    answerer: Answerer


_mine = _Mine()


def _start_worker(job: BulkJob) -> None:
    """Read the bundle, memory-mapped; one thread each, because the processes are the parallelism."""
    import signal

    import pyarrow as pa
    from threadpoolctl import threadpool_limits

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that hands out the work
    threadpool_limits(1)
    pa.set_cpu_count(1)
    _mine.answerer = job.answerer()


def _score_chunk(frame: pd.DataFrame, path: Path) -> dict[str, float]:
    stages = Stages()
    answers = score_table(_mine.answerer, frame, stages=stages)
    stages.timed("write", lambda: write_part(path, answers))
    return stages.seconds
