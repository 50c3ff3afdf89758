from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from triage_ml.store import (
    DecisionAction,
    PatternDecision,
    PatternRecord,
    Standing,
    Store,
    WeekList,
    add_decision,
    automations_in_force,
    binding_decisions,
    decisions_of,
    put_patterns,
    put_week,
    read_week,
    standing_of,
    standings,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
TODAY = NOW.date()


def decisions(*steps: tuple[DecisionAction, dict[str, Any]], pattern_id: str = "p1") -> list[PatternDecision]:
    return [
        PatternDecision(pattern_id, number, action, NOW + timedelta(minutes=number), "ana", details)
        for number, (action, details) in enumerate(steps, start=1)
    ]


def test_a_pattern_that_nobody_decided_on_is_new() -> None:
    assert standing_of([], today=TODAY) == Standing("new", 0)


@pytest.mark.parametrize(
    ("action", "details", "status"),
    [
        ("accept", {}, "accepted"),
        ("reject", {"reason": "vendor"}, "rejected"),
        ("in_progress", {}, "in_progress"),
        ("automated", {"reference": "RB-1", "mode": "auto", "since": "2026-11-22"}, "automated"),
        ("note", {"reason": "asked the vendor"}, "new"),
    ],
)
def test_each_action_leads_to_its_status(action: DecisionAction, details: dict[str, Any], status: str) -> None:
    assert standing_of(decisions((action, details)), today=TODAY).status == status


def test_a_rejection_lasts_through_its_last_day_and_then_the_pattern_is_new_again() -> None:
    history = decisions(("reject", {"reason": "later", "until": "2026-12-31"}))
    assert standing_of(history, today=date(2026, 12, 31)).status == "rejected"
    assert standing_of(history, today=date(2027, 1, 1)).status == "new"


def test_a_rejection_without_an_end_lasts() -> None:
    assert standing_of(decisions(("reject", {"reason": "no"})), today=date(2099, 1, 1)).status == "rejected"


def test_undo_takes_back_one_decision_after_the_other_and_stays_to_be_read() -> None:
    steps: list[tuple[DecisionAction, dict[str, Any]]] = [("accept", {}), ("reject", {"reason": "no"}), ("undo", {})]
    assert standing_of(decisions(*steps), today=TODAY).status == "accepted"
    twice = standing_of(decisions(*steps, ("undo", {})), today=TODAY)
    assert (twice.status, twice.revision) == ("new", 4)


def test_people_and_titles_stay_when_the_status_changes() -> None:
    history = decisions(
        ("assign", {"owner": "Mia", "consulted": ["Jo"], "informed": []}),
        ("rename", {"title": "Mailbox full"}),
        ("accept", {}),
    )
    standing = standing_of(history, today=TODAY)
    assert (standing.owner, standing.consulted, standing.title) == ("Mia", ("Jo",), "Mailbox full")


def test_decisions_come_back_as_they_were_made(store: Store) -> None:
    history = decisions(("note", {"reason": "=1+1 <b>"}), ("accept", {"frozen": {"hours": {"p50": 1.5}}}))
    with store.begin() as connection:
        assert all(add_decision(connection, one) for one in history)
    with store.read() as connection:
        assert decisions_of(connection, ["p1", "nowhere"]) == {"p1": history}


@pytest.mark.parametrize("revision", [1, 3], ids=["taken", "skipped"])
def test_a_decision_that_is_not_the_next_one_is_not_written(store: Store, revision: int) -> None:
    first = decisions(("accept", {}))[0]
    with store.begin() as connection:
        assert add_decision(connection, first)
        assert not add_decision(connection, PatternDecision("p1", revision, "undo", NOW, "bo"))
    with store.read() as connection:
        assert decisions_of(connection, ["p1"]) == {"p1": [first]}


def test_of_many_who_decide_at_once_one_wins(store: Store) -> None:
    def decide(who: int) -> bool:
        with store.begin() as connection:
            return add_decision(connection, PatternDecision("p1", 1, "accept", NOW, f"person {who}"))

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(decide, range(8))) == [False] * 7 + [True]


def test_automations_are_in_force_from_their_day_until_they_are_taken_back(store: Store) -> None:
    details = {"reference": "RB-1", "mode": "auto", "since": "2026-11-22"}
    started, undone = decisions(("automated", details), ("undo", {}))
    later = decisions(("automated", {**details, "since": "2026-12-01"}), pattern_id="p2")
    with store.begin() as connection:
        add_decision(connection, started)
        add_decision(connection, later[0])
    with store.begin() as connection:
        in_force = automations_in_force(connection, today=TODAY)
        assert in_force == {"p1": {"candidate": "p1", "reference": "RB-1", "mode": "auto"}}
        add_decision(connection, undone)
        assert automations_in_force(connection, today=TODAY) == {}


def test_merges_splits_and_renames_bind_the_next_mine_unless_undone(store: Store) -> None:
    kept = decisions(("merge", {"into": "p9"}))
    dropped = decisions(("rename", {"title": "B"}), ("undo", {}), ("split", {"reason": "two things"}), pattern_id="p2")
    with store.begin() as connection:
        assert all(add_decision(connection, one) for one in kept + dropped)
    with store.read() as connection:
        assert binding_decisions(connection) == [kept[0], dropped[2]]
        assert standings(connection, today=TODAY)["p1"].merged_into == "p9"


def test_a_list_that_was_decided_on_keeps_the_figures_it_showed(store: Store) -> None:
    first, again = (WeekList("2026-W46", 10, 0.5, [{"pattern_id": "p", "volume": volume}]) for volume in (4, 9))
    with store.begin() as connection:
        put_patterns(connection, [PatternRecord("p", "VPN", [], [], "2026-W46")])
        assert put_week(connection, first)
        assert put_week(connection, replace(again, tickets=12))
        assert put_week(connection, first)

        add_decision(
            connection, PatternDecision("p", 1, "accept", NOW, "ana", {"frozen": {"week": "2026-W46", "volume": 4}})
        )
        assert not put_week(connection, again)
        kept = read_week(connection, "2026-W46")

        assert put_week(connection, replace(again, week="2026-W47"))
    assert kept is not None
    assert (kept.tickets, kept.candidates[0]["volume"]) == (10, 4)


def test_an_automation_follows_its_pattern_into_the_one_it_was_merged_into_but_only_suggests_there(
    store: Store,
) -> None:
    details = {"reference": "RB-1", "mode": "auto", "since": "2026-11-01"}
    goes_on = PatternRecord("p9", "VPN", [], [], "2026-W40")
    merged = PatternRecord("p1", "VPN too", [], [], "2026-W40", state="merged", merged_into="p9")
    with store.begin() as connection:
        put_patterns(connection, [goes_on, merged])
        assert add_decision(connection, PatternDecision("p1", 1, "automated", NOW, "ana", details))
        in_force = automations_in_force(connection, today=TODAY)
        assert in_force["p9"] == {"candidate": "p1", "reference": "RB-1", "mode": "suggest"}

        own = {**details, "reference": "RB-9"}
        assert add_decision(connection, PatternDecision("p9", 1, "automated", NOW, "ana", own))
        assert automations_in_force(connection, today=TODAY)["p9"]["mode"] == "auto"
