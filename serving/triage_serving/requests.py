"""What stands before a route: the key is checked before the body is read, and the body is read with a limit.

FastAPI reads and parses a body before it looks at dependencies, so a dependency would let a stranger make us parse
megabytes. A route class of our own asks for the key first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from triage_ml.store import Scope
from triage_serving.bodies import BODY_BYTES, parse_json, read_body
from triage_serving.services import services_of

__all__ = ["guarded_router", "links_to"]

Handler = Callable[[Request], Awaitable[Response]]


def guarded_router(scope: Scope, *, max_bytes: int = BODY_BYTES) -> APIRouter:
    """A router whose routes need a key of `scope` and read at most `max_bytes`."""

    class GuardedRoute(APIRoute):
        def get_route_handler(self) -> Any:
            handler: Handler = super().get_route_handler()

            async def guarded(request: Request) -> Response:
                services = services_of(request)
                given = request.headers.get("authorization")
                request.state.key = await services.keys.authorise(given, scope, person=services.person(request.scope))
                return await handler(BoundedRequest(request, max_bytes))

            return guarded

    shown = HTTPBearer(
        auto_error=False, scheme_name=f"{scope}_key", description=f"An API key with scope `{scope}` (or `admin`)."
    )
    return APIRouter(route_class=GuardedRoute, dependencies=[Security(shown)])


def links_to(
    operation: str, parameter: str, pointer: str, *, header: Mapping[str, str] | None = None
) -> dict[int | str, dict[str, Any]]:
    """For the `responses` of a route: where its answer has what another route asks for (an OpenAPI link).

    `header` maps headers that the other route takes to those of the answer.
    """
    taken = {f"header.{name}": f"$response.header.{given}" for name, given in (header or {}).items()}
    link = {"operationId": operation, "parameters": {parameter: f"$response.body#/{pointer}", **taken}}
    return {200: {"links": {operation: link}}}


class BoundedRequest(Request):
    """A request whose body is read with limits; see `bodies`."""

    def __init__(self, request: Request, max_bytes: int) -> None:
        super().__init__(request.scope, request.receive)
        self._max_bytes = max_bytes

    async def body(self) -> bytes:
        """The whole body."""
        if not hasattr(self, "_body"):
            self._body = await read_body(self.receive, self._max_bytes, self.headers.get("content-length"))
        return self._body

    async def json(self) -> Any:
        """The body as JSON."""
        return parse_json(await self.body(), self.headers.get("content-type"), self.headers.get("content-encoding"))
