"""What the routes work with, made once by `create_app` and found through the request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from starlette.types import Scope

from triage_ml.review import LookingBack
from triage_ml.settings import Calendar

if TYPE_CHECKING:
    from triage_ml.store import ApiKey, Store
    from triage_ml.taxonomy import Taxonomy
    from triage_serving.auth import KeyRing
    from triage_serving.automations import Automations
    from triage_serving.champion import Champion
    from triage_serving.housekeeping import Housekeeping
    from triage_serving.metrics import Metrics
    from triage_serving.proxy import ProxyTrust
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
    proxy: ProxyTrust
    champion: Champion
    challenger: Champion
    shadow: ShadowScorer
    similar: Similar
    worker: Worker
    metrics: Metrics
    readiness: Readiness
    automations: Automations
    housekeeping: Housekeeping
    taxonomy: Taxonomy
    calendar: Calendar = field(default_factory=Calendar)
    baseline: tuple[str, str] | None = None
    looking_back: LookingBack = field(default_factory=LookingBack)

    def note_waiting(self) -> None:
        """Show how much waits; of several workers each must do so, for only one of them is asked for `/metrics`."""
        self.metrics.waiting.set(self.worker.waiting)
        self.metrics.shadow_waiting.set(self.shadow.waiting)

    def person(self, scope: Scope) -> ApiKey | None:
        """Whom a trusted proxy signed in, or None; `scope` is the ASGI scope of the request."""
        client = scope.get("client")
        return self.proxy.person(client[0] if client else None, scope["headers"])


def services_of(request: Request) -> Services:
    """The services of the app that this request reached."""
    services: Services = request.app.state.services
    return services


async def _services(request: Request) -> Services:
    return services_of(request)


ServicesDep = Annotated[Services, Depends(_services)]
