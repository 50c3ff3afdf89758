"""POST routes that every ticket comes through, without the framework between socket and endpoint.

FastAPI's and Starlette's layers take 0.15 to 0.2 ms a request, about as much as scoring a ticket in a batch. These routes are
declared in FastAPI, which documents them; requests to exactly their path are taken here. What is checked, in which order, and
how it is refused is the same: the key, then the body, then the schema.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from triage_ml.errors import TriageError
from triage_ml.store import Scope as KeyScope
from triage_serving.bodies import BODY_BYTES, parse_json, read_body
from triage_serving.idempotency import IdempotencyKey, once_of
from triage_serving.problems import handle_error

if TYPE_CHECKING:
    from triage_serving.services import Services

__all__ = ["Direct"]

_KEY_HEADER: TypeAdapter[str] = TypeAdapter(IdempotencyKey)
_HEADERS = frozenset({b"authorization", b"content-type", b"content-length", b"content-encoding", b"idempotency-key"})


class Direct:
    """One POST route.

    Parameters
    ----------
    endpoint
        Called with the body, the services and `once`, and with the query values named in `queries`.
    body
        The schema of the body.
    queries
        Query values by name, each with its type; they are checked strictly and optional.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Awaitable[Response]],
        body: type[BaseModel],
        scope: KeyScope,
        *,
        max_bytes: int = BODY_BYTES,
        queries: dict[str, Any] | None = None,
    ) -> None:
        self.path = path
        self._endpoint = endpoint
        self._validate = body.__pydantic_validator__.validate_python
        self._scope = scope
        self._max_bytes = max_bytes
        self._queries = {name: TypeAdapter(kind) for name, kind in (queries or {}).items()}

    async def __call__(self, services: Services, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        scope["route"] = self
        try:
            response = await self._response(services, scope, receive)
        except (HTTPException, RequestValidationError, TriageError) as error:
            response = await handle_error(Request(scope), error)
        await response(scope, receive, send)

    async def _response(self, services: Services, scope: Scope, receive: Receive) -> Response:
        headers: dict[bytes, str] = {}
        for name, value in scope["headers"]:
            if name in _HEADERS:
                headers.setdefault(name, value.decode("latin-1"))
        key = await services.keys.authorise(headers.get(b"authorization"), self._scope, person=services.person(scope))
        queries = self._checked_queries(scope["query_string"]) if scope["query_string"] else {}
        given = headers.get(b"idempotency-key")
        if given is not None:
            _checked(_KEY_HEADER.validate_python, given, "header", "idempotency-key")
        body = await read_body(receive, self._max_bytes, headers.get(b"content-length"))
        parsed = parse_json(body, headers.get(b"content-type"), headers.get(b"content-encoding"))
        asked = _checked(self._validate, parsed, "body")
        once = once_of(key, given, scope, body) if given is not None else None
        return await self._endpoint(asked, services, once, **queries)

    def _checked_queries(self, query: bytes) -> dict[str, Any]:
        given = parse_qs(query.decode("latin-1"), keep_blank_values=True)
        return {
            name: _checked(kind.validate_python, given[name][-1], "query", name)
            for name, kind in self._queries.items()
            if name in given
        }


def _checked(validate: Callable[[Any], Any], value: Any, *where: str) -> Any:
    try:
        return validate(value)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError([{**item, "loc": (*where, *item["loc"])} for item in errors]) from None
