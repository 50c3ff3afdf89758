"""Addresses of the pages. Each handler reads, renders or redirects; what is decided is decided in `deciding`."""

from __future__ import annotations

from fastapi import APIRouter

from triage_serving.pages import candidate, keys, overview, sign_in, week

__all__ = ["routers"]


def routers() -> list[APIRouter]:
    """The routers of all pages."""
    return [sign_in.router, week.router, candidate.router, overview.router, keys.router]
