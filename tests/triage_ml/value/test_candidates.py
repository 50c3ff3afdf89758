from __future__ import annotations

import json
from typing import Any

import pytest

from triage_ml.taxonomy import Taxonomy
from triage_ml.value import list_candidates

WEEKS = ["2026-W01", "2026-W02", "2026-W03", "2026-W04"]


def facts(pattern_id: str | None, week: str, count: int, **changes: Any) -> list[dict[str, Any]]:
    row = {
        "week": week, "pattern_id": pattern_id, "similarity": 0.8, "tier": "L1", "category": "Access",
        "assignment_group": "Desk", "ticket_type": "incident", "channel": "email", "effort_minutes": 30.0,
        "handoffs": 0.0, "reopens": 0.0, "priority": "P3", "activity": "corrective", "article": None,
    }  # fmt: skip
    return [{**row, **changes, "ticket_id": f"{pattern_id}-{week}-{n}"} for n in range(count)]


def test_most_hours_come_first_and_tickets_without_a_pattern_are_no_candidate() -> None:
    rows = [
        *(row for week in WEEKS for row in facts("many", week, 90, effort_minutes=10.0)),
        *(row for week in WEEKS for row in facts("few", week, 20, effort_minutes=15.0)),
        *facts(None, WEEKS[-1], 50),
    ]

    listed = list_candidates(rows, WEEKS, Taxonomy(), min_tickets=10, notes={})

    assert [candidate.pattern_id for candidate in listed] == ["many", "few"]
    assert [candidate.volume for candidate in listed] == [90, 20]
    assert listed[1].weekly == (20, 20, 20, 20)


@pytest.mark.parametrize(
    ("rows", "listed"),
    [
        (facts("p", WEEKS[-1], 9), 0),
        (facts("p", WEEKS[-1], 1) + facts("p", WEEKS[0], 9), 1),
        (facts("p", WEEKS[0], 40), 0),
        ([], 0),
    ],
    ids=["too few", "enough over four weeks", "not this week", "a week without tickets"],
)
def test_what_is_listed(rows: list[dict[str, Any]], listed: int) -> None:
    assert len(list_candidates(rows, WEEKS, Taxonomy(), min_tickets=10, notes={})) == listed


def test_without_effort_the_list_goes_by_volume_and_says_so() -> None:
    rows = facts("a", WEEKS[-1], 10, effort_minutes=None) + facts("b", WEEKS[-1], 20, effort_minutes=None)

    listed = list_candidates(rows, WEEKS, Taxonomy(), min_tickets=10, notes={})

    assert [candidate.pattern_id for candidate in listed] == ["b", "a"]
    assert {candidate.touch.source for candidate in listed} == {"unknown"}


def test_figures_are_plain_json_with_the_keys_of_the_contract() -> None:
    rows = facts("p", WEEKS[-1], 12)

    (candidate,) = list_candidates(rows, WEEKS, Taxonomy(), min_tickets=10, notes={"p": ["password reset"] * 12})
    figures = json.loads(json.dumps(candidate.figures()))

    assert {"pattern_id", "kind", "volume", "trend", "hours"} <= figures.keys()
    assert set(figures["hours"]) == {"p10", "p50", "p90"}
    assert figures["resolutions"] == [{"text": "password reset", "share": 1.0}]
    assert figures["trend"]["direction"] == "burst"


def test_a_text_that_ends_in_many_categories_is_no_candidate() -> None:
    vague = [row | {"category": f"C{n % 3}"} for n, row in enumerate(facts("vague", WEEKS[-1], 30))]
    unlabelled = facts("plain", WEEKS[-1], 30, category=None)

    listed = list_candidates(vague + unlabelled, WEEKS, Taxonomy(), min_tickets=10, notes={})

    assert [candidate.pattern_id for candidate in listed] == ["plain"]


def test_a_small_pattern_that_just_came_up_would_not_outlive_its_payback() -> None:
    rows = facts("small", WEEKS[-1], 12, effort_minutes=8.0)

    assert list_candidates(rows, WEEKS, Taxonomy(), min_tickets=10, notes={}) == []


def test_what_an_automation_closed_took_nobody_any_time() -> None:
    rows = [row for week in WEEKS for row in facts("p", week, 20)]
    rows += [
        row | {"ticket_id": f"{row['ticket_id']}-a"}
        for week in WEEKS
        for row in facts("p", week, 20, tier="L0", effort_minutes=0.0)
    ]

    (candidate,) = list_candidates(rows, WEEKS, Taxonomy(), min_tickets=10, notes={})

    assert candidate.touch.minutes == pytest.approx(30.0)


def test_hours_are_those_of_tickets_that_people_closed() -> None:
    weeks = [f"2026-W{number:02d}" for number in range(1, 13)]
    by_people = [row for week in weeks for row in facts("p", week, 5)]
    by_machine = [
        row | {"ticket_id": f"{row['ticket_id']}-a"}
        for week in weeks
        for row in facts("p", week, 45, tier="L0", effort_minutes=0.0)
    ]

    (alone,) = list_candidates(by_people, weeks, Taxonomy(), min_tickets=10, notes={})
    (both,) = list_candidates(by_people + by_machine, weeks, Taxonomy(), min_tickets=10, notes={})

    assert both.work == alone.work
    assert both.work.p90 < 5
    assert (both.volume, both.weekly[-1]) == (50, 50)


def test_what_an_automation_saves_already_is_not_expected_once_more() -> None:
    weeks = [f"2026-W{number:02d}" for number in range(1, 13)]
    rows = [row for week in weeks for row in facts("p", week, 50)]
    closed = [{**row, "tier": "L0", "effort_minutes": 0.0} if n % 10 else row for n, row in enumerate(rows)]

    (before,) = list_candidates(rows, weeks, Taxonomy(), min_tickets=10, notes={})
    (after,) = list_candidates(closed, weeks, Taxonomy(), min_tickets=10, notes={})

    assert after.savings.saved == pytest.approx(45 / 2)
    assert (after.savings.expected, after.savings.weeks_to_pay_back) == (0.0, None)
    assert before.savings.saved == 0.0 < before.savings.expected


@pytest.mark.parametrize(("notes", "state"), [({}, "unknown"), ({"p": ["password reset"] * 12}, "no_article")])
def test_an_article_is_missed_only_where_close_notes_are_written(notes: dict[str, list[str]], state: str) -> None:
    (candidate,) = list_candidates(facts("p", WEEKS[-1], 12), WEEKS, Taxonomy(), min_tickets=10, notes=notes)

    assert candidate.knowledge.state == state
