"""What stands before a page: sign-in, scope, the form's token, and errors that a person can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.responses import RedirectResponse

from triage_ml.errors import StoreError
from triage_ml.store import Scope
from triage_serving.pages.render import render
from triage_serving.pages.sessions import Visitor, check_origin, is_form_token, set_session, visitor_of
from triage_serving.problems import Problem, to_problem
from triage_serving.services import services_of

__all__ = ["Form", "form_of", "open_router", "page_router", "visitor"]

FORM_BYTES = 64 * 1024

Form = dict[str, str]


def page_router(scope: Scope) -> APIRouter:
    """A router of pages for people who signed in with a key of `scope` (or `admin`)."""
    return APIRouter(route_class=_route(scope), include_in_schema=False)


def open_router() -> APIRouter:
    """A router of pages that anybody may see."""
    return APIRouter(route_class=_route(None), include_in_schema=False)


def visitor(request: Request) -> Visitor:
    """Who asks for this page."""
    found: Visitor = request.state.visitor
    return found


async def form_of(request: Request, *, signed: bool = True) -> Form:
    """The fields of a form, each once; 403 where it was not made for this session."""
    check_origin(request)
    fields = {name: values[-1] for name, values in parse_qs(await _body(request), max_num_fields=100).items()}
    if signed and not is_form_token(visitor(request).token, fields.pop("token", "")):
        raise Problem(403, "stale_form", "This form is from another session. Read the page again, then send it again.")
    return fields


async def _body(request: Request) -> str:
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > FORM_BYTES:
            raise Problem(413, "body_too_large", f"A form may have at most {FORM_BYTES} bytes.")
    return chunks.decode("utf-8", errors="replace")


def _route(scope: Scope | None) -> type[APIRoute]:
    class PageRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Any]:
            handler = super().get_route_handler()

            async def guarded(request: Request) -> Response:
                try:
                    if scope is not None:
                        await _admit(request, scope)
                    answer: Response = await handler(request)
                except _SignInFirst:
                    return RedirectResponse(f"/review/sign-in?next={quote(_place(request))}", 303)
                except (Problem, StoreError) as error:
                    return _error_page(request, to_problem(error))
                _keep_new_session(request, answer)
                return answer

            return guarded

    return PageRoute


class _SignInFirst(Exception):
    """Nobody is signed in."""


async def _admit(request: Request, scope: Scope) -> None:
    found = await visitor_of(services_of(request), request)
    if found is None:
        raise _SignInFirst
    request.state.visitor = found
    if found.key.scope not in (scope, "admin"):
        raise Problem(403, "wrong_scope", f"This page needs a key of scope `{scope}`.")


def _keep_new_session(request: Request, answer: Response) -> None:
    found: Visitor | None = getattr(request.state, "visitor", None)
    if found is not None and found.is_new:
        set_session(request, answer, found.token)


def _place(request: Request) -> str:
    """Where to come back to after signing in; a form that was sent can't be repeated from there."""
    if request.method != "GET":
        return "/review"
    query = f"?{request.url.query}" if request.url.query else ""
    return request.url.path + query


def _error_page(request: Request, problem: Problem) -> Response:
    request_id = request.scope.get("state", {}).get("request_id", "")
    return render(request, "error.html", status=problem.status_code, problem=problem, request_id=request_id)
