from __future__ import annotations

from dataclasses import replace

import numpy as np
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


def test_another_mix_of_patterns_is_no_change_in_what_a_ticket_takes() -> None:
    long_ones = weeks(WEEKS[:8], 100, minutes=200.0) + weeks(WEEKS[8:], 20, minutes=200.0)
    controls = {"long": long_ones, "short": weeks(WEEKS, 100, minutes=10.0)}

    found = realised(weeks(WEEKS[:8], 40) + weeks(WEEKS[8:], 40, automated=24), controls, WEEKS[8])

    assert found is not None
    assert found.hours == pytest.approx(8 * 24 * 0.5)


def test_a_drop_within_what_other_patterns_vary_by_is_chance_though_one_alone_would_be_sure() -> None:
    swings = (0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4)
    restless = {f"p{n}": weeks(WEEKS[:8], 400) + weeks(WEEKS[8:], round(400 * swings[n % 7])) for n in range(14)}
    own = weeks(WEEKS[:8], 400) + weeks(WEEKS[8:], 300)

    found, calm = (realised(own, controls, WEEKS[8]) for controls in (restless, CONTROLS))

    assert found is not None
    assert calm is not None
    assert found.prevented == 0.0
    assert calm.prevented == pytest.approx(800)


def test_the_less_is_known_of_the_time_before_the_wider_the_interval() -> None:
    known = weeks(WEEKS[:8], 400) + weeks(WEEKS[8:], 40, automated=24)
    hardly = weeks(WEEKS[7:8], 2) + weeks(WEEKS[8:], 40, automated=24)

    found, less = (realised(own, CONTROLS, WEEKS[8]) for own in (known, hardly))

    assert found is not None
    assert less is not None
    assert less.high / less.low > found.high / found.low > 1


def random_weeks(
    dice: np.random.Generator, share: float, stay: float = 1.0, volumes: tuple[int, int] = (8, 40)
) -> tuple[list[WeekOfWork], float]:
    """A pattern with log-normal efforts, of whose tickets some no longer come and a share is closed, and the hours that its
    automation really saved."""
    middle, volume = np.exp(dice.normal(3.0, 0.7)), dice.uniform(*volumes)
    rows, hours = [], 0.0
    for number, week in enumerate(WEEKS):
        minutes = middle * np.exp(dice.normal(0, 0.6, dice.poisson(volume)))
        comes = dice.random(len(minutes)) < (stay if number >= 8 else 1.0)
        hours += float(minutes[~comes].sum()) / 60
        minutes = minutes[comes]
        closed = dice.random(len(minutes)) < (share if number >= 8 else 0.0)
        hours += float(minutes[closed].sum()) / 60
        rows.append(
            WeekOfWork(week, len(minutes), int(closed.sum()), int((~closed).sum()), float(minutes[~closed].sum()))
        )
    return rows, hours


@pytest.mark.parametrize("volumes", [(8, 40), (2, 8)], ids=["common", "rare"])
@pytest.mark.parametrize(("stay", "share"), [(1.0, 0.6), (0.4, 0.0), (0.7, 0.3), (0.8, 0.0), (0.9, 0.5)])
def test_the_interval_holds_the_truth_nine_times_in_ten(stay: float, share: float, volumes: tuple[int, int]) -> None:
    dice, rounds = np.random.default_rng(5), 150
    controls = {f"c{n}": random_weeks(dice, 0.0, volumes=volumes)[0] for n in range(25)}
    looked = [random_weeks(dice, share, stay, volumes) for _ in range(rounds)]
    found = [(realised(own, controls, WEEKS[8]), true) for own, true in looked]
    held = [one.low <= true <= one.high for one, true in found if one is not None]

    assert len(held) > 0.98 * rounds
    assert np.mean(held) >= 0.87


@pytest.mark.parametrize(("stay", "share"), [(1.0, 0.6), (0.4, 0.0)], ids=["all closed", "all prevented"])
def test_what_is_clear_is_counted_without_bias_and_within_itself(stay: float, share: float) -> None:
    dice = np.random.default_rng(5)
    found = []
    for _ in range(8):
        controls = {f"c{n}": random_weeks(dice, 0.0)[0] for n in range(25)}
        looked = [random_weeks(dice, share, stay) for _ in range(20)]
        found += [(realised(own, controls, WEEKS[8]), true) for own, true in looked]

    assert abs(np.mean([one.hours / true - 1 for one, true in found if one is not None])) < 0.05
    assert np.median([(one.high - one.low) / true for one, true in found if one is not None]) < 1.0


def test_what_is_not_shown_may_be_all_the_same() -> None:
    found = realised(weeks(WEEKS[:8], 40) + weeks(WEEKS[8:], 36), CONTROLS, WEEKS[8])

    assert found is not None
    assert found.prevented == found.hours == found.low == 0.0
    assert found.high > 8 * 4 * 0.5, "as many as were expected and did not come"


def test_where_more_came_than_expected_hardly_any_may_be_missing() -> None:
    found = realised(weeks(WEEKS[:8], 40) + weeks(WEEKS[8:], 80), CONTROLS, WEEKS[8])

    assert found is not None
    assert (found.low, found.hours, found.high) == (0.0, 0.0, 0.0)
