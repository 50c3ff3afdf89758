"""One transaction for everything that a batch of requests leaves behind; they are acknowledged after its commit.

A request with an idempotency key claims it in that transaction. Who finds it taken stores nothing and gets what was
stored for the first one, so a key never has two predictions, also when the first answer was lost on its way. Keys and
outcomes are taken in sorted order, so that two workers never wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

from triage_ml.errors import StoreError
from triage_ml.store import (
    ClosedTicket,
    Connection,
    Store,
    add_outcome,
    add_predictions,
    answers_by_id,
    claim,
    find_request,
)
from triage_serving.jobs import Answered, Job, OutcomeJob, Result, Scored, ScoreJob
from triage_serving.metrics import Metrics
from triage_serving.problems import Problem
from triage_serving.readiness import Readiness
from triage_serving.scoring import Scoring
from triage_serving.shadow import ShadowScorer

__all__ = ["Recording"]

log = structlog.get_logger("triage.recording")


class Recording:
    """The work of the storing thread: claim, store, commit, count."""

    def __init__(
        self, scoring: Scoring, store: Store, metrics: Metrics, shadow: ShadowScorer, readiness: Readiness
    ) -> None:
        self._readiness = readiness
        self._scoring = scoring
        self._store = store
        self._metrics = metrics
        self._shadow = shadow

    def __call__(self, jobs: Sequence[Job], scored: Sequence[Scored]) -> list[Result]:
        """One result a job, durable; a store that fails fails all of them, and a job that can't be stored only itself."""
        self._readiness.committing()
        try:
            results = self._results(jobs, scored)
        except StoreError:
            self._readiness.committed(False)
            raise
        except Exception as error:
            self._readiness.committed(True)  # the store said what it does not like
            if len(jobs) == 1:
                raise
            log.error("commit_failed", kind=type(error).__name__, jobs=len(jobs))
            return [self._alone(*one) for one in zip(jobs, scored, strict=True)]
        self._readiness.committed(True)
        return results

    def _alone(self, job: Job, scored: Scored) -> Result:
        try:
            return self([job], [scored])[0]
        except Exception as error:  # noqa: BLE001 - it must reach its own request and no other
            return error

    def _results(self, jobs: Sequence[Job], scored: Sequence[Scored]) -> list[Result]:
        now = datetime.now(UTC)
        results: list[Result] = [one if isinstance(one, Exception) else [] for one in scored]
        if not any(job.once or _is_fine(result) for job, result in zip(jobs, results, strict=True)):
            return results
        with self._metrics.commit_seconds.time(), self._store.begin() as connection:
            repeated = _claim(connection, jobs, scored, results, now)
            new = [place for place, result in enumerate(results) if place not in repeated and _is_fine(result)]
            tickets, answered = self._add_predictions(connection, jobs, scored, new, now)
            closed = _add_outcomes(connection, jobs, results, new)
            for place, ids in repeated.items():
                results[place] = _as_before(answers_by_id(connection, ids), ids)
        for place in new:
            if isinstance(answers := scored[place], list) and answers:
                results[place] = [one.body for one in answers]
        self._note(tickets, answered, closed)
        return results

    def _note(self, tickets: list[dict[str, Any]], answered: list[Answered], closed: list[ClosedTicket]) -> None:
        """Count, and tell the challenger; it is committed, so nothing in here may fail it."""
        try:
            self._metrics.answered(answered)
            self._metrics.closed(closed)
            self._shadow.offer(tickets, answered)
            self._shadow.closed(closed)
        except Exception as error:  # noqa: BLE001
            log.error("not_counted", kind=type(error).__name__)

    def _add_predictions(
        self,
        connection: Connection,
        jobs: Sequence[Job],
        scored: Sequence[Scored],
        new: Sequence[int],
        now: datetime,
    ) -> tuple[list[dict[str, Any]], list[Answered]]:
        tickets: list[dict[str, Any]] = []
        answered: list[Answered] = []
        for place in new:
            job, answers = jobs[place], scored[place]
            if isinstance(job, ScoreJob) and not isinstance(answers, Exception):
                tickets += job.tickets
                answered += answers
        if tickets:
            rows = self._scoring.rows(tickets, answered, now=now)
            add_predictions(connection, rows, bodies=[self._scoring.kept_body(one) for one in answered])
        return tickets, answered


def _claim(
    connection: Connection,
    jobs: Sequence[Job],
    scored: Sequence[Scored],
    results: list[Result],
    now: datetime,
) -> dict[int, Sequence[str]]:
    """Claim the idempotency keys; returns what was stored for those that are repeats, and refuses other bodies.

    What could not be scored claims nothing, but may be a repeat: what was stored is answered also while there is no champion.
    An outcome that is repeated needs no answer from here: the same outcome is never stored twice anyway.
    """
    repeated: dict[int, Sequence[str]] = {}
    for once, place in sorted((job.once, place) for place, job in enumerate(jobs) if job.once):
        if _is_fine(results[place]):
            earlier = claim(connection, once, _ids(scored[place]), now=now)
        else:
            earlier = find_request(connection, once)
        if earlier is None:
            continue
        fingerprint, ids = earlier
        if fingerprint != once.fingerprint:
            results[place] = Problem(409, "idempotency_conflict", "This Idempotency-Key was used for another request.")
        elif isinstance(jobs[place], ScoreJob):
            repeated[place] = ids
    return repeated


def _add_outcomes(
    connection: Connection, jobs: Sequence[Job], results: list[Result], new: Sequence[int]
) -> list[ClosedTicket]:
    """Store the outcomes; returns those that nobody reported before, with the predictions that they speak about."""
    closed = []
    reported = [
        (job.outcome.fingerprint, place, job.outcome) for place in new if isinstance(job := jobs[place], OutcomeJob)
    ]
    for _, place, outcome in sorted(reported, key=lambda row: row[:2]):
        ticket, is_new = add_outcome(connection, outcome)
        prediction_id = ticket.prediction.prediction_id if ticket.prediction else None
        stored = ticket.outcome
        receipt = {"outcome_id": stored.outcome_id, "ticket_id": stored.ticket_id, "prediction_id": prediction_id}
        results[place] = [orjson.dumps(receipt)]
        if is_new:
            closed.append(ticket)
    return closed


def _as_before(answers: Mapping[str, Mapping[str, Any]], ids: Sequence[str]) -> Result:
    if any(prediction_id not in answers for prediction_id in ids):
        return Problem(
            410, "answer_forgotten", "What was stored for this Idempotency-Key was deleted; take another key."
        )
    return [orjson.dumps(answers[prediction_id]) for prediction_id in ids]


def _ids(scored: Scored) -> list[str]:
    return [] if isinstance(scored, Exception) else [one.answer["prediction_id"] for one in scored]


def _is_fine(result: Result) -> bool:
    return not isinstance(result, Exception)
