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
