"""Decisions bind the next mining, and what became of patterns is recorded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from triage_ml.patterns import book_folder
from triage_ml.settings import Settings
from triage_ml.store import (
    PatternDecision,
    PatternRecord,
    add_decision,
    all_records,
    facts_between,
    latest_book,
    lineage_of,
    open_store,
    proposals,
)
from triage_training.mine import assignments, mine, reorganise

Week = Callable[..., pd.DataFrame]
NOW = datetime(2026, 2, 1, tzinfo=UTC)


class Home:
    """A store to decide in and to look into."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def decide(self, pattern_id: str, action: Any, revision: int = 1, **details: Any) -> None:
        store = open_store(self.settings.store_url)
        with store.begin() as connection:
            assert add_decision(connection, PatternDecision(pattern_id, revision, action, NOW, "ops", details))
        store.close()

    def read(self, query: Callable[..., Any], *arguments: Any) -> Any:
        store = open_store(self.settings.store_url)
        with store.read() as connection:
            found = query(connection, *arguments)
        store.close()
        return found

    def events(self) -> list[tuple[str, str, str | None]]:
        return [
            (one.pattern_id, one.event, one.other)
            for events in self.read(lineage_of).values()
            for one in events
            if one.event != "found"
        ]

    def records(self) -> dict[str, PatternRecord]:
        found: dict[str, PatternRecord] = self.read(all_records)
        return found

    def largest(self, category: str, week: str) -> str:
        facts = pd.DataFrame(self.read(facts_between, week, week))
        return str(facts[facts["category"] == category]["pattern_id"].value_counts().index[0])


@pytest.fixture
def home(settings: Settings) -> Home:
    return Home(settings)


def test_a_merge_binds_the_next_week_and_an_undo_the_one_after(
    home: Home, settings: Settings, week_of_tickets: Week
) -> None:
    mine(week_of_tickets(1), settings, weeks=["2026-W02"])
    vpn, disk = home.largest("Network", "2026-W02"), home.largest("Storage", "2026-W02")

    home.decide(vpn, "merge", into=disk)
    (second,) = mine(week_of_tickets(2), settings, weeks=["2026-W03"])
    home.decide(vpn, "undo", revision=2)
    (third,) = mine(week_of_tickets(3), settings, weeks=["2026-W04"])

    assert vpn not in {one["pattern_id"] for one in second.candidates}
    assert vpn in {one["pattern_id"] for one in third.candidates}
    assert home.events() == [(vpn, "merged", disk), (vpn, "unmerged", disk)]
    assert home.largest("Network", "2026-W03") == vpn  # undone, the week before is as it was assigned


def test_not_one_thing_is_split_and_the_parts_are_recorded(
    home: Home, settings: Settings, week_of_tickets: Week
) -> None:
    mine(week_of_tickets(1), settings, weeks=["2026-W02"])
    printers = home.largest("Print", "2026-W02")

    home.decide(printers, "split", reason="Paper jams are something else")
    mine(week_of_tickets(2), settings, weeks=["2026-W03"])
    mine(week_of_tickets(3), settings, weeks=["2026-W04"])

    events = home.events()
    children = [child for child, event, _ in events if event == "split_from"]
    assert children
    assert [other for _, event, other in events if event == "split"] == children
    tickets = assignments(week_of_tickets(4, kinds=("Print",)), settings)["pattern_id"].dropna()
    assert set(tickets) == {printers, *children}


def test_decisions_bind_the_next_run_even_if_no_ticket_is_new(
    home: Home, settings: Settings, desk: pd.DataFrame
) -> None:
    mine(desk, settings)
    vpn, disk = home.largest("Network", "2026-W05"), home.largest("Storage", "2026-W05")
    printers = home.largest("Print", "2026-W05")
    tickets = {week: len(home.read(facts_between, week, week)) for week in ("2026-W04", "2026-W05")}

    home.decide(vpn, "merge", into=disk)
    home.decide(printers, "split", reason="Paper jams are something else")
    (result,) = mine(desk, settings)

    assert (result.week, result.tickets) == ("2026-W05", 60)
    assert {one["pattern_id"] for one in result.candidates}.isdisjoint({vpn})
    assert {"merged", "split"} <= {event for _, event, _ in home.events()}
    assert home.records()[vpn].merged_into == disk
    assert {week: len(home.read(facts_between, week, week)) for week in tickets} == tickets
    assert mine(desk, settings) == []

    home.decide(vpn, "undo", revision=2)
    (undone,) = mine(desk, settings, weeks=["2026-W05"])
    assert vpn in {one["pattern_id"] for one in undone.candidates}
    assert mine(desk, settings) == []


