from __future__ import annotations

from dataclasses import replace

import pytest

from triage_ml.value import WeekOfWork, realised

WEEKS = [f"2026-W{number:02d}" for number in range(1, 17)]


def weeks(names: list[str], tickets: int, automated: int = 0, minutes: float = 30.0) -> list[WeekOfWork]:
    people = tickets - automated
    return [WeekOfWork(week, tickets, automated, people, people * minutes) for week in names]


CONTROLS = {"all": weeks(WEEKS, 1000)}


def test_what_the_automation_closed_is_saved_at_the_touch_time_before() -> None:
    own = weeks(WEEKS[:8], 40) + weeks(WEEKS[8:], 40, automated=24, minutes=55.0)

    found = realised(own, CONTROLS, WEEKS[8])

    assert found is not None
    assert found.hours == pytest.approx(8 * 24 * 0.5)
    assert (found.weeks, found.automated, found.prevented) == (8, 192, 0.0)
    assert found.low < found.hours < found.high
    assert found.hours_a_week == pytest.approx(12.0)


def test_tickets_that_no_longer_come_are_saved_too() -> None:
    found = realised(weeks(WEEKS[:8], 40) + weeks(WEEKS[8:], 10), CONTROLS, WEEKS[8])

    assert found is not None
    assert found.prevented == pytest.approx(240)
    assert found.hours == pytest.approx(120)


def test_a_quiet_season_is_not_a_saving() -> None:
    quiet = {"all": weeks(WEEKS[:8], 1000) + weeks(WEEKS[8:], 500)}

    found = realised(weeks(WEEKS[:8], 40) + weeks(WEEKS[8:], 20), quiet, WEEKS[8])

    assert found is not None
    assert found.hours == 0.0


def test_chance_is_not_a_saving() -> None:
    found = realised(weeks(WEEKS[:8], 40) + weeks(WEEKS[8:], 39), CONTROLS, WEEKS[8])

    assert found is not None
    assert found.hours == 0.0


def test_work_that_takes_longer_everywhere_makes_a_saved_ticket_worth_more() -> None:
    slower = {"all": weeks(WEEKS[:8], 1000) + weeks(WEEKS[8:], 1000, minutes=36.0)}

    found = realised(weeks(WEEKS[:8], 40) + weeks(WEEKS[8:], 40, automated=24), slower, WEEKS[8])

    assert found is not None
    assert found.hours == pytest.approx(8 * 24 * 0.5 * 1.2)


@pytest.mark.parametrize(
    "own",
    [[], weeks(WEEKS[8:], 40), [WeekOfWork(WEEKS[0], 40, 0, 0, 0.0), *weeks(WEEKS[8:], 40)]],
    ids=["never seen", "nothing before", "no effort before"],
)
def test_without_a_before_nothing_is_claimed(own: list[WeekOfWork]) -> None:
    assert realised(own, CONTROLS, WEEKS[8]) is None


def test_an_outage_before_does_not_make_calm_weeks_a_saving() -> None:
    own = weeks(WEEKS[:7], 40) + weeks(WEEKS[7:8], 300) + weeks(WEEKS[8:], 40)

    found = realised(own, CONTROLS, WEEKS[8])

    assert found is not None
    assert found.prevented == 0.0


def test_a_drop_that_other_patterns_have_by_themselves_is_not_a_saving() -> None:
    restless = {f"p{n}": weeks(WEEKS[:8], 40) + weeks(WEEKS[8:], 40 + (-14, 14)[n % 2]) for n in range(40)}
    own = weeks(WEEKS[:8], 40) + weeks(WEEKS[8:], 27)

    found, calm = (realised(own, controls, WEEKS[8]) for controls in (restless, CONTROLS))

    assert found is not None
    assert calm is not None
    assert found.prevented == 0.0 < calm.prevented


def test_what_went_to_a_sibling_pattern_was_not_saved() -> None:
    own = weeks(WEEKS[:8], 40) + weeks(WEEKS[8:], 10)
    sibling = weeks(WEEKS[:8], 5) + weeks(WEEKS[8:], 30)

    found = realised(own, CONTROLS, WEEKS[8], sibling)

    assert found is not None
    assert found.prevented == pytest.approx(8 * (30 - 25))


def test_a_pattern_that_comes_every_fourth_week_and_goes_on_so_saved_nothing() -> None:
    names = [f"2026-W{number:02d}" for number in range(1, 41)]
    controls = {f"p{n}": weeks(names, 20) for n in range(30)}

    found = realised(weeks(names[3::4], 8), controls, names[20])

    assert found is not None
    assert (found.hours, found.prevented) == (0.0, 0.0)


def test_weeks_without_a_ticket_may_be_left_out() -> None:
    names = [f"2026-W{number:02d}" for number in range(1, 25)]
    counts = [12 if n % 2 else 0 for n in range(16)] + [2] * 8
    own = [one for name, count in zip(names, counts, strict=True) for one in weeks([name], count)]
    seen = [one for one in own if one.tickets]

    assert realised(seen, {"all": weeks(names, 1000)}, names[16]) == realised(
        own[1:], {"all": weeks(names, 1000)}, names[16]
    )


def test_one_clock_left_running_hardly_makes_saved_tickets_worth_more() -> None:
    own = weeks(WEEKS[:8], 10, minutes=20.0) + weeks(WEEKS[8:], 10, automated=5, minutes=20.0)
    left_running = [replace(one, minutes=one.minutes + 10_000 * (one.week == WEEKS[3])) for one in own]
    controls = {"all": [replace(one, minutes=one.minutes + 9e7 * (one.week == WEEKS[2])) for one in CONTROLS["all"]]}

    clean, found = realised(own, CONTROLS, WEEKS[8]), realised(left_running, controls, WEEKS[8])

    assert clean is not None
    assert found is not None
    assert clean.hours == pytest.approx(40 * 20 / 60)
    assert found.hours == pytest.approx(clean.hours, rel=0.15)
