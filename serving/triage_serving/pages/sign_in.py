"""/, signing in and out, and the style and script that all pages share."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from fastapi import Request, Response
from starlette.responses import RedirectResponse

from triage_serving.pages.guard import form_of, open_router, page_router, visitor
from triage_serving.pages.render import packed, render
from triage_serving.pages.sessions import sign_in, sign_out
from triage_serving.problems import Problem
from triage_serving.services import ServicesDep

__all__ = ["router"]

router = open_router()
_inside = page_router("review")
STATIC = {
    "review.css": "text/css; charset=utf-8",
    "review.js": "text/javascript; charset=utf-8",
    "review.svg": "image/svg+xml",
}


@router.get("/")
async def root() -> Response:
    """Where people begin."""
    return RedirectResponse("/review", 303)


@router.get("/review/static/{name}")
async def static(name: str, request: Request) -> Response:
    """The style sheet, the script and the icon."""
    if name not in STATIC:
        raise Problem(404, "not_found", "There is no such file.")
    return packed(request, _file(name), STATIC[name])


@router.get("/review/sign-in")
async def sign_in_page(request: Request, next: str = "/review") -> Response:
    """Ask for a key."""
    return render(request, "sign_in.html", target=_inside_only(next), problem=None)


@router.post("/review/sign-in")
async def sign_in_form(request: Request, services: ServicesDep) -> Response:
    """Start a session where the key is one for reviewing."""
    fields = await form_of(request, signed=False)
    target = _inside_only(fields.get("next", ""))
    answer = RedirectResponse(target, 303)
    try:
        await sign_in(services, request, answer, fields.get("key", "").strip())
    except Problem as problem:
        return render(request, "sign_in.html", status=problem.status_code, target=target, problem=problem)
    return answer


@_inside.post("/review/sign-out")
async def sign_out_form(request: Request, services: ServicesDep) -> Response:
    """End the session."""
    await form_of(request)
    answer = RedirectResponse("/review/sign-in", 303)
    await sign_out(services, answer, visitor(request))
    return answer


router.include_router(_inside)


def _inside_only(target: str) -> str:
    """A place on these pages: signing in must not send anybody elsewhere."""
    plain = target.isprintable() and "\\" not in target
    return target if plain and (target == "/review" or target.startswith(("/review/", "/review?"))) else "/review"


@cache
def _file(name: str) -> bytes:
    return (files("triage_serving.pages") / "static" / name).read_bytes()
