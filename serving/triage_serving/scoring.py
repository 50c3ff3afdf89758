"""One batch of jobs: answered by one model, stored in one transaction, acknowledged after its commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import structlog

from triage_ml.bundle import MODEL_NAME
from triage_ml.store import Prediction, Store, add_predictions, new_id
from triage_ml.text import redact
from triage_serving.champion import Champion, Loaded
from triage_serving.metrics import Metrics
from triage_serving.problems import Problem, no_champion
from triage_serving.scorer import Job

__all__ = ["Scoring"]

#: The requester is never stored, and text is treated apart.
NOT_STORED = frozenset({"ticket_id", "title", "description", "requester_id"})

log = structlog.get_logger("triage.scoring")


class Scoring:
    """The work of the scorer thread."""

    def __init__(
        self, champion: Champion, store: Store, metrics: Metrics, *, text: Literal["redacted", "none"]
    ) -> None:
        self._champion = champion
        self._store = store
        self._metrics = metrics
        self._keeps_text = text == "redacted"

    def __call__(self, jobs: Sequence[Job]) -> list[list[dict[str, Any]] | Exception]:
        """Answers a job, or the error of that job alone; a store that fails fails all of them."""
        loaded = self._champion.current
        if loaded is None:
            raise no_champion()
        results = self._together(loaded, jobs)
        self._store_all(jobs, results)
        return results

    def _together(self, loaded: Loaded, jobs: Sequence[Job]) -> list[list[dict[str, Any]] | Exception]:
        """All jobs in one call of the model for each way of asking; one by one where that fails."""
        results: list[list[dict[str, Any]] | Exception] = [[] for _ in jobs]
        for include_all in (False, True):
            chosen = [place for place, job in enumerate(jobs) if job.include_all is include_all]
            merged = Job([ticket for place in chosen for ticket in jobs[place].tickets], include_all)
            if not merged.tickets:
                continue
            answers = self._answered(loaded, merged)
            if isinstance(answers, Exception):
                for place in chosen:
                    results[place] = self._answered(loaded, jobs[place])
                continue
            rest = iter(answers)
            for place in chosen:
                results[place] = [next(rest) for _ in jobs[place].tickets]
        return results

    def _answered(self, loaded: Loaded, job: Job) -> list[dict[str, Any]] | Exception:
        try:
            answers = loaded.answerer.answer(job.tickets, include_all=job.include_all)
        except Exception as error:  # noqa: BLE001 - a ticket that the model can't take must not fail its neighbours
            log.error("answer_failed", kind=type(error).__name__, tickets=len(job.tickets), version=loaded.version)
            return Problem(500, "answer_failed", "The model could not answer; the request id finds the reason.")
        self._metrics.answered(answers)
        model = {"name": MODEL_NAME, "version": loaded.version, "digest": loaded.digest}
        now = datetime.now(UTC)
        return [_completed(answer, new_id(now), model) for answer in answers]

    def _store_all(self, jobs: Sequence[Job], results: Sequence[list[dict[str, Any]] | Exception]) -> None:
        answered = [
            pair
            for job, result in zip(jobs, results, strict=True)
            if not isinstance(result, Exception)
            for pair in zip(job.tickets, result, strict=True)
        ]
        if not answered:
            return
        now = datetime.now(UTC)
        kept = self._kept([ticket for ticket, _ in answered])
        rows = [_row(ticket, answer, now) for ticket, (_, answer) in zip(kept, answered, strict=True)]
        with self._metrics.commit_seconds.time(), self._store.begin() as connection:
            add_predictions(connection, rows)

    def _kept(self, tickets: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """What the store keeps of tickets: text redacted or left out."""
        kept = [{name: value for name, value in ticket.items() if name not in NOT_STORED} for ticket in tickets]
        if self._keeps_text:
            for name in ("title", "description"):
                for ticket, text in zip(kept, redact([ticket.get(name, "") for ticket in tickets]), strict=True):
                    ticket[name] = text
        return kept


def _row(kept: Mapping[str, Any], answer: Mapping[str, Any], now: datetime) -> Prediction:
    return Prediction(
        prediction_id=answer["prediction_id"],
        ticket_id=answer["ticket_id"],
        stored_at=now,
        model_version=answer["model"]["version"],
        digest=answer["model"]["digest"],
        action=answer["decision"]["action"],
        reason=answer["decision"]["reason"],
        ticket=kept,
        answer=answer,
    )


def _completed(answer: Mapping[str, Any], prediction_id: str, model: Mapping[str, str]) -> dict[str, Any]:
    ids = {"ticket_id": answer["ticket_id"], "prediction_id": prediction_id, "model": model}
    return ids | {name: value for name, value in answer.items() if name not in ids}
