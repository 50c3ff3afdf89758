"""The app, put together from its collaborators. Nothing happens at import; threads start with the lifespan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException

from triage_ml import __version__
from triage_ml.errors import TriageError
from triage_ml.settings import Settings
from triage_ml.store import Store
from triage_ml.taxonomy import load_taxonomy
from triage_serving import pages
from triage_serving.auth import REFRESH_SECONDS, KeyRing
from triage_serving.automations import Automations
from triage_serving.bundles import BundleFolder
from triage_serving.champion import Answerer, Champion
from triage_serving.edge import Edge
from triage_serving.idempotency import forget_old_requests
from triage_serving.metrics import Metrics
from triage_serving.periodic import Periodic
from triage_serving.problems import handle_error, named_problems
from triage_serving.rates import RateLimit
from triage_serving.readiness import Readiness
from triage_serving.recording import Recording
from triage_serving.registry import Registry
from triage_serving.routes import candidates, health, model, outcomes, score, similar, tickets
from triage_serving.schemas import ProblemBody
from triage_serving.scoring import Scoring
from triage_serving.services import Services
from triage_serving.shadow import ShadowScorer
from triage_serving.similar import Similar
from triage_serving.worker import Worker

__all__ = ["LoadAnswerer", "create_app"]

HOUSEKEEPING_SECONDS = 3600.0

#: OpenTelemetry spans where the environment configures an exporter (FASTAPI_OTEL_AUTO_CONFIGURE=true), one a request. No logs:
#: they would hold the messages of exceptions, and those may quote a ticket.
TELEMETRY: TelemetryConfig = {"tracing": True, "metrics": False, "logs": False, "operation_spans": False}

LoadAnswerer = Callable[[Path, Settings], Answerer]


def create_app(settings: Settings, *, store: Store, registry: Registry, load_answerer: LoadAnswerer) -> FastAPI:
    """The scoring service over a store, a registry and a loader of model bundles."""
    services = _services(settings, store, registry, load_answerer)
    app = FastAPI(
        title="triage-ml",
        version=__version__,
        summary="Where does this ticket go?",
        lifespan=_lifespan(services, settings.serving.poll_seconds),
        redirect_slashes=False,
        telemetry=TELEMETRY,
        responses={"4XX": {"model": ProblemBody}, "5XX": {"model": ProblemBody}},
    )
    document = app.openapi
    app.openapi = lambda: named_problems(document())  # type: ignore[method-assign]
    app.state.services = services
    app.add_middleware(Edge, services=services, direct=[score.direct, score.batch_direct, outcomes.direct])
    for kind in (HTTPException, RequestValidationError, TriageError):
        app.add_exception_handler(kind, handle_error)
    routes = (
        score.batch_router,
        score.router,
        outcomes.router,
        similar.router,
        tickets.router,
        model.router,
        candidates.router,
    )
    for router in (*routes, health.router, *pages.routers()):
        app.include_router(router)
    return app


def _services(settings: Settings, store: Store, registry: Registry, load_answerer: LoadAnswerer) -> Services:
    metrics = Metrics()
    automations = Automations(store, settings.paths.bundles)
    champion = Champion(
        registry,
        BundleFolder(settings.paths.bundles),
        lambda folder: automations.dress(load_answerer(folder, settings)),
        report=lambda result: metrics.reloads.labels(result).inc(),
    )
    scoring = Scoring(champion, text=settings.store.text)
    challenger = Champion(
        registry,
        BundleFolder(settings.paths.bundles),
        lambda folder: load_answerer(folder, settings),
        report=lambda result: metrics.reloads.labels(f"challenger_{result}").inc(),
        role="challenger",
    )
    shadow = ShadowScorer(challenger, store, metrics, limit=settings.serving.max_shadow)
    worker = Worker(
        scoring,
        Recording(scoring, store, metrics, shadow),
        limit=settings.serving.max_waiting,
        seconds=settings.serving.request_seconds,
    )
    return Services(
        store=store,
        keys=KeyRing(store, limit=RateLimit(settings.serving.requests_per_second)),
        champion=champion,
        challenger=challenger,
        shadow=shadow,
        similar=Similar(settings.paths.home),
        worker=worker,
        metrics=metrics,
        readiness=Readiness(champion, store),
        automations=automations,
        taxonomy=load_taxonomy(settings.taxonomy.file),
    )


def _follow(services: Services) -> None:
    """One thread for all, so that a new model never comes with old automations."""
    services.automations.poll(services.champion)
    services.champion.poll()
    services.challenger.poll()
    services.similar.poll()


def _lifespan(services: Services, poll_seconds: float) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        followers = [
            Periodic("champion", poll_seconds, lambda: _follow(services)),
            Periodic("keys", REFRESH_SECONDS, services.keys.refresh),
            Periodic("housekeeping", HOUSEKEEPING_SECONDS, lambda: forget_old_requests(services.store)),
        ]
        services.champion.start_from_disk()
        services.worker.start()
        for follower in followers:
            follower.start()
        shadow = asyncio.create_task(services.shadow.run(services.worker))
        try:
            yield
        finally:
            services.readiness.draining = True
            shadow.cancel()
            for follower in followers:
                follower.stop()
            await services.worker.stop()
            services.keys.refresh()

    return lifespan
