"""/livez, /readyz and /metrics; they need no key."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from triage_serving.problems import Problem
from triage_serving.services import ServicesDep

__all__ = ["router"]

router = APIRouter()


@router.get("/livez")
async def livez() -> dict[str, str]:
    """The process answers."""
    return {"status": "alive"}


@router.get("/readyz")
async def readyz(services: ServicesDep) -> dict[str, str]:
    """A model is loaded, the store takes writes, and nobody asked the service to stop."""
    reasons = await services.readiness.reasons()
    if reasons:
        raise Problem(503, reasons[0], f"Not ready: {', '.join(reasons)}.", headers={"Retry-After": "5"})
    return {"status": "ready"}


@router.get("/metrics", response_class=Response)
async def metrics(services: ServicesDep) -> Response:
    """For Prometheus."""
    services.note_waiting()
    return Response(services.metrics.page(), media_type=CONTENT_TYPE_LATEST)
