from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from triage_ml.errors import InputError, StoreError
from triage_ml.settings import Settings
from triage_ml.store import facts_between, latest_book, mined_weeks, open_store, put_week, read_week, use_book
from triage_training import mine as job
from triage_training.mine import assignments, mine

Week = Callable[..., pd.DataFrame]
WEEKS = ["2026-W02", "2026-W03", "2026-W04", "2026-W05"]


def contents(settings: Settings) -> dict[str, Any]:
    """Everything that mining wrote."""
    store = open_store(settings.store_url)
    with store.read() as connection:
        weeks = mined_weeks(connection)
        found = {
            "weeks": {week: read_week(connection, week) for week in weeks},
            "facts": facts_between(connection, "0000", "9999"),
            "book": latest_book(connection),
        }
    store.close()
    return found


def test_all_complete_weeks_are_mined_oldest_first(desk: pd.DataFrame, settings: Settings) -> None:
    results = mine(desk, settings)

    assert [result.week for result in results] == WEEKS
    assert [result.tickets for result in results] == [60] * 4
    assert all(result.covered > 0.9 for result in results)
    assert results[0].found >= 4
    assert sum(result.found for result in results[1:]) == 0


def test_a_kind_keeps_its_pattern_from_week_to_week(desk: pd.DataFrame, settings: Settings) -> None:
    mine(desk, settings)

    facts = pd.DataFrame(contents(settings)["facts"])
    by_text = facts.dropna(subset="pattern_id").groupby("text_key")["pattern_id"].nunique()
    assert by_text.max() == 1
    ids = facts.groupby("week")["pattern_id"].agg(lambda column: frozenset(column.dropna()))
    assert len(set(ids.loc[WEEKS])) == 1


def test_the_second_run_has_nothing_left_to_do(desk: pd.DataFrame, settings: Settings) -> None:
    mine(desk, settings)
    before = contents(settings)

    assert mine(desk, settings) == []
    assert contents(settings) == before


def test_a_week_delivered_twice_counts_once(desk: pd.DataFrame, settings: Settings) -> None:
    mine(desk, settings)
    before = contents(settings)

    (again,) = mine(desk, settings, weeks=["2026-W05"])

    assert again.tickets == 60
    assert contents(settings) == before


def test_the_order_of_rows_does_not_matter(desk: pd.DataFrame, settings: Settings, tmp_path: Any) -> None:
    other = Settings(paths={"home": tmp_path / "other"})  # type: ignore[arg-type]
    mine(desk, settings)
    mine(desk.sample(frac=1, random_state=random.Random(4).randrange(100)), other)

    assert contents(settings) == contents(other)


def test_tickets_that_come_late_or_change_are_taken_up(desk: pd.DataFrame, settings: Settings) -> None:
    mine(desk, settings)
    late = desk[desk["ticket_id"] == "Access-2-03"].assign(ticket_id="LATE")
    changed = desk.assign(effort_minutes=desk["effort_minutes"].mask(desk["ticket_id"] == "Access-3-00", 90.0))

    results = mine(pd.concat([changed, late], ignore_index=True), settings)

    assert [(result.week, result.tickets) for result in results] == [("2026-W03", 61), ("2026-W04", 60)]


def test_the_last_weeks_only_still_learn_from_those_before(desk: pd.DataFrame, settings: Settings) -> None:
    (result,) = mine(desk, settings, last=1)

    assert result.week == "2026-W05"
    assert [len(candidate["weekly"]) for candidate in result.candidates] == [4] * len(result.candidates)
    assert all(candidate["trend"]["direction"] == "steady" for candidate in result.candidates)


def test_week_by_week_deliveries_keep_their_patterns(settings: Settings, week_of_tickets: Week) -> None:
    (first,) = mine(week_of_tickets(1), settings, weeks=["2026-W02"])
    (second,) = mine(week_of_tickets(2), settings, weeks=["2026-W03"])

    assert second.found == 0
    assert {one["pattern_id"] for one in first.candidates} == {one["pattern_id"] for one in second.candidates}


