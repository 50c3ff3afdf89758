"""POST /v1/score and /v1/score/batch."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query, Response

from triage_serving.bodies import BATCH_BYTES
from triage_serving.direct import Direct
from triage_serving.idempotency import OnceDep
from triage_serving.jobs import ScoreJob
from triage_serving.requests import guarded_router
from triage_serving.schemas import Answer, Batch, BatchAnswer, Ticket
from triage_serving.services import ServicesDep

__all__ = ["batch_direct", "batch_router", "direct", "router"]

router = guarded_router("score")
batch_router = guarded_router("score", max_bytes=BATCH_BYTES)

Include = Annotated[Literal["all"] | None, Query(description="`all` classes as alternatives.")]
QUERIES = {"include": Literal["all"]}


@router.post("/v1/score", response_model=Answer)
async def score(ticket: Ticket, services: ServicesDep, once: OnceDep, include: Include = None) -> Response:
    """Where does this ticket go? The answer is stored before it leaves."""
    (answer,) = await services.worker.run(ScoreJob([_given(ticket)], include == "all", once))
    return Response(answer, media_type="application/json")


@batch_router.post("/v1/score/batch", response_model=BatchAnswer)
async def score_batch(batch: Batch, services: ServicesDep, once: OnceDep, include: Include = None) -> Response:
    """Up to 1,000 tickets in one go; answers in the same order."""
    job = ScoreJob([_given(ticket) for ticket in batch.tickets], include == "all", once)
    answers = await services.worker.run(job)
    return Response(b'{"answers":[' + b",".join(answers) + b"]}", media_type="application/json")


def _given(ticket: Ticket) -> dict[str, Any]:
    """The values that were sent; `model_dump` would take longer than the checks did."""
    return {name: value for name, value in ticket.__dict__.items() if value is not None}


direct = Direct("/v1/score", score, Ticket, "score", queries=QUERIES)
batch_direct = Direct("/v1/score/batch", score_batch, Batch, "score", max_bytes=BATCH_BYTES, queries=QUERIES)
