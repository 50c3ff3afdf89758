"""*Patterns*, *Service levels* and *Routing*: what is known, how the desk works, and whether answers were right."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from fastapi import Request, Response

from triage_ml.review import PatternLine, load_patterns, load_service_levels, routing_figures
from triage_ml.store import Store, closed_tickets
from triage_serving.pages.guard import page_router
from triage_serving.pages.render import render
from triage_serving.services import Services, ServicesDep

__all__ = ["router"]

router = page_router("review")


@router.get("/review/patterns")
async def patterns(request: Request, services: ServicesDep) -> Response:
    """Every pattern that was ever found, and where it stands."""
    text = request.query_params.get("text", "")[:200]
    lines = await asyncio.to_thread(_patterns, services.store)
    words = text.casefold().split()
    found = [line for line in lines if all(word in line.title.casefold() for word in words)]
    counts = Counter(line.status for line in lines)
    return render(request, "patterns.html", lines=found[:1000], found=len(found), text=text, counts=counts)


@router.get("/review/service-levels")
async def service_levels(request: Request, services: ServicesDep) -> Response:
    """Work by tier and week, and how far it moved down."""
    levels = await asyncio.to_thread(_levels, services)
    return render(request, "service_levels.html", levels=levels)


@router.get("/review/routing")
async def routing(request: Request, services: ServicesDep) -> Response:
    """Whether the answers were right, as reported at closure."""
    figures = await asyncio.to_thread(_routing, services.store)
    return render(request, "routing.html", figures=figures, champion=services.champion.current)


def _patterns(store: Store) -> list[PatternLine]:
    with store.read() as connection:
        return load_patterns(connection, today=datetime.now(UTC).date())


def _levels(services: Services) -> dict[str, Any] | None:
    with services.store.read() as connection:
        return load_service_levels(connection, services.taxonomy)


def _routing(store: Store) -> list[dict[str, Any]]:
    with store.read() as connection:
        return routing_figures(closed_tickets(connection))
