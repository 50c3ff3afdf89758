"""Tickets to answers, by one model for all tickets of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Literal

import orjson
import structlog

from triage_ml.bundle import MODEL_NAME
from triage_ml.store import Prediction, new_id
from triage_ml.text import redact
from triage_serving.champion import Champion, Loaded
from triage_serving.jobs import Answered, Part, Scored
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

    def __call__(self, parts: Sequence[Part]) -> list[Scored]:
        """One entry a part: its answers, or why there are none."""
        for part in parts:
            part.model = part.model or self._champion.current
        groups: dict[tuple[int, bool], list[int]] = {}
        for place, part in enumerate(parts):
            groups.setdefault((id(part.model), part.include_all), []).append(place)
        scored: list[Scored] = [[] for _ in parts]
        for places in groups.values():
            for place, result in zip(places, _together([parts[place] for place in places]), strict=True):
                scored[place] = result
        return scored

    def rows(
        self, tickets: Sequence[Mapping[str, Any]], answers: Sequence[Answered], *, now: datetime
    ) -> list[Prediction]:
        """What the store keeps of tickets and their answers: text redacted or left out."""
        kept = [{name: value for name, value in ticket.items() if name not in NOT_STORED} for ticket in tickets]
        if self._keeps_text:
            for name in ("title", "description"):
                written = [place for place, ticket in enumerate(tickets) if ticket.get(name)]
                for place, text in zip(written, redact([tickets[place][name] for place in written]), strict=True):
                    kept[place][name] = text
        return [_row(ticket, answer, now) for ticket, answer in zip(kept, answers, strict=True)]

    def kept_body(self, answered: Answered) -> bytes:
        """The answer as it is stored: without the words that speak for it where no words of tickets are kept."""
        if self._keeps_text:
            return answered.body
        targets = {target: {**said, "because": []} for target, said in answered.answer["targets"].items()}
        return orjson.dumps({**answered.answer, "targets": targets})


def _together(parts: Sequence[Part]) -> list[Scored]:
    """All parts in one call of their model; one by one where that fails, so that only the culprit does."""
    merged = _asked(parts[0], [ticket for part in parts for ticket in part.tickets])
    if isinstance(merged, Exception):
        return [merged] if len(parts) == 1 else [_asked(part, part.tickets) for part in parts]
    rest = iter(merged)
    return [list(islice(rest, len(part.tickets))) for part in parts]


def _asked(part: Part, tickets: Sequence[Mapping[str, Any]]) -> Scored:
    loaded: Loaded | None = part.model
    if loaded is None:
        return no_champion()
    try:
        answers = loaded.answerer.answer(tickets, include_all=part.include_all)
    except Exception as error:  # noqa: BLE001 - a ticket that the model can't take must not fail its neighbours
        log.error("answer_failed", kind=type(error).__name__, tickets=len(tickets), version=loaded.version)
        return Problem(500, "answer_failed", "The model could not answer; the request id finds the reason.")
    return _completed(answers, loaded)


def _completed(answers: Sequence[Mapping[str, Any]], loaded: Loaded) -> list[Answered]:
    now = datetime.now(UTC)
    model = {"name": MODEL_NAME, "version": loaded.version, "digest": loaded.digest}
    completed = []
    for answer in answers:
        full = {"ticket_id": answer["ticket_id"], "prediction_id": new_id(now), "model": model, **answer}
        completed.append(Answered(full, orjson.dumps(full)))
    return completed


def _row(kept: Mapping[str, Any], answered: Answered, now: datetime) -> Prediction:
    answer = answered.answer
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
