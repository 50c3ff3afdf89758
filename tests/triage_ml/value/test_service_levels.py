from __future__ import annotations

import json

import pytest

from triage_ml.taxonomy import Taxonomy
from triage_ml.value import Work, moved_down, service_levels

WEEKS = ["2026-W01", "2026-W02", "2026-W03", "2026-W04"]


def work(
    week: str, tier: str | None, tickets: int, pattern: str | None = "p", minutes: float = 30.0, **more: object
) -> Work:
    given = {"activity": "corrective", "passed_on": False, "handoffs": 0.0, "logged": tickets} | more
    return Work(week=week, pattern_id=pattern, tier=tier, tickets=tickets, minutes=tickets * minutes, **given)  # type: ignore[arg-type]


def test_work_that_moved_down_is_counted_pattern_by_pattern() -> None:
    before = [work(WEEKS[0], "L3", 80, minutes=60.0), work(WEEKS[0], "L2", 20)]
    after = [work(WEEKS[1], "L3", 60), work(WEEKS[1], "L2", 40)]

    by_tier = {one.tier: one for one in moved_down(before + after, WEEKS[:1], WEEKS[1:2], Taxonomy())}

    assert (by_tier["L3"].expected, by_tier["L3"].solved, by_tier["L3"].share) == (80.0, 60, 0.25)
    assert by_tier["L3"].hours_a_week == 20.0
    assert by_tier["L2"].share == -1.0


def test_more_of_what_a_tier_solves_is_no_move() -> None:
    rows = [
        work(WEEKS[0], "L3", 10),
        work(WEEKS[0], "L1", 90, "q"),
        work(WEEKS[1], "L3", 60),
        work(WEEKS[1], "L1", 40, "q"),
    ]

    assert {one.tier: one.share for one in moved_down(rows, WEEKS[:1], WEEKS[1:2], Taxonomy())} == {
        "L3": 0.0,
        "L1": 0.0,
    }


def test_what_passing_on_costs_is_the_difference_within_a_pattern() -> None:
    rows = [work(WEEKS[0], "L1", 30), work(WEEKS[0], "L2", 10, minutes=48.0, passed_on=True, handoffs=15.0)]

    levels = service_levels(rows, Taxonomy())

    assert levels is not None
    assert levels["handoffs"] == {"per_ticket": 0.375, "passed_on": 0.25, "minutes_each": 18.0, "hours": 3.0}


def test_tickets_without_effort_count_as_those_of_their_tier() -> None:
    levels = service_levels([work(WEEKS[0], "L1", 10), work(WEEKS[1], "L1", 10, logged=0, minutes=0.0)], Taxonomy())

    assert levels is not None
    assert levels["tiers"] == [{"tier": "L1", "tickets": [10, 10], "hours": [5.0, 5.0]}]


@pytest.mark.parametrize(
    "rows",
    [
        [work(WEEKS[0], None, 5, None, minutes=0.0, logged=0, activity=None)],
        [work(week, "L1", 5, None) for week in WEEKS],
    ],
    ids=["no tier, no effort, one week", "no patterns"],
)
def test_whatever_is_missing_there_are_service_levels(rows: list[Work]) -> None:
    levels = service_levels(rows, Taxonomy())

    assert json.loads(json.dumps(levels))["moved_down"] == []


def test_without_work_there_are_none() -> None:
    assert service_levels([], Taxonomy()) is None