def test_a_week_without_tickets_is_listed_as_empty(settings: Settings, week_of_tickets: Week) -> None:
    desk = pd.concat([week_of_tickets(1), week_of_tickets(3), week_of_tickets(4).head(1)], ignore_index=True)

    results = mine(desk, settings)

    assert [(result.week, result.tickets) for result in results] == [
        ("2026-W02", 60),
        ("2026-W03", 0),
        ("2026-W04", 60),
    ]
    assert results[1].candidates == []


def test_killed_while_writing_the_store_is_as_before_and_the_next_run_completes(
    desk: pd.DataFrame, settings: Settings, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed_in_third_week(connection: Any, listed: Any) -> None:
        put_week(connection, listed)
        if listed.week == "2026-W04":
            raise KeyboardInterrupt

    undisturbed = Settings(paths={"home": tmp_path / "other"})  # type: ignore[arg-type]
    mine(desk, undisturbed)
    with monkeypatch.context() as patched:
        patched.setattr(job, "put_week", killed_in_third_week)
        with pytest.raises(KeyboardInterrupt):
            mine(desk, settings)

    assert list(contents(settings)["weeks"]) == ["2026-W02", "2026-W03"]
    assert [result.week for result in mine(desk, settings)] == ["2026-W04", "2026-W05"]
    assert contents(settings) == contents(undisturbed)


def test_of_two_runs_at_once_the_second_refuses(
    desk: pd.DataFrame, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = job.publish_book

    def other_run_first(*args: Any) -> str:
        store = open_store(settings.store_url)
        with store.begin() as connection:
            use_book(connection, "sha256:other", now=pd.Timestamp("2026-02-01", tz="UTC").to_pydatetime())
        store.close()
        return publish(*args)

    monkeypatch.setattr(job, "publish_book", other_run_first)

    with pytest.raises(StoreError, match="Another run has mined into this store meanwhile; nothing was written"):
        mine(desk, settings)
    assert contents(settings)["facts"] == []


def test_without_dates_patterns_are_found_and_there_is_no_list(desk: pd.DataFrame, settings: Settings) -> None:
    undated = desk.drop(columns=["opened_at"])

    (result,) = mine(undated, settings)

    assert (result.week, result.tickets, list(result.candidates)) == (None, len(desk), [])
    assert result.covered > 0.9
    assert contents(settings)["weeks"] == {}
    assert assignments(undated, settings)["pattern_id"].notna().mean() > 0.9


def test_a_week_that_is_not_there(desk: pd.DataFrame, settings: Settings) -> None:
    with pytest.raises(
        InputError, match=r"2027-W01: there are no tickets of this week\.\nThe tickets here are from 2026-W02"
    ):
        mine(desk, settings, weeks=["2027-W01"])


def test_assignments_have_one_row_a_ticket_in_order(desk: pd.DataFrame, settings: Settings) -> None:
    nothing = assignments(desk, settings)
    mine(desk, settings)

    table = assignments(desk, settings)

    assert nothing["pattern_id"].isna().all()
    assert list(table.columns) == ["ticket_id", "pattern_id", "variant_id", "theme_id"]
    assert table["ticket_id"].tolist() == desk["ticket_id"].tolist()
    kinds = desk["category"].to_numpy()
    assert table.groupby("pattern_id")["ticket_id"].agg(lambda ids: len({i.split("-")[0] for i in ids})).max() == 1
    assert table.groupby(kinds)["pattern_id"].nunique().min() >= 1


def test_hand_offs_are_counted_where_the_table_does_not(desk: pd.DataFrame, settings: Settings) -> None:
    log = pd.DataFrame({"ticket_id": ["Access-1-00", "Access-1-00", "Print-1-00"]})

    mine(desk, settings, handoffs=log)

    handoffs = {row["ticket_id"]: row["handoffs"] for row in contents(settings)["facts"]}
    assert (handoffs["Access-1-00"], handoffs["Print-1-00"], handoffs["Print-1-01"]) == (2.0, 1.0, 0.0)


def test_tickets_without_any_text_belong_to_no_pattern(desk: pd.DataFrame, settings: Settings) -> None:
    blank = desk.assign(title=desk["title"].mask(desk.index < 3), description=desk["description"].mask(desk.index < 3))

    mine(blank, settings)

    without = [row for row in contents(settings)["facts"] if row["text_key"] is None]
    assert len(without) == 3
    assert all(row["pattern_id"] is None for row in without)
