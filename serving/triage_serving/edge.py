"""The outermost layer of every request: an id, one log line, one measurement, safe headers, and no error past it."""

from __future__ import annotations

import os
import re
import time
import traceback
from collections.abc import Sequence
from random import Random

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from triage_serving.direct import Direct
from triage_serving.problems import to_problem
from triage_serving.services import Services
from triage_serving.tracing import name_span

__all__ = ["Edge"]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
SAFE_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
]
#: Where an answer says nothing else: what is about a ticket is kept by nobody on the way.
NO_STORE = (b"cache-control", b"no-store")
QUIET = frozenset({"/livez", "/readyz", "/metrics"})
#: How a log and a metric name a request whose client hung up before its body was there.
CLIENT_GONE = 499

#: Ids tell requests apart and protect nothing, so they need no system call each.
_random = Random()  # noqa: S311
os.register_at_fork(after_in_child=_random.seed)

log = structlog.get_logger("triage.requests")


class Edge:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, services: Services, direct: Sequence[Direct]) -> None:
        self._app = app
        self._services = services
        self._metrics = services.metrics
        self._direct = {route.path: route for route in direct}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0
        started = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = message["headers"]
                kept = () if any(name == NO_STORE[0] for name, _ in given) else (NO_STORE,)
                message["headers"] = [*given, *SAFE_HEADERS, *kept, (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            direct = self._direct.get(scope["path"]) if scope["method"] == "POST" else None
            name_span(scope, direct.path if direct else None, request_id)
            if direct is not None:
                await direct(self._services, scope, receive, send_with_headers)
            else:
                await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            status = CLIENT_GONE
        except Exception as error:  # noqa: BLE001 - the last place where an error can still become an honest answer
            _log_failure(error, request_id)
            if status == 0:
                await to_problem(error).response(request_id)(scope, receive, send_with_headers)
        finally:
            self._note(scope, request_id, status, time.perf_counter() - started)

    def _note(self, scope: Scope, request_id: str, status: int, seconds: float) -> None:
        path = getattr(scope.get("route"), "path", "unknown")
        method = scope["method"] if path != "unknown" else "any"
        self._metrics.request(path, method, status, seconds)
        if path not in QUIET:
            log.info(
                "request", request_id=request_id, route=path, method=method, status=status, ms=round(seconds * 1000, 2)
            )


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(given := value.decode("latin-1")):
            return str(given)
    return f"{_random.getrandbits(64):016x}"


def _log_failure(error: Exception, request_id: str) -> None:
    """Where it failed, not what was said there: a message may quote the ticket."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    where = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    log.error("request_failed", request_id=request_id, kind=type(error).__name__, where=where)
