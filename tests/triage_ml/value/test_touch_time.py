from __future__ import annotations

import numpy as np
import pytest

from triage_ml.value import touch_time

NONE = np.zeros(0)


def test_enough_logged_effort_speaks_for_itself() -> None:
    touch = touch_time(np.full(100, 30.0), np.full(500, 10.0), np.full(900, 5.0))

    assert touch.source == "logged"
    assert touch.minutes == pytest.approx((100 * 30 + 5 * 10) / 105)
    assert touch.tickets == 100


def test_little_effort_is_drawn_towards_the_category() -> None:
    touch = touch_time(np.array([60.0]), np.full(500, 12.0), np.full(900, 5.0))

    assert touch.source == "category"
    assert touch.minutes == pytest.approx((60 + 5 * 12) / 6)


def test_without_own_effort_it_is_the_categorys_else_that_of_all() -> None:
    assert touch_time(NONE, np.full(9, 12.0), np.full(90, 5.0)).minutes == pytest.approx(12)
    everything = touch_time(NONE, np.full(2, 12.0), np.full(90, 5.0))
    assert (everything.minutes, everything.source) == (pytest.approx(5), "all")


@pytest.mark.parametrize(
    "logged", [NONE, np.array([np.nan, np.nan]), np.array([-5.0])], ids=["none", "missing", "negative"]
)
def test_without_any_effort_it_is_unknown(logged: np.ndarray) -> None:
    touch = touch_time(logged, NONE, NONE)

    assert (touch.minutes, touch.source, touch.tickets) == (0.0, "unknown", 0)


def test_a_clock_left_running_hardly_moves_it() -> None:
    clean = np.linspace(10, 20, 200)

    assert touch_time(np.append(clean, 10_000.0), NONE, clean).minutes < 16


def test_zero_minutes_are_minutes() -> None:
    assert touch_time(np.zeros(50), NONE, np.zeros(50)).minutes == 0.0
    assert touch_time(np.zeros(50), NONE, np.zeros(50)).source == "logged"


@pytest.mark.parametrize(
    "clean", [np.full(5, 10.0), np.array([0.0, 8.0, 10.0, 12.0, 15.0, 9.0])], ids=["alike", "apart"]
)
def test_a_clock_left_running_hardly_moves_a_few_tickets_either(clean: np.ndarray) -> None:
    touch = touch_time(np.append(clean, 10_000.0), NONE, np.append(clean, 10_000.0))

    assert touch.minutes < 2 * clean.mean()


@pytest.mark.parametrize("clean", [[], [10.0], [10.0, 14.0, 9.0]], ids=["alone", "one other", "three others"])
def test_among_very_few_tickets_the_category_says_what_is_plausible(clean: list[float]) -> None:
    category = np.exp(np.random.default_rng(3).normal(2.5, 0.6, 400))

    touch = touch_time(np.array([*clean, 10_000.0]), category, category)

    assert touch.minutes < 5 * category.mean()


@pytest.mark.parametrize("tickets", [10, 30, 400])
def test_what_often_takes_long_is_no_error(tickets: int) -> None:
    quick_or_long = np.where(np.arange(tickets) % 10 < 7, 5.0, 120.0)

    assert touch_time(quick_or_long, NONE, quick_or_long).minutes == pytest.approx(39.5, rel=0.01)


def test_effort_that_varies_as_effort_does_is_hardly_touched() -> None:
    rng = np.random.default_rng(7)
    few = [np.exp(rng.normal(3, 0.7, 8)) for _ in range(400)]

    kept = np.mean([touch_time(one, one, one).minutes for one in few])

    assert kept == pytest.approx(np.mean(few), rel=0.06)
