"""POST /v1/score and /v1/score/batch."""

from __future__ import annotations

from typing import Annotated, Literal

import orjson
from fastapi import Query, Response

from triage_serving.idempotency import OnceDep
from triage_serving.jobs import ScoreJob
from triage_serving.requests import BATCH_BYTES, guarded_router
from triage_serving.schemas import Answer, Batch, BatchAnswer, Ticket
from triage_serving.services import ServicesDep

__all__ = ["batch_router", "router"]

router = guarded_router("score")
batch_router = guarded_router("score", max_bytes=BATCH_BYTES)

Include = Annotated[Literal["all"] | None, Query(description="`all` classes as alternatives.")]


@router.post("/v1/score", response_model=Answer)
async def score(ticket: Ticket, services: ServicesDep, once: OnceDep, include: Include = None) -> Response:
    """Where does this ticket go? The answer is stored before it leaves."""
    job = ScoreJob([ticket.model_dump(exclude_none=True)], include == "all", once)
    (answer,) = await services.worker.run(job)
    return Response(orjson.dumps(answer), media_type="application/json")


@batch_router.post("/v1/score/batch", response_model=BatchAnswer)
async def score_batch(batch: Batch, services: ServicesDep, once: OnceDep, include: Include = None) -> Response:
    """Up to 1,000 tickets in one go; answers in the same order."""
    job = ScoreJob([ticket.model_dump(exclude_none=True) for ticket in batch.tickets], include == "all", once)
    answers = await services.worker.run(job)
    return Response(orjson.dumps({"answers": answers}), media_type="application/json")
