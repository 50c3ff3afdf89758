"""The app, put together from its collaborators. Nothing happens at import; threads start with the lifespan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from triage_ml import __version__
from triage_ml.errors import TriageError
from triage_ml.settings import Serving, Settings
from triage_ml.store import Store
from triage_ml.taxonomy import load_taxonomy
from triage_serving import api_docs, pages
from triage_serving.auth import REFRESH_SECONDS, KeyRing
from triage_serving.automations import Automations
from triage_serving.bundles import BundleFolder
from triage_serving.champion import Answerer, Champion
from triage_serving.draining import announced
from triage_serving.edge import Edge
from triage_serving.housekeeping import Housekeeping
from triage_serving.metrics import Metrics
from triage_serving.periodic import Periodic
from triage_serving.problems import handle_error, named_problems
from triage_serving.proxy import ProxyTrust
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
from triage_serving.tracing import TELEMETRY, are_asked_for
from triage_serving.worker import Worker

__all__ = ["LoadAnswerer", "create_app"]

HOUSEKEEPING_SECONDS = 3600.0
WAITING_SECONDS = 2.0

log = structlog.get_logger("triage.app")

LoadAnswerer = Callable[[Path, Settings], Answerer]


class _App(FastAPI):
    """FastAPI behind our own outermost layer: its four layers take a tenth of the time of a request that needs none of them."""

    front: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.front is not None and scope["type"] == "http":
            scope["app"] = self
            await self.front(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    async def behind(self, scope: Scope, receive: Receive, send: Send) -> None:
        """FastAPI as it is."""
        await super().__call__(scope, receive, send)


def create_app(settings: Settings, *, store: Store, registry: Registry, load_answerer: LoadAnswerer) -> FastAPI:
    """The scoring service over a store, a registry and a loader of model bundles."""
    services = _services(settings, store, registry, load_answerer)
    app = _App(
        title="triage-ml",
        version=__version__,
        summary="Where does this ticket go?",
        lifespan=_lifespan(services, settings.serving),
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
        telemetry=TELEMETRY,
        responses={"4XX": {"model": ProblemBody}, "5XX": {"model": ProblemBody}},
    )
    document = app.openapi
    app.openapi = lambda: named_problems(document())  # type: ignore[method-assign]
    app.state.services = services
    direct = [score.direct, score.batch_direct, outcomes.direct]
    if are_asked_for():
        app.add_middleware(
            Edge, services=services, direct=direct
        )  # below FastAPI's span, so that ours are its children
    else:
        app.front = Edge(app.behind, services=services, direct=direct)
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
    for router in (*routes, health.router, api_docs.router, *pages.routers()):
        app.include_router(router)
    return app


def _services(settings: Settings, store: Store, registry: Registry, load_answerer: LoadAnswerer) -> Services:
    metrics = Metrics()
    automations = Automations(store, settings.paths.bundles, settings.calendar)
    champion = Champion(
        registry,
        BundleFolder(settings.paths.bundles),
        lambda folder: load_answerer(folder, settings),
        report=metrics.reloaded,
        dress=automations.dress,
    )
    scoring = Scoring(champion, text=settings.store.text)
    challenger = Champion(
        registry,
        BundleFolder(settings.paths.bundles),
        lambda folder: load_answerer(folder, settings),
        report=lambda result, _version: metrics.reloads.labels(f"challenger_{result}").inc(),
        role="challenger",
    )
    shadow = ShadowScorer(challenger, store, metrics, limit=settings.serving.max_shadow)
    readiness = Readiness(champion, store)
    worker = Worker(
        scoring,
        Recording(scoring, store, metrics, shadow, readiness),
        limit=settings.serving.max_waiting,
        seconds=settings.serving.request_seconds,
    )
    return Services(
        store=store,
        keys=KeyRing(store, limit=RateLimit(settings.serving.requests_per_second)),
        proxy=ProxyTrust(settings.serving.proxy_addresses, settings.serving.proxy_header, settings.serving.proxy_scope),
        champion=champion,
        challenger=challenger,
        shadow=shadow,
        similar=Similar(settings.paths.home),
        worker=worker,
        metrics=metrics,
        readiness=readiness,
        automations=automations,
        housekeeping=Housekeeping(settings, store, BundleFolder(settings.paths.bundles), (champion, challenger)),
        taxonomy=load_taxonomy(settings.taxonomy.file),
        calendar=settings.calendar,
        baseline=settings.report.baseline,
    )


def _followers(services: Services, seconds: float) -> list[Periodic]:
    """What is followed, each source in a thread of its own: one that hangs keeps no other from being seen."""

    def registry() -> None:
        _try(services.champion.poll)
        _try(services.challenger.poll)

    return [
        Periodic("registry", seconds, registry),
        Periodic("automations", seconds, lambda: services.automations.poll(services.champion)),
        Periodic("drift", seconds, lambda: services.metrics.drift.follow(services.store)),
        Periodic("similar", seconds, services.similar.poll),
        Periodic("keys", REFRESH_SECONDS, services.keys.refresh),
        Periodic("waiting", WAITING_SECONDS, services.note_waiting),
        Periodic("housekeeping", HOUSEKEEPING_SECONDS, services.housekeeping),
    ]


def _try(poll: Callable[[], None]) -> None:
    try:
        poll()
    except Exception as error:  # noqa: BLE001 - a champion that breaks the poll must not keep the challenger from being seen
        log.error("poll_failed", kind=type(error).__name__)


def _lifespan(services: Services, serving: Serving) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        followers = _followers(services, serving.poll_seconds)
        _try(lambda: services.automations.poll(services.champion))  # the first answer heeds them already
        services.champion.start_from_disk()
        services.worker.start()
        for follower in followers:
            follower.start()
        shadow = asyncio.create_task(services.shadow.run(services.worker))
        try:
            with announced(services.readiness, serving.unready_seconds):
                yield
        finally:
            services.readiness.draining = True
            shadow.cancel()
            for follower in followers:
                follower.stop()
            await services.worker.stop()
            services.keys.note_uses(timeout=2.0)

    return lifespan
