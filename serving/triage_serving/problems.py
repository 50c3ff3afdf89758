"""Every error leaves as RFC 9457 `application/problem+json`, made in one place, and never quotes what came in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from triage_ml.errors import StoreError

__all__ = ["MEDIA_TYPE", "Problem", "busy", "handle_error", "named_problems", "no_champion", "to_problem", "too_slow"]

MEDIA_TYPE = "application/problem+json"
SHOWN_ERRORS = 20
_PLAIN_NAME = re.compile(r"[a-z_]{1,40}")

log = structlog.get_logger("triage.problems")


class Problem(HTTPException):
    """A refusal with a stable `code`, words for the reader, and where it helps the places that were wrong."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.code = code
        self.errors = errors

    def response(self, request_id: str) -> Response:
        """The problem as it leaves."""
        body: dict[str, Any] = {
            "type": f"urn:triage-ml:problem:{self.code}",
            "title": HTTPStatus(self.status_code).phrase,
            "status": self.status_code,
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
        }
        if self.errors:
            body["errors"] = self.errors
        return Response(orjson.dumps(body), self.status_code, self.headers, MEDIA_TYPE)


def no_champion() -> Problem:
    """Nothing to answer with yet."""
    detail = "No model is loaded. Train one with `triage train`, or make one champion with `triage promote`."
    return Problem(503, "no_champion", detail, headers={"Retry-After": "10"})


def busy() -> Problem:
    """More is waiting than may wait."""
    return Problem(503, "busy", "Too many tickets are waiting; try again shortly.", headers={"Retry-After": "1"})


def too_slow() -> Problem:
    """The model or the disk took too long."""
    return Problem(503, "too_slow", "The answer took too long; try again shortly.", headers={"Retry-After": "5"})


async def handle_error(request: Request, error: Exception) -> Response:
    """The one handler: any error to its problem."""
    if isinstance(error, StoreError):
        log.error("store_unavailable", reason=error.message)
    return to_problem(error).response(request.scope.get("state", {}).get("request_id", ""))


def to_problem(error: Exception) -> Problem:
    """What the caller is told about an error."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return _invalid(error)
    if isinstance(error, HTTPException):
        status = HTTPStatus(error.status_code)
        return Problem(
            error.status_code, status.name.lower(), status.description or status.phrase, headers=error.headers
        )
    if isinstance(error, StoreError):
        detail = "The store can't be written, so nothing was acknowledged; try again shortly."
        return Problem(503, "store_unavailable", detail, headers={"Retry-After": "5"})
    return Problem(500, "internal_error", "The service failed; the request id finds the reason in its log.")


def named_problems(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with errors under the media type that they have; FastAPI knows one type for all answers."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status[0] in "45" and "application/json" in response.get("content", {}):
                    response["content"][MEDIA_TYPE] = response["content"].pop("application/json")
            operation["responses"].pop("422", None)  # FastAPI's own shape of it; ours is among 4XX
    return document


def _invalid(error: RequestValidationError) -> Problem:
    errors = error.errors()
    shown = [{"location": _location(item["loc"]), "message": _message(item)} for item in errors[:SHOWN_ERRORS]]
    return Problem(422, "invalid_request", f"{len(errors)} value(s) are not what the API takes.", errors=shown)


def _location(parts: Sequence[int | str]) -> str:
    """`tickets.3.title`. A name that the caller made up may be anything, so only plain ones are repeated."""
    names = parts[1:] if len(parts) > 1 and parts[0] == "body" else parts
    return ".".join(str(part) if isinstance(part, int) or _PLAIN_NAME.fullmatch(part) else "?" for part in names)


def _message(item: Mapping[str, Any]) -> str:
    """Pydantic's words hold limits and expected values, never the input; our own come after `Value error, `."""
    return str(item["msg"]).removeprefix("Value error, ")
