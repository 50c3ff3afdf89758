"""Bodies, read with a limit of bytes and of time, and parsed.

JSON goes through pydantic's parser: it refuses deep nesting and lone surrogates, where the standard library's falls over or
passes them on.
"""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic_core import from_json
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from triage_serving.problems import Problem

__all__ = ["BATCH_BYTES", "BODY_BYTES", "parse_json", "read_body"]

BODY_BYTES = 2 * 1024**2
BATCH_BYTES = 16 * 1024**2
BODY_SECONDS = 20.0


async def read_body(receive: Receive, max_bytes: int, declared: str | None) -> bytes:
    """The whole body; 413 as soon as it is known to be too large, 408 where it does not come."""
    if declared is not None and declared.isdecimal() and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    if _is_all_here(receive):
        return await _read(receive, max_bytes)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read(receive, max_bytes)
    except TimeoutError:
        raise Problem(408, "body_too_slow", f"The body did not arrive within {BODY_SECONDS:g} s.") from None


def parse_json(body: bytes, content_type: str | None, encoding: str | None = None) -> Any:
    """A body as JSON; 400 where it is none, 415 where it is compressed, 422 where it does not say that it is some.

    Nothing is decompressed: a body of a few kilobytes may be one of gigabytes then.
    """
    if encoding is not None and encoding.strip().lower() not in ("", "identity"):
        raise Problem(415, "compressed_body", "Send the body as it is, without Content-Encoding.")
    kind = (content_type or "").partition(";")[0].strip().lower()
    if not kind.startswith("application/") or not kind.endswith(("/json", "+json")):
        said = {"type": "content_type", "loc": ("header", "content-type"), "msg": "expected application/json"}
        raise RequestValidationError([said])
    if not body:
        raise RequestValidationError([{"type": "missing", "loc": ("body",), "msg": "Field required"}])
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError:
        raise Problem(400, "invalid_json", "The body is not valid JSON in UTF-8.") from None


def _is_all_here(receive: Receive) -> bool:
    """Whether uvicorn has the whole body already, as of nearly every ticket; a timer would cost more than reading it."""
    return getattr(getattr(receive, "__self__", None), "more_body", True) is False


async def _read(receive: Receive, max_bytes: int) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.request" and not message.get("more_body") and len(body) <= max_bytes:
        return body  # nearly all of them
    chunks = bytearray(body)
    while message.get("more_body") and len(chunks) <= max_bytes:
        message = await receive()
        chunks += message.get("body", b"")
    if len(chunks) > max_bytes:
        raise _too_large(max_bytes)
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return bytes(chunks)


def _too_large(max_bytes: int) -> Problem:
    detail = f"The body may have at most {max_bytes} bytes."
    return Problem(413, "body_too_large", detail, headers={"Connection": "close"})
