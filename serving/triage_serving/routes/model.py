"""GET /v1/model: who answers."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import Request, Response

from triage_ml.bundle import MODEL_NAME
from triage_serving.champion import Loaded
from triage_serving.conditional import NOT_MODIFIED, unless_known
from triage_serving.requests import guarded_router
from triage_serving.schemas import ModelInfo
from triage_serving.services import ServicesDep

__all__ = ["router"]

router = guarded_router("score")


@router.get("/v1/model", response_model=ModelInfo, responses=NOT_MODIFIED)
async def model(request: Request, services: ServicesDep) -> Response:
    """Champion and challenger, since when they are loaded, what they measured, and the version that was refused last."""
    refused = services.champion.refused
    shown = {
        "champion": _shown(services.champion.current),
        "challenger": _shown(services.challenger.current),
        "refused": {"version": refused.version, "reason": refused.reason} if refused else None,
    }
    return unless_known(request, orjson.dumps(shown))


def _shown(loaded: Loaded | None) -> dict[str, Any] | None:
    if loaded is None:
        return None
    return {
        "name": MODEL_NAME,
        "version": loaded.version,
        "digest": loaded.digest,
        "targets": list(loaded.answerer.targets),
        "loaded_at": loaded.loaded_at,
        "measured": loaded.measured,
    }
