"""POST /v1/similar: how tickets like this one were resolved."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query

from triage_serving.requests import guarded_router
from triage_serving.schemas import SimilarCases, Ticket
from triage_serving.services import ServicesDep

__all__ = ["router"]

router = guarded_router("score")


@router.post("/v1/similar", response_model=SimilarCases)
async def similar(
    ticket: Ticket,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=50, description="Most cases.")] = 5,
) -> dict[str, Any]:
    """The nearest resolved tickets, never this one, with what resolved them; redacted. Nothing is stored."""
    (cases,) = await services.similar.nearest([ticket.model_dump(exclude_none=True)], limit)
    return {"ticket_id": ticket.ticket_id, "similar": cases}
