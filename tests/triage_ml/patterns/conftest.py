"""A small desk: four kinds of tickets, each said in many ways."""

from __future__ import annotations

from itertools import product

import pytest

from triage_ml.patterns import Said, collapse, headline_of

KINDS = {
    "password": (
        ("forgot my password", "password expired", "please reset the password", "password no longer accepted"),
        ("cannot sign in to windows", "since my holiday", "user needs a new one today", "after two weeks of leave"),
    ),
    "printer": (
        (
            "printer shows paper jam",
            "printer prints blank pages",
            "printer out of toner",
            "print job stuck in the queue",
        ),
        ("on the second floor", "next to the kitchen", "in the finance office", "since this morning"),
    ),
    "vpn": (
        ("vpn connection drops", "vpn client does not connect", "vpn is very slow", "vpn asks for a certificate"),
        ("when working from home", "on hotel wifi", "after the client update", "every few minutes"),
    ),
    "disk": (
        ("disk space low on volume", "filesystem almost full", "volume above threshold", "no space left on device"),
        ("monitoring alert critical", "monitoring warning raised", "backup target affected", "database logs growing"),
    ),
}


def _texts(kind: str) -> list[str]:
    starts, ends = KINDS[kind]
    return [f"{start} {end}" for start, end in product(starts, ends)]


@pytest.fixture
def texts_of() -> dict[str, list[str]]:
    """Masked texts by kind, 16 of each."""
    return {kind: _texts(kind) for kind in KINDS}


@pytest.fixture
def said(texts_of: dict[str, list[str]]) -> list[Said]:
    """All of them, two tickets each, in the order of `collapse`."""
    return as_said([text for texts in texts_of.values() for text in texts] * 2)


def as_said(texts: list[str]) -> list[Said]:
    """Texts as `grow` takes them."""
    uniques = collapse(texts)
    return [
        Said(text, headline_of("", text), text, int(weight))
        for text, weight in zip(uniques.texts, uniques.weights, strict=True)
    ]


@pytest.fixture
def say() -> object:
    return as_said
