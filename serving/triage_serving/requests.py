"""What stands before a route: the key is checked before the body is read, and the body is read with a limit.

FastAPI reads and parses a body before it looks at dependencies, so a dependency would let a stranger make us parse
megabytes. A route class of our own asks for the key first. JSON goes through pydantic's parser: it refuses deep nesting
and lone surrogates, where the standard library's falls over or passes them on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic_core import from_json

from triage_ml.store import Scope
from triage_serving.problems import Problem
from triage_serving.services import services_of

__all__ = ["BATCH_BYTES", "BODY_BYTES", "guarded_router"]

BODY_BYTES = 2 * 1024**2
BATCH_BYTES = 16 * 1024**2
BODY_SECONDS = 20.0

Handler = Callable[[Request], Awaitable[Response]]


def guarded_router(scope: Scope, *, max_bytes: int = BODY_BYTES) -> APIRouter:
    """A router whose routes need a key of `scope` and read at most `max_bytes`."""

    class GuardedRoute(APIRoute):
        def get_route_handler(self) -> Any:
            handler: Handler = super().get_route_handler()

            async def guarded(request: Request) -> Response:
                keys = services_of(request).keys
                request.state.key = await keys.authorise(request.headers.get("authorization"), scope)
                return await handler(BoundedRequest(request, max_bytes))

            return guarded

    shown = HTTPBearer(auto_error=False, description=f"An API key with scope `{scope}` (or `admin`).")
    return APIRouter(route_class=GuardedRoute, dependencies=[Security(shown)])


class BoundedRequest(Request):
    """A request that reads at most `max_bytes`, in at most `BODY_SECONDS`."""

    def __init__(self, request: Request, max_bytes: int) -> None:
        super().__init__(request.scope, request.receive)
        self._max_bytes = max_bytes

    async def body(self) -> bytes:
        """The whole body; 413 as soon as it is known to be too large."""
        if not hasattr(self, "_body"):
            declared = self.headers.get("content-length", "0")
            if declared.isdecimal() and int(declared) > self._max_bytes:
                raise self._too_large()
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    self._body = await self._read()
            except TimeoutError:
                raise Problem(408, "body_too_slow", f"The body did not arrive within {BODY_SECONDS:g} s.") from None
        return self._body

    async def json(self) -> Any:
        """The body as JSON; 400 where it is none."""
        try:
            return from_json(await self.body(), allow_inf_nan=False)
        except ValueError:
            raise Problem(400, "invalid_json", "The body is not valid JSON in UTF-8.") from None

    async def _read(self) -> bytes:
        chunks = bytearray()
        async for chunk in self.stream():
            chunks += chunk
            if len(chunks) > self._max_bytes:
                raise self._too_large()
        return bytes(chunks)

    def _too_large(self) -> Problem:
        detail = f"The body may have at most {self._max_bytes} bytes."
        return Problem(413, "body_too_large", detail, headers={"Connection": "close"})
