"""POST /v1/outcomes: what became of a ticket."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import Response

from triage_ml.store import Outcome, new_id
from triage_serving.direct import Direct
from triage_serving.idempotency import OnceDep
from triage_serving.jobs import OutcomeJob
from triage_serving.requests import guarded_router, links_to
from triage_serving.schemas import OutcomeReceipt, OutcomeReport
from triage_serving.services import ServicesDep

__all__ = ["direct", "router"]

router = guarded_router("score")


@router.post("/v1/outcomes", response_model=OutcomeReceipt, responses=links_to("ticket", "ticket_id", "ticket_id"))
async def outcome(report: OutcomeReport, services: ServicesDep, once: OnceDep) -> Response:
    """Report how a ticket ended. The same report twice is one outcome; one for an unknown ticket is kept."""
    now = datetime.now(UTC)
    reported = Outcome(outcome_id=new_id(now), received_at=now, **report.model_dump())
    (receipt,) = await services.worker.run(OutcomeJob(reported, once))
    return Response(receipt, media_type="application/json")


direct = Direct("/v1/outcomes", outcome, OutcomeReport, "score")
