"""*This week*: the list, sorted and filtered by address."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from fastapi import Request, Response

from triage_ml.review import ReviewedWeek, load_week
from triage_ml.store import Store, mined_weeks
from triage_serving.pages.filters import PAGE_SIZE, View, choices
from triage_serving.pages.guard import page_router
from triage_serving.pages.render import render
from triage_serving.problems import Problem
from triage_serving.services import ServicesDep

__all__ = ["router"]

router = page_router("review")


@router.get("/review")
async def this_week(request: Request, services: ServicesDep) -> Response:
    """The latest list."""
    return await _page(request, services.store, None)


@router.get("/review/weeks/{week}")
async def one_week(week: str, request: Request, services: ServicesDep) -> Response:
    """The list of a week."""
    return await _page(request, services.store, week)


async def _page(request: Request, store: Store, week: str | None) -> Response:
    listed, weeks = await asyncio.to_thread(_load, store, week)
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
    )


def _load(store: Store, week: str | None) -> tuple[ReviewedWeek | None, list[str]]:
    with store.read() as connection:
        return load_week(connection, week, today=datetime.now(UTC).date()), mined_weeks(connection)[::-1]
