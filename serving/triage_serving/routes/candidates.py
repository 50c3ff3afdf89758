"""GET /v1/candidates, /v1/candidates/{pattern_id} and POST …/decisions: the weekly list, and what people decide on it."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated

import orjson
from fastapi import Header, Query, Request, Response

from triage_ml.review import ReviewedCandidate, ReviewedWeek, load_candidate, load_week
from triage_serving.candidate_schemas import CandidateBody, DecisionRequest, WeekBody
from triage_serving.conditional import NOT_MODIFIED, unless_known
from triage_serving.deciding import Asked, decide, unknown_pattern
from triage_serving.idempotency import OnceDep
from triage_serving.problems import Problem
from triage_serving.requests import guarded_router, links_to
from triage_serving.schemas import Identifier
from triage_serving.services import Services, ServicesDep

__all__ = ["router"]

router = guarded_router("review")

WeekQuery = Annotated[
    str | None, Query(pattern=r"^\d{4}-W\d{2}$", description="ISO week such as 2026-W47; by default the latest.")
]
IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=100, include_in_schema=False)]
#: It must be there; that it is missing is answered 428, and not 422 as FastAPI would where it knew that.
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of the candidate that was read.",
    "schema": {"type": "string", "maxLength": 100},
}
_ETAG = re.compile(r'"(\d{1,9})"')


@router.get(
    "/v1/candidates",
    response_model=WeekBody,
    responses=NOT_MODIFIED | links_to("candidate", "pattern_id", "candidates/0/pattern_id"),
)
async def candidates(request: Request, services: ServicesDep, week: WeekQuery = None) -> Response:
    """One week's list, most hours first, with the status that each pattern has today."""
    listed = await asyncio.to_thread(_week, services, week)
    if listed is None:
        raise Problem(404, "not_mined", "This week was not mined." if week else "No week has been mined yet.")
    return unless_known(request, orjson.dumps(listed.as_json()))


@router.get(
    "/v1/candidates/{pattern_id}",
    response_model=CandidateBody,
    operation_id="candidate",
    responses=links_to("decision", "pattern_id", "pattern_id", header={"If-Match": "ETag"}),
)
async def candidate(pattern_id: Identifier, services: ServicesDep, week: WeekQuery = None) -> Response:
    """One pattern: figures of the latest list that has it, where it stands, and every decision. Its ETag is for If-Match."""
    found = await asyncio.to_thread(_candidate, services, pattern_id, week)
    if found is None:
        raise unknown_pattern()
    return _answer(found)


@router.post(
    "/v1/candidates/{pattern_id}/decisions",
    response_model=CandidateBody,
    status_code=201,
    operation_id="decision",
    openapi_extra={"parameters": [IF_MATCH]},
    responses={
        412: {"description": "Somebody decided, or the list was mined again, meanwhile."},
        428: {"description": "If-Match is missing."},
    },
)
async def decision(
    pattern_id: Identifier,
    body: DecisionRequest,
    request: Request,
    services: ServicesDep,
    once: OnceDep,
    if_match: IfMatch = None,
) -> Response:
    """Decide. Decisions are appended, never changed; `undo` takes the latest one back."""
    if if_match is None:
        raise Problem(428, "precondition_required", "Send If-Match with the ETag of the candidate that you read.")
    match = _ETAG.fullmatch(if_match.strip())
    asked = Asked(pattern_id, body, int(match[1]) if match else -1, _who(request))
    await asyncio.to_thread(decide, services.store, asked, today=services.calendar.today(), once=once)
    decided = await asyncio.to_thread(_candidate, services, pattern_id, None)
    if decided is None:
        raise unknown_pattern()
    return _answer(decided, status=201)


def _who(request: Request) -> str:
    key = request.state.key
    return str(key.name or key.key_id)


def _answer(found: ReviewedCandidate, status: int = 200) -> Response:
    headers = {"ETag": f'"{found.standing.revision}"'}
    return Response(orjson.dumps(found.as_json()), status, headers, media_type="application/json")


def _week(services: Services, week: str | None) -> ReviewedWeek | None:
    with services.store.read() as connection:
        return load_week(connection, week, today=services.calendar.today(), looking_back=services.looking_back)


def _candidate(services: Services, pattern_id: str, week: str | None) -> ReviewedCandidate | None:
    with services.store.read() as connection:
        return load_candidate(
            connection, pattern_id, today=services.calendar.today(), week=week, looking_back=services.looking_back
        )
