"""One transaction for everything that a batch of requests leaves behind; they are acknowledged after its commit.

A request with an idempotency key claims it in that transaction. Who finds it taken stores nothing and gets what was
stored for the first one, so a key never has two predictions, also when the first answer was lost on its way. Keys and
outcomes are taken in sorted order, so that two workers never wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from triage_ml.store import (
    ClosedTicket,
    Store,
    add_outcome,
    add_predictions,
    answers_by_id,
    claim,
    joined_prediction,
)
from triage_serving.jobs import Job, OutcomeJob, Result, ScoreJob
from triage_serving.metrics import Metrics
from triage_serving.problems import Problem
from triage_serving.scoring import Scoring

__all__ = ["Recording"]


class Recording:
    """The work of the worker thread: score, store, commit, count."""

    def __init__(self, scoring: Scoring, store: Store, metrics: Metrics) -> None:
        self._scoring = scoring
        self._store = store
        self._metrics = metrics

    def __call__(self, jobs: Sequence[Job]) -> list[Result]:
        """One result a job, durable; a store that fails fails all of them."""
        now = datetime.now(UTC)
        results = self._first_results(jobs, now)
        if all(isinstance(result, Exception) for result in results):
            return results
        with self._metrics.commit_seconds.time(), self._store.begin() as connection:
            repeated = _claim(connection, jobs, results, now)
            new = [place for place, result in enumerate(results) if place not in repeated and _is_fine(result)]
            self._add_predictions(connection, jobs, results, new, now)
            closed = _add_outcomes(connection, jobs, results, new)
            for place, ids in repeated.items():
                results[place] = [dict(answer) for answer in answers_by_id(connection, ids)]
        for place in new:
            self._metrics.stored(jobs[place], results[place])
        self._metrics.closed(closed)
        return results

    def _first_results(self, jobs: Sequence[Job], now: datetime) -> list[Result]:
        """Answers to the score jobs; outcomes get theirs in the transaction."""
        scores = [job for job in jobs if isinstance(job, ScoreJob)]
        answered = iter(self._scoring.answers(scores, now=now) if scores else [])
        return [next(answered) if isinstance(job, ScoreJob) else [] for job in jobs]

    def _add_predictions(
        self,
        connection: sa.Connection,
        jobs: Sequence[Job],
        results: Sequence[Result],
        new: Sequence[int],
        now: datetime,
    ) -> None:
        tickets: list[dict[str, Any]] = []
        answers: list[dict[str, Any]] = []
        for place in new:
            job, result = jobs[place], results[place]
            if isinstance(job, ScoreJob) and not isinstance(result, Exception):
                tickets += job.tickets
                answers += result
        if tickets:
            add_predictions(connection, self._scoring.rows(tickets, answers, now=now))


def _claim(
    connection: sa.Connection, jobs: Sequence[Job], results: list[Result], now: datetime
) -> dict[int, Sequence[str]]:
    """Claim the idempotency keys; returns what was stored for those that are repeats, and refuses other bodies.

    An outcome that is repeated needs no answer from here: the same outcome is never stored twice anyway.
    """
    repeated: dict[int, Sequence[str]] = {}
    claims = sorted((job.once, place) for place, job in enumerate(jobs) if job.once and _is_fine(results[place]))
    for once, place in claims:
        earlier = claim(connection, once, _ids(results[place]), now=now)
        if earlier is None:
            continue
        fingerprint, ids = earlier
        if fingerprint != once.fingerprint:
            results[place] = Problem(409, "idempotency_conflict", "This Idempotency-Key was used for another request.")
        elif isinstance(jobs[place], ScoreJob):
            repeated[place] = ids
    return repeated


def _add_outcomes(
    connection: sa.Connection, jobs: Sequence[Job], results: list[Result], new: Sequence[int]
) -> list[ClosedTicket]:
    """Store the outcomes; returns those that nobody reported before, with the predictions that they speak about."""
    closed = []
    reported = [
        (job.outcome.fingerprint, place, job.outcome) for place in new if isinstance(job := jobs[place], OutcomeJob)
    ]
    for _, place, outcome in sorted(reported, key=lambda row: row[:2]):
        stored, is_new = add_outcome(connection, outcome)
        prediction = joined_prediction(connection, stored)
        prediction_id = prediction.prediction_id if prediction else None
        results[place] = [
            {"outcome_id": stored.outcome_id, "ticket_id": stored.ticket_id, "prediction_id": prediction_id}
        ]
        if is_new:
            closed.append(ClosedTicket(stored, prediction))
    return closed


def _ids(result: Result) -> list[str]:
    return [] if isinstance(result, Exception) else [answer["prediction_id"] for answer in result]


def _is_fine(result: Result) -> bool:
    return not isinstance(result, Exception)
