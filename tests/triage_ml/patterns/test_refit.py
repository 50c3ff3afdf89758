"""A space fitted anew: patterns stay where they were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from triage_ml.patterns import PatternBook, Said, grow
from triage_ml.simulate import simulate_desk
from triage_ml.tickets import read_tickets
from triage_training.gathering import gather

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


def kept(before: PatternBook, after: PatternBook, said: list[Said]) -> float:
    """Share of the tickets with a pattern that have the same one afterwards."""
    was, now = (
        grow(book, said, week="2026-W05", min_tickets=10**9).pattern for book in (before, after)
    )  # no group has so many tickets: nothing new is found
    tickets = np.array([one.tickets for one in said])
    had = was >= 0
    return float((tickets * (was == now))[had].sum() / tickets[had].sum())
