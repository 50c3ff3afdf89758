"""Whatever a desk's records lack or exaggerate, there is a list, and people can review it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from listed import WEEK, put_list

from triage_ml.review import FORMATS, load_realised, load_week, week_document
from triage_ml.store import (
    FACT_COLUMNS,
    LineageEvent,
    PatternDecision,
    PatternRecord,
    Store,
    WeekList,
    add_decision,
    add_lineage,
    count_work,
    decisions_of,
    pattern_records,
    put_facts,
    put_patterns,
    put_week,
    standings,
    update_patterns,
)
from triage_ml.taxonomy import Taxonomy
from triage_ml.value import list_candidates

Make = Callable[..., Any]
WEEKS = [f"2026-W{number}" for number in range(31, 47)]
FULL = {"tier": "L1", "category": "Access", "assignment_group": "Desk", "ticket_type": "request", "channel": "portal"} | {
    "effort_minutes": 30.0, "handoffs": 0.0, "reopens": 0.0, "priority": "P3", "activity": "adaptive", "similarity": 0.9,
}  # fmt: skip
LONG = "Ä very long title " + "x" * 182


def facts(weeks: list[str], pattern: str = "p1", count: int = 12, **changes: Any) -> list[dict[str, Any]]:
    row = {**dict.fromkeys(FACT_COLUMNS), "digest": "d", "pattern_id": pattern, **FULL, **changes}
    return [{**row, "ticket_id": f"{pattern}-{week}-{n}", "week": week} for week in weeks for n in range(count)]


def mined(store: Store, rows: list[dict[str, Any]], weeks: list[str], notes: list[str]) -> None:
    """What `triage mine` writes of these facts."""
    ids = sorted({row["pattern_id"] for row in rows})
    with store.begin() as connection:
        put_patterns(connection, [PatternRecord(one, LONG[:200], ["word"], ["example"], weeks[0]) for one in ids])
        put_facts(connection, rows)
        count_work(connection)
        listed = list_candidates(rows, weeks, Taxonomy(), min_tickets=10, notes=dict.fromkeys(ids, notes))
        put_week(connection, WeekList(weeks[-1], len(rows), 1.0, [one.figures() for one in listed]))


@pytest.mark.parametrize(
    ("rows", "weeks", "notes"),
    [
        (facts(WEEKS, effort_minutes=None), WEEKS, ["Reset it."] * 9),
        (facts(WEEKS, effort_minutes=0.0), WEEKS, ["Reset it."] * 9),
        (facts(WEEKS, effort_minutes=10_000.0), WEEKS, ["Reset it."] * 9),
        (facts(WEEKS), WEEKS, []),
        (facts(WEEKS, tier=None, assignment_group=None), WEEKS, ["Reset it."] * 9),
        (facts(WEEKS[-1:]), WEEKS[-1:], ["Reset it."] * 9),
        (facts(WEEKS, **dict.fromkeys(FULL)), WEEKS, []),
    ],
    ids=["no effort", "effort 0", "effort 10,000", "no resolutions", "no tiers", "one week", "nothing but text"],
)
def test_a_list_without(person: Make, store: Store, rows: Any, weeks: list[str], notes: list[str]) -> None:
    mined(store, rows, weeks, notes)
    ana = person()

    for path in ("/review", "/review/candidates/p1", "/review/service-levels", "/review/patterns"):
        assert "p1" in ana.read(path).html or "service" in path
    with store.read() as connection:
        report = load_week(connection, None, today=date(2026, 11, 22))
    assert report is not None
    hours = report.candidates[0]["hours"]
    assert 0 <= hours["p10"] <= hours["p50"] <= hours["p90"] < 1e5
    for kind in FORMATS:
        assert week_document(report, kind)
    json.loads(week_document(report, "json"))
    assert ana.client.get("/review/candidates/p1/kit.zip").status_code == 200
    assert ana.decide(ana.read("/review/candidates/p1"), "accept").status_code == 303


def decided(store: Store, pattern: str = "p1", since: str = "2026-10-19") -> None:
    details = {"reference": "RB", "mode": "auto", "since": since, "frozen": {"week": "2026-W42", "hours": {"p50": 3.0}}}
    then = datetime(2026, 10, 19, 9, tzinfo=UTC)
    with store.begin() as connection:
        assert add_decision(connection, PatternDecision(pattern, 1, "automated", then, "ana", details))


def saved(store: Store) -> Any:
    with store.read() as connection:
        return load_realised(connection, standings(connection, today=date(2026, 11, 22)))


def automated_rows(pattern: str = "p1") -> list[dict[str, Any]]:
    before = facts(WEEKS[:12], pattern, 40)
    rest = facts(WEEKS[12:], pattern, 40)
    return before + [{**row, "tier": "L0", "effort_minutes": None} if n % 2 else row for n, row in enumerate(rest)]


def test_a_pattern_that_was_merged_after_its_decision_is_looked_back_on_where_it_goes_on(
    person: Make, store: Store
) -> None:
    mined(store, automated_rows() + facts(WEEKS, "p2", 5), WEEKS, ["Reset it."])
    decided(store)
    alone = saved(store)["p1"]
    with store.begin() as connection:
        merged = replace(pattern_records(connection, ["p1"])["p1"], state="merged", merged_into="p2")
        update_patterns(connection, [merged])
        add_lineage(connection, [LineageEvent("p1", "2026-W46", "merged", "p2")], now=datetime.now(UTC))

    assert saved(store)["p1"]["automated"] == alone["automated"] == 80
    page = person().read("/review/candidates/p1").text
    assert "It goes on as" in page
    assert "merged p2" in " ".join(page.split())


def test_two_automated_patterns_that_were_merged_saved_what_they_saved_once(person: Make, store: Store) -> None:
    mined(store, automated_rows() + automated_rows("p2") + facts(WEEKS, "rest", 200), WEEKS, ["Reset it."])
    decided(store, since="2026-10-26")
    decided(store, "p2")
    apart = saved(store)
    with store.begin() as connection:
        merged = replace(pattern_records(connection, ["p1"])["p1"], state="merged", merged_into="p2")
        update_patterns(connection, [merged])

    together = saved(store)

    assert list(together) == ["p2"]
    assert together["p2"]["automated"] == 160
    assert together["p2"]["hours"] == pytest.approx(apart["p1"]["hours"] * 4 / 3 + apart["p2"]["hours"], rel=0.05)
    assert (together["p2"]["since"], together["p2"]["promised"]) == ("2026-W43", 6.0)


def test_what_went_to_a_part_that_was_split_off_was_not_saved(store: Store) -> None:
    gone = facts(WEEKS[:12], "p1", 40) + facts(WEEKS[12:], "p1", 8) + facts(WEEKS[12:], "part", 32)
    mined(store, gone + facts(WEEKS, "rest", 200), WEEKS, ["Reset it."])
    decided(store)
    before = saved(store)["p1"]
    with store.begin() as connection:
        add_lineage(connection, [LineageEvent("part", "2026-W43", "split_from", "p1")], now=datetime.now(UTC))

    assert before["prevented"] == 128
    assert saved(store)["p1"]["prevented"] == 0


def test_a_pattern_that_fell_idle_after_its_decision_keeps_its_page_and_its_figures(person: Make, store: Store) -> None:
    mined(store, facts(WEEKS[:12], "p1", 40) + facts(WEEKS, "rest", 200), WEEKS, ["Reset it."])
    put_list(store, "p1", week="2026-W42")
    decided(store)
    with store.begin() as connection:
        update_patterns(
            connection, [replace(pattern_records(connection, ["p1"])["p1"], state="idle", last_seen="2026-W42")]
        )

    page = person().read("/review/candidates/p1").text
    assert "idle" in page
    assert "Promised" in page
    assert saved(store)["p1"]["prevented"] == 160


def test_two_weeks_reported_at_once(person: Make, store: Store) -> None:
    for week in ("2026-W45", WEEK):
        put_list(store, "p1", week=week)
    ana = person()
    paths = [f"/review/weeks/{week}/list.json" for week in ("2026-W45", WEEK)] * 4

    with ThreadPoolExecutor(8) as pool:
        found = [answer.json()["week"] for answer in pool.map(ana.client.get, paths)]

    assert found == ["2026-W45", WEEK] * 4


def test_a_title_of_200_characters_is_shown_whole_and_taken_away(person: Make, store: Store) -> None:
    mined(store, facts(WEEKS), WEEKS, ["Reset it."])
    ana = person()

    assert LONG[:200] in ana.read("/review").text
    assert LONG[:200] in ana.read("/review/candidates/p1").text
    rename = ana.read("/review/candidates/p1")
    assert ana.decide(rename, "rename", title="y" * 200).status_code == 303
    assert ana.decide(ana.read("/review/candidates/p1"), "rename", title="y" * 201).status_code == 422
    assert "y" * 200 in ana.client.get(f"/review/weeks/{WEEKS[-1]}/list.csv").text


def test_5000_candidates_can_be_taken_away(person: Make, store: Store) -> None:
    put_list(store, *(f"p{number:04d}" for number in range(5000)))
    ana = person()
    begun = time.perf_counter()
    for kind in FORMATS:
        assert ana.client.get(f"/review/weeks/{WEEK}/list.{kind}").status_code == 200
    assert time.perf_counter() - begun < 30, "5,000 rows took too long, even for a busy machine"


def test_a_store_that_breaks_at_the_commit_has_stored_nothing_and_says_so(
    person: Make, listed: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = person()
    page = ana.read("/review/candidates/p1")

    def fail(*_: object) -> None:
        raise sa.exc.OperationalError("COMMIT", {}, Exception("disk I/O error"))

    with monkeypatch.context() as broken:
        broken.setattr(sa.engine.default.DefaultDialect, "do_commit", fail)
        away = ana.decide(page, "reject", reason="typed with care")
    assert away.status_code == 503
    with listed.read() as connection:
        assert decisions_of(connection, ["p1"]) == {}
    assert ana.decide(page, "reject", reason="typed with care").status_code == 303
