from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from triage_ml.errors import InputError, StoreError
from triage_ml.patterns import book_folder, prune_books
from triage_ml.settings import Settings
from triage_ml.store import (
    PatternDecision,
    add_decision,
    count_work,
    facts_between,
    latest_book,
    mined_weeks,
    open_store,
    put_week,
    read_week,
    use_book,
    weekly_work,
)
from triage_training import mine_writing as job
from triage_training.mine import assignments, mine

Week = Callable[..., pd.DataFrame]
WEEKS = ["2026-W02", "2026-W03", "2026-W04", "2026-W05"]


def tickets_by_week(work: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Tickets of each week, whatever their pattern."""
    tickets: Counter[str] = Counter()
    for row in work:
        tickets[row["week"]] += row["tickets"]
    return tickets


def contents(settings: Settings) -> dict[str, Any]:
    """Everything that mining wrote."""
    store = open_store(settings.store_url)
    with store.read() as connection:
        weeks = mined_weeks(connection)
        found = {
            "weeks": {week: read_week(connection, week) for week in weeks},
            "facts": facts_between(connection, "0000", "9999"),
            "book": latest_book(connection),
            "work": tickets_by_week(weekly_work(connection)),
        }
    store.close()
    return found


def weekly_tickets(found: dict[str, Any]) -> dict[str, list[str]]:
    """Week -> ids of its tickets."""
    weeks: dict[str, list[str]] = {}
    for row in found["facts"]:
        weeks.setdefault(row["week"], []).append(row["ticket_id"])
    return weeks


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


@pytest.mark.parametrize(("old", "new"), [("2026-W03", "2026-W05"), ("2026-W04", "2026-W02")])
def test_a_ticket_whose_date_is_corrected_counts_in_its_new_week_alone(
    desk: pd.DataFrame, settings: Settings, tmp_path: Any, old: str, new: str
) -> None:
    number = int(old[-2:]) - 1
    moved = desk["ticket_id"].isin([f"Access-{number}-0{place}" for place in range(3)])
    by = pd.Timedelta(weeks=int(new[-2:]) - int(old[-2:]))
    corrected = desk.assign(opened_at=desk["opened_at"].mask(moved, desk["opened_at"] + by))
    fresh = Settings(paths={"home": tmp_path / "fresh"})  # type: ignore[arg-type]
    mine(desk, settings)
    mine(corrected, fresh)

    results = mine(corrected, settings)

    assert {(result.week, result.tickets) for result in results} == {(old, 57), (new, 63)}
    now, wanted = contents(settings), contents(fresh)
    assert weekly_tickets(now) == weekly_tickets(wanted)
    assert {week: listed.tickets for week, listed in now["weeks"].items()} == {
        week: listed.tickets for week, listed in wanted["weeks"].items()
    }
    assert now["work"] == wanted["work"]
    assert mine(corrected, settings) == []


def test_a_ticket_corrected_into_a_week_that_is_mined_by_name_leaves_the_old_one(
    desk: pd.DataFrame, settings: Settings
) -> None:
    mine(desk, settings)
    moved = desk["ticket_id"] == "Access-2-03"
    corrected = desk.assign(opened_at=desk["opened_at"].mask(moved, desk["opened_at"] + pd.Timedelta(weeks=2)))

    mine(corrected, settings, weeks=["2026-W05"])

    weeks = contents(settings)["weeks"]
    assert {week: listed.tickets for week, listed in weeks.items()} == dict(zip(WEEKS, [60, 59, 60, 61], strict=True))


@pytest.mark.parametrize("column", ["resolution", "subcategory"])
def test_what_is_written_into_a_ticket_when_it_is_closed_is_taken_up(
    desk: pd.DataFrame, settings: Settings, column: str
) -> None:
    open_ones = desk.assign(**{column: None})
    mine(open_ones, settings)
    closed = open_ones.assign(**{column: desk["category"].where(desk["ticket_id"].str.startswith("Access-4"))})

    assert [result.week for result in mine(closed, settings)] == ["2026-W05"]


def test_a_delivery_without_hand_offs_leaves_those_that_are_known(desk: pd.DataFrame, settings: Settings) -> None:
    log = pd.DataFrame({"ticket_id": ["Access-1-00", "Access-1-00", "Access-4-03"]})
    mine(desk, settings, handoffs=log)
    before = contents(settings)
    late = desk[desk["ticket_id"] == "Access-4-03"].assign(ticket_id="LATE")

    assert mine(desk, settings) == []
    assert contents(settings) == before
    assert [result.week for result in mine(pd.concat([desk, late], ignore_index=True), settings)] == ["2026-W05"]
    handoffs = {row["ticket_id"]: row["handoffs"] for row in contents(settings)["facts"]}
    assert [handoffs[key] for key in ("Access-1-00", "Access-4-03", "Print-1-00", "LATE")] == [2.0, 1.0, 0.0, None]


def test_a_column_that_a_later_delivery_lacks_is_not_forgotten(desk: pd.DataFrame, settings: Settings) -> None:
    mine(desk, settings)
    before = contents(settings)

    assert mine(desk.drop(columns=["effort_minutes", "channel"]), settings) == []
    assert mine(desk.assign(reopen_count=None), settings) == []
    assert contents(settings) == before


def test_rare_tickets_count_once_however_often_they_are_delivered(settings: Settings, week_of_tickets: Week) -> None:
    week = week_of_tickets(1)
    rare = week.head(3).assign(
        ticket_id=["R1", "R2", "R3"], title="Zebra gnaws on the turnstile", description="", resolution=None
    )
    frame = pd.concat([week, rare], ignore_index=True)

    for effort in range(5):
        results = mine(frame.assign(effort_minutes=float(effort)), settings, weeks=["2026-W02"])

    assert results[0].found == 0
    assert {row["pattern_id"] for row in contents(settings)["facts"] if row["ticket_id"] in ("R1", "R2")} == {None}


def test_without_dates_rare_tickets_count_once_too(settings: Settings, week_of_tickets: Week) -> None:
    week = week_of_tickets(1).drop(columns=["opened_at"])
    rare = week.head(4).assign(title="Zebra gnaws on the turnstile", description="", resolution=None, category=None)
    frame = pd.concat([week, rare.assign(ticket_id=["R1", "R2", "R3", "R4"])], ignore_index=True)

    (first,) = mine(frame, settings)
    again = [mine(frame.assign(priority=str(number)), settings)[0] for number in range(4)]
    (same,) = mine(frame.assign(priority="3"), settings)

    assert [one.found for one in (*again, same)] == [0] * 5
    assert {one.covered for one in (*again, same)} == {first.covered}
    (more,) = mine(pd.concat([frame, rare.assign(ticket_id=["R5", "R6", "R7", "R8"])], ignore_index=True), settings)
    assert more.found == 0
    (enough,) = mine(rare.assign(ticket_id=["R1", "R8", "R9", "R10"]), settings)
    assert enough.found == 1


def test_without_dates_a_ticket_that_had_one_keeps_its_week(desk: pd.DataFrame, settings: Settings) -> None:
    mine(desk, settings)
    before = contents(settings)

    mine(desk.drop(columns=["opened_at"]), settings)

    after = contents(settings)
    assert (after["facts"], after["weeks"], after["work"]) == (before["facts"], before["weeks"], before["work"])


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
            raise KeyboardInterrupt("in the third week")

    undisturbed = Settings(paths={"home": tmp_path / "other"})  # type: ignore[arg-type]
    mine(desk, undisturbed)
    with monkeypatch.context() as patched:
        patched.setattr(job, "put_week", killed_in_third_week)
        with pytest.raises(KeyboardInterrupt, match="in the third week"):
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


def test_a_run_that_only_counted_makes_another_one_refuse_too(
    desk: pd.DataFrame, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine(desk, settings)
    publish = job.publish_book

    def other_run_first(*args: Any) -> str:
        store = open_store(settings.store_url)
        with store.begin() as connection:
            count_work(connection)
        store.close()
        return publish(*args)

    monkeypatch.setattr(job, "publish_book", other_run_first)
    late = desk[desk["ticket_id"] == "Access-4-03"].assign(ticket_id="LATE")

    with pytest.raises(StoreError, match="Another run has mined into this store meanwhile; nothing was written"):
        mine(pd.concat([desk, late], ignore_index=True), settings)
    assert "LATE" not in {row["ticket_id"] for row in contents(settings)["facts"]}


def test_a_bundle_that_another_run_deleted_before_it_was_in_use_is_there_again(
    desk: pd.DataFrame, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = job.publish_book
    deleted: list[str] = []

    def pruned_by_another(*args: Any) -> str:
        digest = publish(*args)
        if not deleted:
            deleted.extend(prune_books(settings.paths.bundles, keep=[]))
        return digest

    monkeypatch.setattr(job, "publish_book", pruned_by_another)
    mine(desk, settings, weeks=["2026-W02"])

    assert deleted
    assert book_folder(settings.paths.bundles, contents(settings)["book"]).exists()


def test_while_one_run_deletes_bundles_no_other_one_puts_its_own_in_use(
    desk: pd.DataFrame, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    prune, refused = job.prune_books, []

    def another_writes(*args: Any, **keywords: Any) -> list[str]:
        other = sqlite3.connect(settings.store_url.removeprefix("sqlite:///"), timeout=0, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            refused.append(str(error))
        other.close()
        return prune(*args, **keywords)

    monkeypatch.setattr(job, "prune_books", another_writes)
    mine(desk, settings, weeks=["2026-W02"])

    assert set(refused) == {"database is locked"}


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


def test_mined_again_a_list_that_was_decided_on_stays_and_mining_says_so(
    desk: pd.DataFrame, settings: Settings
) -> None:
    mine(desk, settings)
    before = contents(settings)["weeks"]
    figures = before["2026-W03"].candidates[0]
    store = open_store(settings.store_url)
    frozen = {"frozen": {"week": "2026-W03", "hours": figures["hours"]}}
    with store.begin() as connection:
        now = datetime(2026, 2, 2, tzinfo=UTC)
        assert add_decision(connection, PatternDecision(figures["pattern_id"], 1, "accept", now, "ana", frozen))
    store.close()
    late = desk[desk["ticket_id"].isin(["Access-2-03", "Access-3-03"])].assign(ticket_id=["LATE-2", "LATE-3"])

    results = mine(pd.concat([desk, late], ignore_index=True), settings)

    assert [(result.week, result.is_kept) for result in results] == [("2026-W03", True), ("2026-W04", False)]
    after = contents(settings)
    assert after["weeks"]["2026-W03"] == before["2026-W03"]
    assert after["weeks"]["2026-W04"].tickets == 61
    assert "LATE-2" in {fact["ticket_id"] for fact in after["facts"]}


def test_weeks_out_of_order_end_with_the_same_volumes(settings: Settings, week_of_tickets: Week) -> None:
    for week in (2, 1, 3):
        mine(week_of_tickets(week), settings, weeks=[f"2026-W{week + 1:02d}"])

    found = contents(settings)
    assert {week: listed.tickets for week, listed in found["weeks"].items()} == dict.fromkeys(WEEKS[:3], 60)
    by_week = pd.DataFrame(found["facts"]).groupby("week")["pattern_id"].agg(lambda ids: frozenset(ids.dropna()))
    assert len(set(by_week)) == 1
    weekly = {week: {tuple(one["weekly"]) for one in listed.candidates} for week, listed in found["weeks"].items()}
    assert weekly == {"2026-W02": {(15,)}, "2026-W03": {(15,)}, "2026-W04": {(15, 15, 15)}}


def test_a_week_that_was_skipped_is_not_taken_for_an_empty_one(settings: Settings, week_of_tickets: Week) -> None:
    mine(week_of_tickets(1), settings, weeks=["2026-W02"])
    (result,) = mine(week_of_tickets(3), settings, weeks=["2026-W04"])

    assert {tuple(one["weekly"]) for one in result.candidates} == {(15, 15)}


def test_a_week_that_was_empty_counts_as_none(settings: Settings, week_of_tickets: Week) -> None:
    both = pd.concat([week_of_tickets(1), week_of_tickets(3)], ignore_index=True)

    (result,) = mine(both, settings, weeks=["2026-W04"])

    assert {tuple(one["weekly"]) for one in result.candidates} == {(15, 0, 15)}


def test_lists_after_a_week_that_changed_are_as_if_it_had_always_been_so(
    desk: pd.DataFrame, settings: Settings, tmp_path: Any
) -> None:
    fresh = Settings(paths={"home": tmp_path / "fresh"})  # type: ignore[arg-type]
    late = desk[desk["ticket_id"] == "Access-2-03"].assign(ticket_id="LATE")
    whole = pd.concat([desk, late], ignore_index=True)
    mine(whole, fresh)
    mine(desk, settings)

    assert [result.week for result in mine(whole, settings)] == ["2026-W03"]

    now, wanted = contents(settings)["weeks"], contents(fresh)["weeks"]
    volumes = [
        {week: sorted(tuple(one["weekly"]) for one in listed.candidates) for week, listed in lists.items()}
        for lists in (now, wanted)
    ]
    assert volumes[0] == volumes[1]
    assert {one["kind"] for one in now["2026-W05"].candidates} == {one["kind"] for one in wanted["2026-W05"].candidates}


def test_a_later_list_stays_where_the_table_does_not_hold_its_tickets(
    desk: pd.DataFrame, settings: Settings, week_of_tickets: Week
) -> None:
    mine(desk, settings)
    before = contents(settings)["weeks"]["2026-W05"]
    late = week_of_tickets(2).assign(ticket_id=lambda frame: "LATE" + frame["ticket_id"])

    mine(late, settings, weeks=["2026-W03"])

    assert contents(settings)["weeks"]["2026-W05"] == before


def test_tickets_that_are_all_alike_and_tickets_that_share_nothing(settings: Settings, week_of_tickets: Week) -> None:
    week = week_of_tickets(1)
    alike = week.assign(title="Disk full", description="on srv-db-01", resolution="Cleaned")
    letters = random.Random(1)
    nonsense = ["".join(letters.choices("abcdefghijklmnopqrstuvwxyz", k=11)) for _ in range(len(week))]
    unlike = week.assign(ticket_id="X" + week["ticket_id"], title=nonsense, description="").drop(
        columns=["resolution", "category"]
    )

    (first,) = mine(alike, settings, weeks=["2026-W02"])
    (second,) = mine(pd.concat([alike, unlike], ignore_index=True), settings, weeks=["2026-W02"])

    assert (first.covered, first.found) == (1.0, 1)
    assert (second.covered, second.found) == (0.5, 0)


def test_a_week_that_comes_late_says_which_lists_leave_it_out(week_of_tickets: Week, settings: Settings) -> None:
    first, second, third = (week_of_tickets(week) for week in (1, 2, 3))
    mine(first, settings, weeks=["2026-W02"])
    mine(third, settings, weeks=["2026-W04"])

    (late,) = mine(second, settings, weeks=["2026-W03"])
    assert late.outdated == ["2026-W04"]
    assert _weekly(settings, "2026-W04") == {2}

    (again,) = mine(third, settings, weeks=["2026-W04"])
    assert list(again.outdated) == []
    assert _weekly(settings, "2026-W04") == {3}


def test_a_date_of_1970_belongs_to_no_week_and_makes_none(desk: pd.DataFrame, settings: Settings) -> None:
    unset = desk["ticket_id"] == "Access-2-03"
    dated = desk.assign(opened_at=desk["opened_at"].mask(unset, pd.Timestamp("1970-01-01", tz="UTC")))

    assert [(one.week, one.tickets) for one in mine(dated, settings)] == list(zip(WEEKS, [60, 59, 60, 60], strict=True))
    assert next(one.week for one in mine(desk, settings)) == "2026-W03"
    assert weekly_tickets(contents(settings))["2026-W03"].count("Access-2-03") == 1


def _weekly(settings: Settings, week: str) -> set[int]:
    """How many weeks the figures of a list look back on."""
    return {len(one["weekly"]) for one in contents(settings)["weeks"][week].candidates}


def test_progress_says_what_is_done_and_how_much_of_it(week_of_tickets: Week, settings: Settings) -> None:
    told: list[tuple[str, int, int]] = []
    desk = pd.concat([week_of_tickets(week) for week in (1, 2, 4)], ignore_index=True)

    mine(desk, settings, weeks=["2026-W02", "2026-W03", "2026-W05"], progress=lambda *one: told.append(one))
    assert told == [
        ("gathering", 180, 180),
        ("learning", 0, 0),
        ("week 2026-W02", 0, 3),
        ("week 2026-W03", 1, 3),
        ("week 2026-W05", 2, 3),
    ]
    told.clear()
    first = desk["opened_at"] < pd.Timestamp("2026-01-12", tz="UTC")
    later = desk.assign(effort_minutes=desk["effort_minutes"].mask(first, 90.0))
    mine(later, settings, weeks=["2026-W02"], progress=lambda *one: told.append(one))
    assert told == [("week 2026-W02", 0, 1), ("again 2026-W03", 0, 2), ("again 2026-W05", 1, 2)]
