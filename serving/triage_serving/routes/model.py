"""GET /v1/model: who answers."""

from __future__ import annotations

from typing import Any

from triage_ml.bundle import MODEL_NAME
from triage_serving.champion import Loaded
from triage_serving.requests import guarded_router
from triage_serving.schemas import ModelInfo
from triage_serving.services import ServicesDep

__all__ = ["router"]

router = guarded_router("score")


@router.get("/v1/model", response_model=ModelInfo)
async def model(services: ServicesDep) -> dict[str, Any]:
    """The champion, since when it is loaded, and the version that was refused last."""
    refused = services.champion.refused
    return {
        "champion": _shown(services.champion.current),
        "challenger": _shown(services.challenger.current),
        "refused": {"version": refused.version, "reason": refused.reason} if refused else None,
    }


def _shown(loaded: Loaded | None) -> dict[str, Any] | None:
    if loaded is None:
        return None
    return {
        "name": MODEL_NAME,
        "version": loaded.version,
        "digest": loaded.digest,
        "targets": list(loaded.answerer.targets),
        "loaded_at": loaded.loaded_at,
    }
