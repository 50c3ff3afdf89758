"""What the routes work with, made once by `create_app` and found through the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

if TYPE_CHECKING:
    from triage_ml.store import Store
    from triage_ml.taxonomy import Taxonomy
    from triage_serving.auth import KeyRing
    from triage_serving.automations import Automations
    from triage_serving.champion import Champion
    from triage_serving.metrics import Metrics
    from triage_serving.readiness import Readiness
    from triage_serving.shadow import ShadowScorer
    from triage_serving.similar import Similar
    from triage_serving.worker import Worker

__all__ = ["Services", "ServicesDep", "services_of"]


@dataclass(frozen=True)
class Services:
    """The collaborators of all routes."""

    store: Store
    keys: KeyRing
    champion: Champion
    challenger: Champion
    shadow: ShadowScorer
    similar: Similar
    worker: Worker
    metrics: Metrics
    readiness: Readiness
    automations: Automations
    taxonomy: Taxonomy


def services_of(request: Request) -> Services:
    """The services of the app that this request reached."""
    services: Services = request.app.state.services
    return services


async def _services(request: Request) -> Services:
    return services_of(request)


ServicesDep = Annotated[Services, Depends(_services)]
