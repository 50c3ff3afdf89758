"""Answers that are asked for again and again and seldom change: with `If-None-Match` they are sent once."""

from __future__ import annotations

import hashlib
from typing import Any

from fastapi import Request, Response

__all__ = ["NOT_MODIFIED", "unless_known"]

#: For the `responses` of a route.
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "The caller has it already (`If-None-Match`)."}}


def unless_known(request: Request, body: bytes) -> Response:
    """The body with its ETag, or 304 where the caller sent that ETag."""
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
