"""Who is looking: a session cookie for a key, and a token that every form carries.

The cookie can't be read by script and is not sent with another site's posts. The token of a form is the salted HMAC of the
cookie, another one in every page, so that compressed pages don't give it away little by little.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from fastapi import Request, Response

from triage_ml.store import ApiKey, end_session, forget_sessions, session_key, start_session
from triage_serving.problems import Problem
from triage_serving.services import Services

__all__ = [
    "COOKIE",
    "Visitor",
    "check_origin",
    "form_token",
    "is_form_token",
    "set_session",
    "sign_in",
    "sign_out",
    "visitor_of",
]

COOKIE = "triage_session"
LASTS = timedelta(hours=12)


@dataclass(frozen=True)
class Visitor:
    """A person who signed in: the key, and the session's token. `is_new`: the cookie with the token is still to be set."""

    key: ApiKey
    token: str
    is_new: bool = False

    @property
    def name(self) -> str:
        """What decisions are signed with."""
        return self.key.name or self.key.key_id

    @property
    def is_admin(self) -> bool:
        """Whether the pages of administrators are for them."""
        return self.key.scope == "admin"


async def sign_in(services: Services, request: Request, response: Response, key: str) -> None:
    """Start a session on `response` for a key of scope `review` or `admin`; Problem for any other."""
    record = await services.keys.authorise(f"Bearer {key}", "review")
    now = datetime.now(UTC)
    ends = min(now + LASTS, record.expires_at or now + LASTS)

    def start() -> str:
        with services.store.begin() as connection:
            forget_sessions(connection, now=now)
            return start_session(connection, record.key_id, now=now, expires_at=ends)

    set_session(request, response, await asyncio.to_thread(start), ends - now)


def set_session(request: Request, response: Response, token: str, lasts: timedelta = LASTS) -> None:
    """Have the browser keep the session's token."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(lasts.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=_is_https(request),
        path="/",
    )


async def sign_out(services: Services, response: Response, visitor: Visitor) -> None:
    """End the session, here and in the store."""

    def end() -> None:
        with services.store.begin() as connection:
            end_session(connection, visitor.token)

    await asyncio.to_thread(end)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")


async def visitor_of(services: Services, request: Request) -> Visitor | None:
    """Who is signed in, or None; a key that was revoked meanwhile ends its sessions."""
    token = request.cookies.get(COOKIE)
    if (person := services.person(request.scope)) is not None:
        # The proxy answers for who it is, with every request; the cookie only ties forms to this browser.
        return Visitor(person, token or secrets.token_urlsafe(32), is_new=not token)
    if not token:
        return None

    def find() -> str | None:
        with services.store.read() as connection:
            return session_key(connection, token, now=datetime.now(UTC))

    key_id = await asyncio.to_thread(find)
    key = None if key_id is None else await services.keys.known(key_id)
    return None if key is None else Visitor(key, token)


def form_token(token: str) -> str:
    """A fresh token for the forms of one page."""
    salt = secrets.token_hex(8)
    return f"{salt}.{_signed(token, salt)}"


def is_form_token(token: str, given: str) -> bool:
    """Whether a form was made for this session."""
    salt, _, signature = given.partition(".")
    return signature.isascii() and hmac.compare_digest(_signed(token, salt), signature)


def check_origin(request: Request) -> None:
    """Refuse a post that another site sent; 403.

    Browsers say in Sec-Fetch-Site where a post comes from. They send the origin as `null` where pages keep the referrer to
    themselves, as ours do, so the origin is only asked for where the other is missing.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        ours = site in ("same-origin", "none")
    else:
        ours = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    if not ours:
        raise Problem(403, "other_site", "This form was sent from another site.")


def _signed(token: str, salt: str) -> str:
    return hmac.new(token.encode(), salt.encode(), hashlib.sha256).hexdigest()


def _is_https(request: Request) -> bool:
    """Also behind a proxy that ends TLS; who forges the header only gets a stricter cookie."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