def test_what_is_split_takes_its_history_along(home: Home, settings: Settings, desk: pd.DataFrame) -> None:
    words = pd.Series(["alpha", "bravo", "charlie", "delta", "alpha"])  # no two weeks say the same
    said = desk["description"] + " " + desk["ticket_id"].str.split("-").str[1].astype(int).sub(1).map(words)
    desk = desk.assign(description=said)
    mine(desk, settings)
    printers = home.largest("Print", "2026-W05")
    home.decide(printers, "split", reason="Paper jams are something else")

    (result,) = mine(desk, settings)

    parts = {printers, *(child for child, event, _ in home.events() if event == "split_from")}
    listed = {one["pattern_id"]: one["weekly"] for one in result.candidates if one["pattern_id"] in parts}
    assert len(listed) > 1
    assert all(len(set(weekly)) == 1 for weekly in listed.values())
    facts = pd.DataFrame(home.read(facts_between, "0000", "9999"))
    assert facts[facts["pattern_id"].isin(parts)].groupby("week")["pattern_id"].nunique().nunique() == 1


def test_without_dates_decisions_bind_too(home: Home, settings: Settings, desk: pd.DataFrame) -> None:
    undated = desk.drop(columns=["opened_at"])
    mine(undated, settings)
    vpn, disk, *_ = sorted(home.records())
    home.decide(vpn, "merge", into=disk)

    mine(undated, settings)

    assert home.records()[vpn].merged_into == disk


def test_a_title_that_a_person_gave_is_answered(home: Home, settings: Settings, week_of_tickets: Week) -> None:
    mine(week_of_tickets(1), settings, weeks=["2026-W02"])
    home.decide(home.largest("Network", "2026-W02"), "rename", title="Tunnel trouble")
    mine(week_of_tickets(2), settings, weeks=["2026-W03"])

    from triage_ml.patterns import load_book

    digest = home.read(latest_book)
    assert "Tunnel trouble" in load_book(settings.paths.bundles, digest).titles


def test_a_pattern_without_tickets_is_idle_until_it_returns(
    home: Home, settings: Settings, week_of_tickets: Week
) -> None:
    mine(week_of_tickets(1), settings, weeks=["2026-W02"])
    vpn = home.largest("Network", "2026-W02")
    others = ("Access", "Print", "Storage")

    mine(week_of_tickets(11, kinds=others), settings, weeks=["2026-W12"])
    states = {vpn: home.records()[vpn].state, "seen": home.records()[vpn].last_seen}
    mine(week_of_tickets(12), settings, weeks=["2026-W13"])

    assert states == {vpn: "idle", "seen": "2026-W02"}
    assert home.records()[vpn].state == "live"
    assert [event for event in home.events() if event[0] == vpn] == [(vpn, "idle", None), (vpn, "returned", None)]


def test_a_week_out_of_order_makes_nothing_idle(home: Home, settings: Settings, week_of_tickets: Week) -> None:
    mine(week_of_tickets(12), settings, weeks=["2026-W13"])
    mine(week_of_tickets(1), settings, weeks=["2026-W02"])

    assert {one.state for one in home.records().values()} == {"live"}
    assert {one.last_seen for one in home.records().values()} == {"2026-W13"}


def test_a_new_space_keeps_the_ids_of_nearly_all_tickets(desk: pd.DataFrame, settings: Settings, home: Home) -> None:
    mine(desk, settings)
    before = assignments(desk, settings)["pattern_id"]
    digest = home.read(latest_book)

    new_words = desk.assign(ticket_id="X" + desk["ticket_id"], title="Headset silent", description="in a Teams meeting")
    results = mine(pd.concat([desk, new_words.head(60)], ignore_index=True), settings, refit=True)

    after = assignments(desk, settings)["pattern_id"]
    assert [result.week for result in results] == ["2026-W02"]
    assert home.read(latest_book) != digest
    assert (before.fillna("") == after.fillna("")).mean() > 0.97
    assert {event for _, event, _ in home.events()} == {"refitted"}


def test_a_reorganisation_proposes_and_changes_nothing(desk: pd.DataFrame, settings: Settings, home: Home) -> None:
    mine(desk, settings)
    before = home.read(latest_book), home.records()

    found = reorganise(desk, settings)

    assert (home.read(latest_book), home.records()) == before
    assert home.read(proposals) == found
    assert {one.action for one in found} <= {"merge", "split"}


def test_old_pattern_bundles_are_removed(settings: Settings, week_of_tickets: Week, home: Home) -> None:
    for week in range(1, 7):
        mine(week_of_tickets(week), settings, weeks=[f"2026-W{week + 1:02d}"])

    kept = list(settings.paths.bundles.glob("patterns-*"))
    assert len(kept) <= 3
    assert book_folder(settings.paths.bundles, home.read(latest_book)) in kept
