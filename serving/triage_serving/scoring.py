"""Tickets to answers, by one model for the whole batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import structlog

from triage_ml.bundle import MODEL_NAME
from triage_ml.store import Prediction, new_id
from triage_ml.text import redact
from triage_serving.champion import Champion, Loaded
from triage_serving.jobs import Result, ScoreJob
from triage_serving.problems import Problem, no_champion

__all__ = ["Scoring"]

#: The requester is never stored, and text is treated apart.
NOT_STORED = frozenset({"ticket_id", "title", "description", "requester_id"})

log = structlog.get_logger("triage.scoring")


class Scoring:
    """Asks the champion, and makes of its answers what leaves and what is stored."""

    def __init__(self, champion: Champion, *, text: Literal["redacted", "none"]) -> None:
        self._champion = champion
        self._keeps_text = text == "redacted"

    def answers(self, jobs: Sequence[ScoreJob], *, now: datetime) -> list[Result]:
        """One result a job: its answers, or why there are none."""
        loaded = self._champion.current
        if loaded is None:
            return [no_champion()] * len(jobs)
        results: list[Result] = [[] for _ in jobs]
        for include_all in (False, True):
            places = [place for place, job in enumerate(jobs) if job.include_all is include_all]
            for place, result in zip(places, _together(loaded, [jobs[place] for place in places]), strict=True):
                results[place] = result
        return [_completed(result, loaded, now) for result in results]

    def rows(
        self, tickets: Sequence[Mapping[str, Any]], answers: Sequence[Mapping[str, Any]], *, now: datetime
    ) -> list[Prediction]:
        """What the store keeps of tickets and their answers: text redacted or left out."""
        kept = [{name: value for name, value in ticket.items() if name not in NOT_STORED} for ticket in tickets]
        if self._keeps_text:
            for name in ("title", "description"):
                for ticket, text in zip(kept, redact([ticket.get(name, "") for ticket in tickets]), strict=True):
                    ticket[name] = text
        return [_row(ticket, answer, now) for ticket, answer in zip(kept, answers, strict=True)]


def _together(loaded: Loaded, jobs: Sequence[ScoreJob]) -> list[Result]:
    """All jobs in one call of the model; one by one where that fails, so that only the culprit does."""
    if not jobs:
        return []
    merged = _asked(loaded, [ticket for job in jobs for ticket in job.tickets], jobs[0].include_all)
    if isinstance(merged, Exception):
        return [merged] if len(jobs) == 1 else [_asked(loaded, job.tickets, job.include_all) for job in jobs]
    rest = iter(merged)
    return [[next(rest) for _ in job.tickets] for job in jobs]


def _asked(loaded: Loaded, tickets: Sequence[Mapping[str, Any]], include_all: bool) -> Result:
    try:
        return loaded.answerer.answer(tickets, include_all=include_all)
    except Exception as error:  # noqa: BLE001 - a ticket that the model can't take must not fail its neighbours
        log.error("answer_failed", kind=type(error).__name__, tickets=len(tickets), version=loaded.version)
        return Problem(500, "answer_failed", "The model could not answer; the request id finds the reason.")


def _completed(result: Result, loaded: Loaded, now: datetime) -> Result:
    if isinstance(result, Exception):
        return result
    model = {"name": MODEL_NAME, "version": loaded.version, "digest": loaded.digest}
    return [
        {"ticket_id": answer["ticket_id"], "prediction_id": new_id(now), "model": model, **answer} for answer in result
    ]


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
