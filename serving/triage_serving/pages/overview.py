"""*Patterns*, *Service levels* and *Routing*: what is known, how the desk works, and whether answers were right."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import Request, Response

from triage_ml.review import (
    FORMATS,
    PatternLine,
    levels_document,
    load_patterns,
    load_shadow_figures,
    load_week,
    routing_figures,
    routing_weeks,
    week_map,
)
from triage_ml.store import ClosedTicket, Connection, Store, closed_tickets
from triage_serving.pages.guard import page_router
from triage_serving.pages.render import attachment, render
from triage_serving.problems import Problem
from triage_serving.services import Services, ServicesDep

__all__ = ["router"]

router = page_router("review")

#: Routing is judged by what was closed since.
LOOKED_AT = timedelta(weeks=12)


@router.get("/review/patterns")
async def patterns(request: Request, services: ServicesDep) -> Response:
    """Every pattern that was ever found, and where it stands."""
    text = request.query_params.get("text", "")[:200]
    lines, drawn = await asyncio.to_thread(_patterns, services)
    words = text.casefold().split()
    found = [line for line in lines if all(word in line.title.casefold() for word in words)]
    counts = Counter(line.status for line in lines)
    return render(request, "patterns.html", lines=found[:1000], found=len(found), text=text, counts=counts, map=drawn)


@router.get("/review/service-levels")
async def service_levels(request: Request, services: ServicesDep) -> Response:
    """Work by tier and week, and how far it moved down."""
    levels = await asyncio.to_thread(_levels, services)
    return render(request, "service_levels.html", levels=levels, formats=FORMATS)


@router.get("/review/service-levels/levels.{kind}")
async def levels_file(kind: str, services: ServicesDep) -> Response:
    """Service levels to take away."""
    levels = await asyncio.to_thread(_levels, services)
    chosen = next((one for one in FORMATS if one == kind), None)
    if levels is None or chosen is None:
        raise Problem(404, "not_found", "There is no such file.")
    return attachment(levels_document(levels, chosen), f"service-levels.{chosen}")


@router.get("/review/routing")
async def routing(request: Request, services: ServicesDep) -> Response:
    """Whether the answers were right, as reported at closure."""
    figures, weeks, shadow = await asyncio.to_thread(_routing, services.store)
    champion, challenger = services.champion.current, services.challenger.current
    return render(
        request, "routing.html", figures=figures, weeks=weeks, shadow=shadow, champion=champion, challenger=challenger
    )


def _patterns(services: Services) -> tuple[list[PatternLine], str | None]:
    today = services.calendar.today()
    with services.store.read() as connection:
        lines = load_patterns(connection, today=today)
        listed = load_week(connection, None, today=today)
    return lines, None if listed is None else week_map(listed, services.automations.book)


def _levels(services: Services) -> dict[str, Any] | None:
    with services.store.read() as connection:
        levels = services.looking_back.levels(connection, services.taxonomy, services.baseline)
        if levels is not None:
            levels["routing"] = routing_figures(_recently_closed(connection))
    return levels


def _routing(store: Store) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    with store.read() as connection:
        closed = _recently_closed(connection)
        return routing_figures(closed), routing_weeks(closed), load_shadow_figures(connection, closed)


def _recently_closed(connection: Connection) -> list[ClosedTicket]:
    return closed_tickets(connection, since=datetime.now(UTC) - LOOKED_AT)
