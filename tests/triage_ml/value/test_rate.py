from __future__ import annotations

import numpy as np
import pytest

from triage_ml.value import Hours, TouchTime, hours_a_week, trend, with_many_tests

HALF_AN_HOUR = TouchTime(minutes=30.0, spread=0.05, tickets=100, source="logged")


def test_hours_are_the_latest_rate_times_touch_time() -> None:
    hours = hours_a_week([1, 1, 1, 20, 20, 20, 20], HALF_AN_HOUR)

    assert hours.p50 == pytest.approx(20 * 0.5, rel=0.05)
    assert hours.p10 < hours.p50 < hours.p90


def test_the_interval_holds_the_mean_of_the_next_four_weeks_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    hits = []
    for _ in range(400):
        weekly = generator.poisson(12, size=8)
        hours = hours_a_week(weekly[:4].tolist(), HALF_AN_HOUR)
        hits.append(hours.p10 <= weekly[4:].mean() * 0.5 <= hours.p90)

    assert 0.75 <= np.mean(hits) <= 0.92


def test_the_week_in_which_a_pattern_came_up_counts_as_half_a_week() -> None:
    new, steady = hours_a_week([0] * 15 + [20], HALF_AN_HOUR), hours_a_week([40] * 16, HALF_AN_HOUR)

    assert new.p50 == pytest.approx(2 * 20 * 0.5, rel=0.25)
    assert new.p90 / new.p10 > 1.5 * steady.p90 / steady.p10


@pytest.mark.parametrize("weekly", [[0, 0, 0], [0] * 15 + [1], [100_000] * 16, [3]], ids=str)
def test_whatever_came_the_hours_are_finite_and_in_order(weekly: list[int]) -> None:
    hours = hours_a_week(weekly, HALF_AN_HOUR)

    assert 0 <= hours.p10 <= hours.p50 <= hours.p90 < 1e6


def test_less_is_known_of_a_rare_pattern() -> None:
    rare, frequent = hours_a_week([2, 1, 2, 2], HALF_AN_HOUR), hours_a_week([200, 190, 210, 205], HALF_AN_HOUR)

    assert rare.p90 / rare.p10 > 3 * frequent.p90 / frequent.p10


@pytest.mark.parametrize(
    ("weekly", "touch"),
    [([5, 5], TouchTime(0.0, 0.0, 0, "unknown")), ([], HALF_AN_HOUR)],
    ids=["no effort", "no weeks"],
)
def test_without_effort_or_weeks_there_are_no_hours(weekly: list[int], touch: TouchTime) -> None:
    assert hours_a_week(weekly, touch) == Hours(0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("weekly", "direction"),
    [
        ([10] * 12 + [20] * 4, "growing"),
        ([20] * 12 + [8] * 4, "fading"),
        ([10] * 16, "steady"),
        ([0, 0, 0, 0, 5, 6, 7, 8], "growing"),
        ([7], "unknown"),
        ([0, 0, 0, 0], "unknown"),
    ],
    ids=["twice as many", "fewer", "the same", "from nothing", "one week", "never"],
)
def test_direction(weekly: list[int], direction: str) -> None:
    assert trend(weekly).direction == direction


def test_a_ratio_stands_within_its_interval_and_looks_back_sixteen_weeks_only() -> None:
    known = trend([10] * 12 + [20] * 4)

    assert known.ratio == pytest.approx(2.0, rel=0.02)
    assert known.low < known.ratio < known.high  # type: ignore[operator]
    assert trend([900] * 30 + [10] * 12 + [20] * 4) == known


def test_two_weeks_are_compared_with_each_other() -> None:
    assert trend([10, 20]).ratio == pytest.approx(2.0, rel=0.1)


def test_growth_that_rests_on_one_week_is_a_burst() -> None:
    assert trend([10] * 12 + [10, 90, 11, 9]).direction == "burst"
    assert trend([10] * 12 + [30, 40, 35, 60]).direction == "growing"


def test_among_many_patterns_chance_alone_is_no_trend() -> None:
    generator = np.random.default_rng(0)
    chance = [trend(generator.poisson(20, size=16).tolist()) for _ in range(300)]
    real = [trend([10] * 12 + [25] * 4)] * 5

    corrected = with_many_tests(chance + real)

    assert sum(one.direction != "steady" for one in chance) > 30
    assert sum(one.direction != "steady" for one in corrected[:300]) <= 2
    assert [one.direction for one in corrected[300:]] == ["growing"] * 5
