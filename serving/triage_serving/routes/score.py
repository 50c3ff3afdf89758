"""POST /v1/score and /v1/score/batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import Query, Response
from pydantic import StringConstraints

from triage_ml.store import Once
from triage_serving.bodies import BATCH_BYTES
from triage_serving.direct import Direct
from triage_serving.idempotency import OnceDep
from triage_serving.jobs import ScoreJob
from triage_serving.problems import Problem
from triage_serving.requests import guarded_router, links_to
from triage_serving.schemas import Answer, Batch, BatchAnswer, Ticket
from triage_serving.services import Services, ServicesDep

__all__ = ["batch_direct", "batch_router", "direct", "router"]

router = guarded_router("score")
batch_router = guarded_router("score", max_bytes=BATCH_BYTES)

#: A pattern and not a list of choices, for they may come together.
More = Annotated[str, StringConstraints(pattern=r"^(all|similar)(,(all|similar))?$")]
Include = Annotated[
    More | None,
    Query(description="`all`: every class and word; `similar`: resolved tickets like this; or `similar,all`."),
]
SIMILAR = 5
QUERIES = {"include": More}


@router.post("/v1/score", response_model=Answer, responses=links_to("ticket", "ticket_id", "ticket_id"))
async def score(ticket: Ticket, services: ServicesDep, once: OnceDep, include: Include = None) -> Response:
    """Where does this ticket go? The answer is stored before it leaves."""
    tickets = [_given(ticket)]
    (answer,) = await _answers(tickets, services, once, include)
    return Response(answer, media_type="application/json")


@batch_router.post(
    "/v1/score/batch", response_model=BatchAnswer, responses=links_to("ticket", "ticket_id", "answers/0/ticket_id")
)
async def score_batch(batch: Batch, services: ServicesDep, once: OnceDep, include: Include = None) -> Response:
    """Up to 1,000 tickets in one go; answers in the same order."""
    answers = await _answers([_given(ticket) for ticket in batch.tickets], services, once, include)
    return Response(b'{"answers":[' + b",".join(answers) + b"]}", media_type="application/json")


async def _answers(
    tickets: list[dict[str, Any]], services: Services, once: Once | None, include: str | None
) -> list[bytes]:
    more = include.split(",") if include else ()
    answers = await services.worker.run(ScoreJob(tickets, "all" in more, once))
    if "similar" not in more:
        return answers
    similar = await _similar(tickets, services)
    return [
        answer[:-1] + b',"similar":' + orjson.dumps(cases) + b"}"
        for answer, cases in zip(answers, similar, strict=True)
    ]


async def _similar(tickets: list[dict[str, Any]], services: Services) -> Sequence[object]:
    """None each where there is no index, or no time to search it: the answers are stored and must leave."""
    try:
        return await services.similar.nearest(tickets, SIMILAR)
    except Problem:
        return [None] * len(tickets)


def _given(ticket: Ticket) -> dict[str, Any]:
    """The values that were sent; `model_dump` would take longer than the checks did."""
    return {name: value for name, value in ticket.__dict__.items() if value is not None}


direct = Direct("/v1/score", score, Ticket, "score", queries=QUERIES)
batch_direct = Direct("/v1/score/batch", score_batch, Batch, "score", max_bytes=BATCH_BYTES, queries=QUERIES)
