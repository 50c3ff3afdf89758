"""The map of a week is drawn once for as long as its book is there."""

from __future__ import annotations

import gc
import weakref
from types import SimpleNamespace
from typing import cast

import pytest

from triage_ml.patterns import PatternBook, Said, grow, pattern_map
from triage_ml.review import ReviewedWeek, mapping, week_map


def make_book() -> PatternBook:
    texts = ["vpn drops at home", "vpn drops in the train", "printer paper jam", "printer paper jam again"]
    return grow(None, [Said(text, text, text, 4) for text in sorted(texts)], week="2026-W01", min_tickets=4).book


def listed(book: PatternBook) -> ReviewedWeek:
    rows = [
        {"pattern_id": one.pattern_id, "title": one.title, "volume": 8, "work": {"p50": 2.0}} for one in book.patterns
    ]
    return cast("ReviewedWeek", SimpleNamespace(candidates=rows))


def test_it_is_drawn_once_for_a_book_and_keeps_none_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    monkeypatch.setattr(mapping, "pattern_map", lambda *args: drawn.append(1) or pattern_map(*args))
    book, other = make_book(), make_book()
    week = listed(book)

    assert week_map(week, book) == week_map(week, book)
    assert len(drawn) == 1
    week_map(listed(other), other)
    assert len(drawn) == 2, "another book is another map"

    alive = weakref.ref(book)
    del book
    gc.collect()
    assert alive() is None
