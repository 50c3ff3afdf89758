from __future__ import annotations

import pytest

from triage_ml.value import ASSUMPTIONS, Hours, Proposal, TouchTime, outlives_payback, savings_a_week

TOUCH = TouchTime(minutes=30.0, spread=0.05, tickets=100, source="logged")
FORM = Proposal("self_service_form", "", 1.0, 1.0, None)
WEEKLY = [40] * 8


def test_savings_are_rate_times_touch_time_times_what_is_covered_and_succeeds() -> None:
    assumed = ASSUMPTIONS["self_service_form"]

    savings = savings_a_week(WEEKLY, TOUCH, FORM)

    assert savings.hours.p50 == pytest.approx(40 * 0.5 * assumed.covered * assumed.success, rel=0.05)
    assert savings.hours.p10 < savings.hours.p50 < savings.hours.p90
    assert savings.expected == pytest.approx(savings.hours.p50, rel=0.05)
    assert savings.weeks_to_pay_back == pytest.approx(assumed.build_hours / savings.expected)


def test_the_less_certain_the_less_is_expected_and_p10_is_zero() -> None:
    sure, unsure = (savings_a_week(WEEKLY, TOUCH, Proposal("self_service_form", "", c, 1.0, None)) for c in (0.95, 0.6))

    assert unsure.hours.p10 == 0.0 < sure.hours.p10
    assert unsure.hours.p50 == sure.hours.p50
    assert unsure.expected / sure.expected == pytest.approx(0.6 / 0.95)


@pytest.mark.parametrize(
    ("touch", "kind"),
    [(TouchTime(0.0, 0.0, 0, "unknown"), "self_service_form"), (TOUCH, "needs_analysis"), (TOUCH, "move_down")],
    ids=["no effort known", "needs analysis", "moving down spares nobody"],
)
def test_where_nothing_is_known_or_spared_nothing_is_promised(touch: TouchTime, kind: str) -> None:
    savings = savings_a_week(WEEKLY, touch, Proposal(kind, "", 0.9, 1.0, None))  # type: ignore[arg-type]

    assert (savings.hours, savings.weeks_to_pay_back) == (Hours(0.0, 0.0, 0.0), None)


def test_what_is_hardly_certain_is_never_above_p90() -> None:
    hours = savings_a_week(WEEKLY, TOUCH, Proposal("self_service_form", "", 0.15, 1.0, None)).hours

    assert 0.0 == hours.p10 < hours.p50 == hours.p90
    assert savings_a_week(WEEKLY, TOUCH, Proposal("self_service_form", "", 0.05, 1.0, None)).hours == Hours(0, 0, 0)


def test_a_pattern_that_needs_analysis_has_the_hours_of_the_runner_up_and_pays_nothing_back() -> None:
    savings = savings_a_week(WEEKLY, TOUCH, Proposal("needs_analysis", "", 0.3, 0.0, "self_service_form"))

    assert 0.0 == savings.hours.p10 < savings.hours.p50
    assert savings.weeks_to_pay_back is None


@pytest.mark.parametrize("minutes", [0.01, 10_000.0])
def test_strange_efforts_give_finite_hours(minutes: float) -> None:
    hours = savings_a_week(WEEKLY, TouchTime(minutes, 1.0, 5, "logged"), FORM).hours

    assert 0 <= hours.p10 <= hours.p50 <= hours.p90 < 1e6


def test_what_came_up_last_week_does_not_outlive_a_long_payback() -> None:
    small = savings_a_week([2] * 16, TouchTime(10.0, 0.1, 50, "logged"), FORM)

    assert small.weeks_to_pay_back is not None
    assert small.weeks_to_pay_back > 50
    assert not outlives_payback([0] * 14 + [2, 2], small)
    assert outlives_payback([1] * 16, savings_a_week([40] * 16, TOUCH, FORM))
