"""A template to a response: escaped, under a strict content security policy, compressed where the browser takes it."""

from __future__ import annotations

import gzip
from datetime import date, datetime
from functools import cache
from typing import Any

from fastapi import Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from triage_ml.review import range_bar, sparkline
from triage_ml.value import KIND_TITLES
from triage_serving.pages.sessions import form_token

__all__ = ["attachment", "packed", "render"]

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
WORTH_PACKING = 1_000


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page; `visitor` and `token` are there for every template."""
    visitor = getattr(request.state, "visitor", None)
    text = (
        _environment()
        .get_template(template)
        .render(
            visitor=visitor,
            token=form_token(visitor.token) if visitor else "",
            here=request.url.path,
            **values,
        )
    )
    return packed(request, text.encode(), "text/html; charset=utf-8", status)


def packed(request: Request, body: bytes, media_type: str, status: int = 200) -> Response:
    """A response, compressed where that pays."""
    headers = {"Content-Security-Policy": POLICY, "Vary": "Accept-Encoding, Cookie"}
    if len(body) > WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 5, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, status, headers, media_type)


def attachment(body: bytes, name: str) -> Response:
    """A file to save, never shown by the browser itself."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Vary": "Cookie",
    }
    return Response(body, 200, headers, _MEDIA_TYPES[name.rpartition(".")[2]])


_MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
    "zip": "application/zip",
}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("triage_serving.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {"sparkline": sparkline, "percent": _percent, "number": _number, "day": _day}
    environment.globals |= {"range_bar": range_bar, "kinds": KIND_TITLES, "statuses": STATUS_TITLES}
    return environment


STATUS_TITLES = {
    "new": "New",
    "accepted": "Accepted",
    "in_progress": "In progress",
    "automated": "Automated",
    "rejected": "Rejected",
}


def _percent(share: float, digits: int = 0) -> str:
    return f"{share:.{digits}%}"


def _number(value: float, digits: int = 0) -> str:
    return f"{value:,.{digits}f}"


def _day(moment: date | None) -> str:
    if moment is None:
        return ""
    return f"{moment:%d %b %Y, %H:%M} UTC" if isinstance(moment, datetime) else f"{moment:%d %b %Y}"
