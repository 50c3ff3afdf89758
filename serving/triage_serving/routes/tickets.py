"""GET /v1/tickets/{id}: what was answered for a ticket, and what became of it."""

from __future__ import annotations

import asyncio
from typing import Any

from triage_ml.store import Outcome, Prediction, outcomes_of_ticket, predictions_of_ticket
from triage_serving.problems import Problem
from triage_serving.requests import guarded_router
from triage_serving.schemas import Identifier, TicketHistory
from triage_serving.services import Services, ServicesDep

__all__ = ["router"]

router = guarded_router("score")


@router.get(
    "/v1/tickets/{ticket_id:path}",
    response_model=TicketHistory,
    response_model_exclude_unset=True,
    operation_id="ticket",
)
async def ticket(ticket_id: Identifier, services: ServicesDep) -> dict[str, Any]:
    """The latest predictions and outcomes of a ticket, newest first."""
    predictions, outcomes = await asyncio.to_thread(_stored, services, ticket_id)
    if not predictions and not outcomes:
        raise Problem(404, "unknown_ticket", "Nothing is stored for this ticket.")
    answers = [{"stored_at": row.stored_at, "answer": row.answer} for row in predictions]
    return {"ticket_id": ticket_id, "predictions": answers, "outcomes": [vars(row) for row in outcomes]}


def _stored(services: Services, ticket_id: str) -> tuple[list[Prediction], list[Outcome]]:
    with services.store.read() as connection:
        return predictions_of_ticket(connection, ticket_id), outcomes_of_ticket(connection, ticket_id)
