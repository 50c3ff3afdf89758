"""*This week*: the list, sorted and filtered by address."""

from __future__ import annotations

import asyncio

from fastapi import Request, Response

from triage_ml.review import FORMATS, ReviewedWeek, load_week, week_document
from triage_ml.store import mined_weeks
from triage_serving.pages.filters import PAGE_SIZE, View, choices
from triage_serving.pages.guard import page_router
from triage_serving.pages.render import attachment, render
from triage_serving.problems import Problem
from triage_serving.services import Services, ServicesDep

__all__ = ["router"]

router = page_router("review")


@router.get("/review")
async def this_week(request: Request, services: ServicesDep) -> Response:
    """The latest list."""
    return await _page(request, services, None)


@router.get("/review/weeks/{week}")
async def one_week(week: str, request: Request, services: ServicesDep) -> Response:
    """The list of a week."""
    return await _page(request, services, week)


@router.get("/review/weeks/{week}/list.{kind}")
async def week_file(week: str, kind: str, services: ServicesDep) -> Response:
    """The list of a week to take away."""
    listed, _ = await asyncio.to_thread(_load, services, week)
    chosen = next((one for one in FORMATS if one == kind), None)
    if listed is None or chosen is None:
        raise Problem(404, "not_found", "There is no such file.")
    body = await asyncio.to_thread(week_document, listed, chosen, services.automations.book)
    return attachment(body, f"weekly-list-{listed.week}.{chosen}")


async def _page(request: Request, services: Services, week: str | None) -> Response:
    listed, weeks = await asyncio.to_thread(_load, services, week)
    if listed is None:
        if week is not None:
            raise Problem(404, "not_mined", "This week was not mined.")
        return render(request, "empty.html")
    view = View.of(request.query_params)
    found = view.apply(listed.candidates, listed.week)
    start = (view.page - 1) * PAGE_SIZE
    shown = found[start : start + PAGE_SIZE]
    return render(
        request,
        "week.html",
        week=listed,
        weeks=weeks,
        view=view,
        choices=choices(listed.candidates),
        candidates=shown,
        found=len(found),
        pages=-(-len(found) // PAGE_SIZE),
        longest=max((one["hours"]["p90"] for one in shown), default=0.0),
        open_hours=listed.hours,
        formats=FORMATS,
    )


def _load(services: Services, week: str | None) -> tuple[ReviewedWeek | None, list[str]]:
    with services.store.read() as connection:
        listed = load_week(connection, week, today=services.calendar.today(), looking_back=services.looking_back)
        return listed, mined_weeks(connection)[::-1]
