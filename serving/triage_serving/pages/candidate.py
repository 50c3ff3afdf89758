"""*Candidate*: why this figure, examples, decisions, and the forms that decide."""

from __future__ import annotations

import asyncio

from fastapi import Request, Response
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.responses import RedirectResponse

from triage_ml.review import ReviewedCandidate, kit_archive, load_candidate, starter_kit
from triage_serving.candidate_schemas import DecisionRequest
from triage_serving.deciding import Asked, decide, unknown_pattern
from triage_serving.pages.guard import Form, form_of, page_router, visitor
from triage_serving.pages.render import attachment, render
from triage_serving.problems import Problem
from triage_serving.services import Services, ServicesDep

__all__ = ["router"]

router = page_router("review")

_LISTS = ("consulted", "informed")


@router.get("/review/candidates/{pattern_id}")
async def candidate(pattern_id: str, request: Request, services: ServicesDep) -> Response:
    """One candidate."""
    found = await asyncio.to_thread(_load, services, pattern_id, request.query_params.get("week"))
    return _show(request, found)


@router.get("/review/candidates/{pattern_id}/kit.zip")
async def kit(pattern_id: str, request: Request, services: ServicesDep) -> Response:
    """What an automation of it begins with, as a draft."""
    found = await asyncio.to_thread(_load, services, pattern_id, None)
    if found is None:
        raise unknown_pattern()
    files = starter_kit(found, request.query_params.get("kind"))
    return attachment(kit_archive(files), f"starter-kit-{found.record.pattern_id}.zip")


@router.post("/review/candidates/{pattern_id}")
async def decision(pattern_id: str, request: Request, services: ServicesDep) -> Response:
    """Decide; the second of two people gets the page again, with what happened meanwhile and what they had typed."""
    fields = await form_of(request)
    revision = fields.pop("revision", "")
    try:
        wanted = _request(fields)
        number = int(revision) if revision.isascii() and revision.isdecimal() and len(revision) < 10 else -1
        asked = Asked(pattern_id, wanted, number, visitor(request).name)
        await asyncio.to_thread(decide, services.store, asked, today=services.calendar.today())
    except Problem as problem:
        if problem.status_code not in (412, 422):
            raise
        found = await asyncio.to_thread(_load, services, pattern_id, fields.get("week"))
        return _show(request, found, problem, fields)
    return RedirectResponse(f"/review/candidates/{pattern_id}#decisions", 303)


def _show(
    request: Request, found: ReviewedCandidate | None, problem: Problem | None = None, typed: Form | None = None
) -> Response:
    if found is None:
        raise unknown_pattern()
    status = problem.status_code if problem else 200
    return render(request, "candidate.html", status=status, one=found, problem=problem, typed=typed or {})


def _load(services: Services, pattern_id: str, week: str | None) -> ReviewedCandidate | None:
    with services.store.read() as connection:
        return load_candidate(
            connection, pattern_id, today=services.calendar.today(), week=week, looking_back=services.looking_back
        )


def _request(fields: Form) -> DecisionRequest:
    """The fields of a form as the API takes them: empty ones left out, names one a line."""
    values: dict[str, object] = {name: text for name, text in fields.items() if text.strip()}
    for name in _LISTS:
        if name in values:
            values[name] = [line.strip() for line in fields[name].splitlines() if line.strip()]
    try:
        return DecisionRequest.model_validate(values)
    except ValidationError as error:
        shown = [_plain(one) for one in error.errors()]
        raise Problem(422, "invalid_request", "The decision is not one that can be taken.", errors=shown) from None


def _plain(error: ErrorDetails) -> dict[str, str]:
    message = error["msg"].removeprefix("Value error, ").replace("`", "")
    return {"location": str(error["loc"][0]) if error["loc"] else "", "message": message}
