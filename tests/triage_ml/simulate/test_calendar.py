from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from triage_ml.simulate.calendar import Calendar, Plan, plan_calendar, plan_tickets
from triage_ml.simulate.catalogue import CHANNELS, load_catalogue

END = date(2026, 11, 16)


def planned(tickets: int, weeks: int, *, quiet: bool = False, seed: int = 0) -> tuple[Calendar, Plan]:
    catalogue = load_catalogue()
    calendar = plan_calendar(catalogue, weeks=weeks, end=END, quiet=quiet, rng=np.random.default_rng(seed))
    return calendar, plan_tickets(catalogue, calendar, tickets, np.random.default_rng(seed + 1))


@pytest.mark.parametrize(("tickets", "weeks"), [(1, 1), (7, 26), (5000, 4)])
def test_every_ticket_opens_in_its_week_and_in_order(tickets: int, weeks: int) -> None:
    calendar, plan = planned(tickets, weeks)
    assert len(plan.opened) == tickets
    assert (np.diff(plan.opened) >= 0).all()
    assert ((plan.opened - calendar.start) // (7 * 86_400) == plan.week).all()
    assert datetime.fromtimestamp(calendar.end, UTC) == datetime(2026, 11, 16, tzinfo=UTC)
    assert calendar.label(weeks - 1) == "2026-W46"


def test_people_work_in_office_hours_and_machines_always() -> None:
    _, plan = planned(40_000, 8, quiet=True)
    machine = plan.channel == CHANNELS.index("monitoring")
    weekend = (plan.opened // 86_400 + 3) % 7 >= 5  # 1970-01-01 was a Thursday
    assert weekend[~machine].mean() < 0.06
    assert weekend[machine].mean() == pytest.approx(2 / 7, abs=0.03)
    emea = ~machine & (plan.region == 0) & ~weekend
    hour = plan.opened[emea] % 86_400 // 3600
    assert ((hour >= 6) & (hour < 17)).mean() > 0.8


def test_a_quiet_desk_grows_and_nothing_else() -> None:
    calendar, _ = planned(1, 26, quiet=True)
    assert calendar.changes == ()
    assert calendar.bursts == ()
    assert (calendar.automated_from == 26).all()
    weekly = calendar.volume.sum(axis=1)
    assert weekly[-4:].sum() > weekly[:4].sum() * 1.05
    shares = calendar.volume / weekly[:, None]
    assert np.allclose(shares, shares[0])


@pytest.mark.parametrize("weeks", [2, 4, 6, 26, 104])
def test_something_of_everything_happens_and_more_in_more_time(weeks: int) -> None:
    calendar, _ = planned(1, weeks)
    actions = [change.what.split(":")[0] for change in calendar.changes]
    assert set(actions) == {"appears", "fades", "bursts", "automated", "rename", "split", "merge"}
    assert all(1 <= change.week < weeks for change in calendar.changes)
    assert (
        actions.count("appears") == {2: 1, 4: 1, 6: 2, 26: 8, 104: 22}[weeks]
    )  # never more than an eighth of the kinds


def test_one_week_has_no_changes() -> None:
    assert planned(1, 1)[0].changes == ()


def test_volume_follows_the_changes() -> None:
    calendar, _ = planned(1, 26)
    column = {kind.id: i for i, kind in enumerate(load_catalogue().kinds)}
    shares = calendar.volume / calendar.volume.sum(axis=1, keepdims=True)
    for change in calendar.changes:
        if change.kind is None:
            continue
        share = shares[:, column[change.kind]]
        if change.what.startswith("appears"):
            assert share[: change.week].max() == 0
            assert share[change.week] > 0
        elif change.what.startswith("fades"):
            assert share[-1] < share[change.week - 1]
        elif change.what.startswith("bursts"):
            assert share[change.week] > share[change.week - 1] + 0.005
        else:
            assert calendar.automated_from[column[change.kind]] == change.week


def test_a_burst_is_over_within_days() -> None:
    calendar, plan = planned(50_000, 12)
    burst = calendar.bursts[0]
    rows = (plan.kind == burst.kind) & (plan.week == burst.week)
    opened = plan.opened[rows] - calendar.start - burst.week * 7 * 86_400
    near = (opened >= burst.start) & (opened < burst.start + burst.hours * 3600 * 2)
    assert near.mean() > 0.8
