"""*Keys*, for administrators: make one (shown once), see when each was used, revoke."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from fastapi import Request, Response

from triage_ml.errors import InputError
from triage_ml.store import SCOPES, ApiKey, Store, create_key, list_keys, revoke_key
from triage_serving.pages.guard import Form, form_of, page_router
from triage_serving.pages.render import render
from triage_serving.problems import Problem
from triage_serving.services import ServicesDep

__all__ = ["router"]

router = page_router("admin")


@router.get("/review/keys")
async def keys(request: Request, services: ServicesDep) -> Response:
    """All keys."""
    return await _page(request, services.store)


@router.post("/review/keys")
async def create(request: Request, services: ServicesDep) -> Response:
    """Make a key; the page that answers is the only one that ever shows it."""
    made = await asyncio.to_thread(_create, services.store, await form_of(request))
    await asyncio.to_thread(services.keys.refresh)
    return await _page(request, services.store, made)


@router.post("/review/keys/{key_id}/revoke")
async def revoke(key_id: str, request: Request, services: ServicesDep) -> Response:
    """Revoke a key for good."""
    await form_of(request)
    await asyncio.to_thread(_revoke, services.store, key_id)
    await asyncio.to_thread(services.keys.refresh)
    return await _page(request, services.store)


async def _page(request: Request, store: Store, made: str | None = None) -> Response:
    records = await asyncio.to_thread(_list, store)
    now = datetime.now(UTC)
    return render(request, "keys.html", keys=records, made=made, now=now, scopes=SCOPES)


def _list(store: Store) -> list[ApiKey]:
    with store.read() as connection:
        return list_keys(connection)


def _create(store: Store, fields: Form) -> str:
    scope = next((one for one in SCOPES if one == fields.get("scope")), None)
    name, days = fields.get("name", "").strip()[:100], fields.get("days", "").strip()
    if scope is None or not name or (days and not (days.isascii() and days.isdecimal() and 0 < int(days[:6]) < 3651)):
        raise Problem(422, "invalid_request", "A key needs a name, a scope, and 1 to 3650 days or no end.")
    now = datetime.now(UTC)
    with store.begin() as connection:
        ends = now + timedelta(days=int(days)) if days else None
        key, _ = create_key(connection, scope, now=now, name=name, expires_at=ends)
    return key


def _revoke(store: Store, key_id: str) -> None:
    with store.begin() as connection:
        try:
            revoke_key(connection, key_id, now=datetime.now(UTC))
        except InputError as error:
            raise Problem(404, "unknown_key", error.message) from None
