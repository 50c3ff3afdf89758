from __future__ import annotations

import pytest

from triage_ml.value import WeekOfWork, realised

WEEKS = [f"2026-W{number:02d}" for number in range(1, 17)]


def weeks(names: list[str], tickets: int, automated: int = 0, minutes: float = 30.0) -> list[WeekOfWork]:
    people = tickets - automated
    return [WeekOfWork(week, tickets, automated, people, people * minutes) for week in names]


CONTROLS = weeks(WEEKS, 1000)


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
    quiet = weeks(WEEKS[:8], 1000) + weeks(WEEKS[8:], 500)

    found = realised(weeks(WEEKS[:8], 40) + weeks(WEEKS[8:], 20), quiet, WEEKS[8])

    assert found is not None
    assert found.hours == 0.0


def test_chance_is_not_a_saving() -> None:
    found = realised(weeks(WEEKS[:8], 40) + weeks(WEEKS[8:], 39), CONTROLS, WEEKS[8])

    assert found is not None
    assert found.hours == 0.0


def test_work_that_takes_longer_everywhere_makes_a_saved_ticket_worth_more() -> None:
    slower = weeks(WEEKS[:8], 1000) + weeks(WEEKS[8:], 1000, minutes=36.0)

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
