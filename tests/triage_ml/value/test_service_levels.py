from __future__ import annotations

import json

import pytest

from triage_ml.taxonomy import Taxonomy, Tier
from triage_ml.value import Periods, Work, flows, moved_down, service_levels

WEEKS = ["2026-W01", "2026-W02", "2026-W03", "2026-W04"]


def work(
    week: str, tier: str | None, tickets: int, pattern: str | None = "p", minutes: float = 30.0, **more: object
) -> Work:
    given = (
        {"activity": "corrective", "passed_on": False, "handoffs": 0.0, "logged": tickets}
        | {"handoffs_known": tickets}
        | more
    )
    return Work(week=week, pattern_id=pattern, tier=tier, tickets=tickets, minutes=tickets * minutes, **given)  # type: ignore[arg-type]


def test_work_that_moved_down_is_counted_pattern_by_pattern() -> None:
    before = [work(WEEKS[0], "L3", 80, minutes=60.0), work(WEEKS[0], "L2", 20)]
    after = [work(WEEKS[1], "L3", 60), work(WEEKS[1], "L2", 40)]

    by_tier = {one.tier: one for one in moved_down(before + after, Periods(WEEKS[:1], WEEKS[1:2]), Taxonomy())}

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

    assert {one.tier: one.share for one in moved_down(rows, Periods(WEEKS[:1], WEEKS[1:2]), Taxonomy())} == {
        "L3": 0.0,
        "L1": 0.0,
    }


def test_what_passing_on_costs_is_the_difference_within_a_pattern() -> None:
    rows = [work(WEEKS[0], "L1", 30), work(WEEKS[0], "L2", 10, minutes=48.0, passed_on=True, handoffs=15.0)]

    levels = service_levels(rows, Taxonomy())

    assert levels is not None
    assert levels["handoffs"] == {"per_ticket": 0.375, "passed_on": 0.25, "minutes_each": 18.0, "hours": 3.0}


def test_hand_offs_are_a_mean_over_the_tickets_that_have_them_known() -> None:
    rows = [
        work(WEEKS[0], "L1", 30, handoffs_known=10),
        work(WEEKS[0], "L2", 10, passed_on=True, handoffs=15.0),
        work(WEEKS[1], "L1", 30, handoffs_known=0),
    ]

    known, unknown = service_levels(rows, Taxonomy()), service_levels(rows[2:], Taxonomy())

    assert known is not None
    assert unknown is not None
    assert (known["handoffs"]["per_ticket"], known["handoffs"]["passed_on"]) == (0.75, 0.5)
    assert known["handoffs_by_week"] == [0.75, None]
    assert (unknown["handoffs"]["per_ticket"], unknown["handoffs"]["passed_on"]) == (None, None)


def test_tickets_without_effort_count_as_those_of_their_tier() -> None:
    levels = service_levels([work(WEEKS[0], "L1", 10), work(WEEKS[1], "L1", 10, logged=0, minutes=0.0)], Taxonomy())

    assert levels is not None
    assert levels["tiers"] == [{"tier": "L1", "tickets": [10, 10], "hours": [5.0, 5.0], "cost": None}]


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


def test_each_step_down_has_its_net_flow_and_the_last_is_of_all_work() -> None:
    before = [work(WEEKS[0], tier, count) for tier, count in (("L3", 40), ("L2", 30), ("L1", 30))]
    after = [work(WEEKS[1], tier, count) for tier, count in (("L3", 30), ("L2", 20), ("L1", 25), ("L0", 25))]

    found = flows(before + after, Periods(WEEKS[:1], WEEKS[1:2]), Taxonomy())

    assert [(list(one.source), one.target[0], one.moved, one.share) for one in found] == [
        (["L3"], "L2", 10.0, 0.25),
        (["L2", "L2-EUC", "NOC"], "L1", 20.0, 0.6667),
        (["L3", "L2", "L2-EUC", "NOC", "L1"], "L0", 25.0, 0.25),
    ]


def test_a_share_is_solved_at_the_lowest_tier_that_could() -> None:
    rows = [work(WEEKS[0], "L1", 40), work(WEEKS[0], "L2", 60), work(WEEKS[1], "L1", 70), work(WEEKS[1], "L2", 30)]

    levels = service_levels(rows, Taxonomy())

    assert levels is not None
    assert levels["lowest_tier"] == {"all": 0.55, "baseline": 0.4, "compared": 0.7}


def test_a_baseline_may_be_named() -> None:
    rows = [work(week, "L3", count) for week, count in zip(WEEKS, (10, 10, 10, 10), strict=True)]

    levels = service_levels(rows, Taxonomy(), Periods.since(WEEKS, WEEKS[0], WEEKS[0]))

    assert levels is not None
    assert (levels["baseline"], levels["compared"]) == ([WEEKS[0], WEEKS[0]], [WEEKS[1], WEEKS[3]])


def test_service_levels_kept_are_shown_where_they_are_said() -> None:
    rows = [work(WEEKS[0], "L1", 10, sla_known=8, sla_met=6), work(WEEKS[1], "L1", 5)]

    levels = service_levels(rows, Taxonomy())

    assert levels is not None
    assert levels["sla"] == {"tickets": 8, "met": 0.75, "by_week": [0.75, None]}
    assert service_levels([work(WEEKS[0], "L1", 10)], Taxonomy())["sla"] is None  # type: ignore[index]


def test_money_is_shown_where_an_hour_has_its_cost_alone() -> None:
    priced = Taxonomy(tiers=(Tier("L0", 0), Tier("L1", 1, cost_per_hour=30.0), Tier("L2", 2)), currency="EUR")
    rows = [work(WEEKS[0], "L1", 10), work(WEEKS[0], "L2", 10)]

    levels = service_levels(rows, priced)

    assert levels is not None
    assert {one["tier"]: one["cost"] for one in levels["tiers"]} == {"L1": 150, "L2": None}
