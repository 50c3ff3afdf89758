"""A space fitted anew: patterns stay where they were."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from triage_ml.patterns import PatternBook, Said, grow
from triage_ml.patterns.assign import HIGHEST, Prototypes
from triage_ml.patterns.refit import _moved
from triage_ml.simulate import simulate_desk
from triage_ml.tickets import read_tickets
from triage_training.gathering import gather

if TYPE_CHECKING:
    from triage_ml.patterns.placing import Placed

module = sys.modules[_moved.__module__]
KEPT_BY_TEXT, KEPT_BY_CASE = 0.95, 0.97


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> list[Said]:
    """What a small simulated desk says."""
    folder = tmp_path_factory.mktemp("desk")
    simulate_desk(folder, tickets=2_500, weeks=8, seed=11)
    texts = gather(read_tickets(folder / "tickets.parquet")).said
    return [Said(one.text, one.headline, one.example, one.tickets, one.label, one.note) for one in texts]


@pytest.fixture(scope="module")
def book(desk: list[Said]) -> PatternBook:
    return grow(None, desk, week="2026-W01", min_tickets=10).book


def test_a_space_fitted_on_half_of_the_tickets_moves_next_to_none_of_them(book: PatternBook, desk: list[Said]) -> None:
    after = grow(book, desk[::2], week="2026-W02", min_tickets=10, refitted=True).book

    assert after.space.version != book.space.version
    assert after.ids[: len(book)] == book.ids
    assert kept(book, after, [replace(one, note="", label="") for one in desk]) > KEPT_BY_TEXT
    assert kept(book, after, desk) > KEPT_BY_CASE


def test_fitted_anew_on_the_same_tickets_three_times_nothing_wanders_off(book: PatternBook, desk: list[Said]) -> None:
    after = book
    for week in ("2026-W02", "2026-W03", "2026-W04"):
        after = grow(after, desk, week=week, min_tickets=10, refitted=True).book

    assert kept(book, after, desk) > KEPT_BY_CASE


def test_what_was_another_patterns_lowers_no_threshold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three texts stay at each prototype; a fourth one of the second pattern comes to lie nearer to the first, and far away."""
    corners = np.eye(3, dtype=np.float32)
    number = np.full(2, 0.4, dtype=np.float32)
    two = Prototypes(corners[:2], np.array([0, 1]), number, np.ones(2, dtype=np.float32), np.full(2, 3))
    before = corners[[0, 0, 0, 1, 1, 1, 1]]
    after = before.copy()
    after[-1] = (0.35, 0.0, 0.94)
    monkeypatch.setattr(module, "_blocks", lambda *_, **__: iter([(before, after)]))

    nothing = cast("Placed", None)
    moved = _moved(two, corners, np.arange(2), nothing, nothing, by_case=False)

    assert moved.thresholds.tolist() == pytest.approx([HIGHEST, HIGHEST])


def kept(before: PatternBook, after: PatternBook, said: list[Said]) -> float:
    """Share of the tickets with a pattern that have the same one afterwards."""
    was, now = (
        grow(book, said, week="2026-W05", min_tickets=10**9).pattern for book in (before, after)
    )  # no group has so many tickets: nothing new is found
    tickets = np.array([one.tickets for one in said])
    had = was >= 0
    return float((tickets * (was == now))[had].sum() / tickets[had].sum())
