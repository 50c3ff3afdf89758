"""What leaves the pages: lists and service levels as files, starter kits; and what automations saved."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from listed import WEEK, put_list

from triage_ml.store import (
    FACT_COLUMNS,
    LineageEvent,
    PatternDecision,
    Store,
    WeekList,
    add_decision,
    add_lineage,
    count_work,
    put_evidence,
    put_facts,
    put_week,
)

Make = Callable[..., Any]
NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
#: Eight weeks before the decision, four since: 40 tickets a week, of which the automation then closes 24.
BEFORE, SINCE = [f"2026-W{n}" for n in range(35, 43)], [f"2026-W{n}" for n in range(43, 47)]


def worked(store: Store) -> None:
    rows = []
    for pattern in ("p1", "p2"):
        for week in BEFORE + SINCE:
            for number in range(40):
                by_automation = pattern == "p1" and week in SINCE and number < 24
                tier = "L0" if by_automation else ("L2" if number % 4 else "L1")
                row = {"ticket_id": f"{pattern}-{week}-{number}", "week": week, "digest": "d", "pattern_id": pattern}
                rows.append(
                    {**dict.fromkeys(FACT_COLUMNS), **row, "tier": tier, "activity": "corrective"}
                    | {"effort_minutes": None if by_automation else 30.0, "handoffs": 0.0, "reopens": 0.0}
                )
    details = {
        "reference": "RB-7",
        "mode": "auto",
        "since": "2026-10-19",
        "frozen": {"week": "2026-W42", "hours": {"p50": 10.0}},
    }
    with store.begin() as connection:
        put_facts(connection, rows)
        count_work(connection)
        assert add_decision(connection, PatternDecision("p1", 1, "automated", NOW - timedelta(weeks=4), "ana", details))


def close(text: str) -> str:
    """Without the white space, which cells and headings do not have between them."""
    return "".join(text.split())


def words(page: Any) -> str:
    return close(page.text)


@pytest.mark.parametrize("kind", ["html", "csv", "xlsx", "json"])
def test_the_week_can_be_taken_away(person: Make, listed: Store, kind: str) -> None:
    answer = person().client.get(f"/review/weeks/{WEEK}/list.{kind}")

    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="weekly-list-{WEEK}.{kind}"'
    assert answer.headers["content-security-policy"].startswith("sandbox")
    if kind == "csv":
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert [row["title"] for row in rows] == ["Pattern p1", "Pattern p2"]
    elif kind == "xlsx":
        assert openpyxl.load_workbook(io.BytesIO(answer.content)).active.max_row == 3
    elif kind == "json":
        assert [one["pattern_id"] for one in answer.json()["candidates"]] == ["p1", "p2"]
    else:
        assert "Pattern p1" in answer.text
        assert "<script" not in answer.text


@pytest.mark.parametrize(
    "path",
    ["/review/weeks/2020-W01/list.csv", f"/review/weeks/{WEEK}/list.exe", "/review/candidates/nobody/kit.zip"],
)
def test_what_is_not_there_can_not_be_taken_away(person: Make, listed: Store, path: str) -> None:
    assert person().client.get(path).status_code == 404


def test_files_are_for_those_who_signed_in(person: Make, listed: Store) -> None:
    for path in (
        f"/review/weeks/{WEEK}/list.csv",
        "/review/candidates/p1/kit.zip",
        "/review/service-levels/levels.json",
    ):
        assert person(signed_in=False).client.get(path).status_code == 303


def test_a_starter_kit_comes_as_an_archive(person: Make, listed: Store) -> None:
    answer = person().client.get("/review/candidates/p1/kit.zip?kind=chatbot_answer")

    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert set(archive.namelist()) == {"README.md", "nlu.yml", "examples.csv", "article.md"}
        assert "I forgot my password p1" in archive.read("nlu.yml").decode()


def test_what_was_promised_stands_beside_what_was_saved(person: Make, listed: Store) -> None:
    worked(listed)
    ana = person()

    week = words(ana.read("/review"))
    page = words(ana.read("/review/candidates/p1"))

    assert close("Saved so far, hours 48") in week
    assert close("Promised 10.0 hours a week, as it was listed when it was decided") in page
    assert close("Saved 12.0 hours a week since 2026-W43: 120% of it") in page
    document = ana.client.get(f"/review/weeks/{WEEK}/list.json").json()
    assert document["hours_realised"] == 48.0
    assert [one["realised"] is None for one in document["candidates"]] == [False, True]


def test_mined_again_the_projection_stays_as_it_was(person: Make, listed: Store) -> None:
    ana = person()
    assert ana.decide(ana.read("/review/candidates/p1"), "automated", reference="RB-7").status_code == 303
    with listed.begin() as connection:
        assert not put_week(connection, WeekList(WEEK, 5, 0.1, []))

    put_list(listed, week="2026-W47", hours={"p10": 0.0, "p50": 1.0, "p90": 2.0})
    page = words(ana.read("/review/candidates/p1"))
    assert close("1.0 hours to save a week") in page
    assert close("promised then: 6.5 hours a week (2026-W46)") in page
    assert close("Tickets read 1,000") in words(ana.read(f"/review/weeks/{WEEK}"))


def test_what_a_person_read_is_kept_though_a_newer_list_came_meanwhile(person: Make, listed: Store) -> None:
    ana = person()
    page = ana.read("/review/candidates/p1")
    put_list(listed, week="2026-W47", hours={"p10": 0.0, "p50": 1.0, "p90": 2.0})

    assert ana.decide(page, "accept").status_code == 303
    assert close("promised then: 6.5 hours a week (2026-W46)") in words(ana.read("/review/candidates/p1"))


def test_figures_that_were_mined_again_are_shown_before_anybody_decides_on_them(person: Make, listed: Store) -> None:
    ana = person()
    page = ana.read("/review/candidates/p1")
    put_list(listed, hours={"p10": 0.0, "p50": 1.0, "p90": 2.0})

    late = ana.decide(page, "reject", reason="typed with care")

    assert late.status_code == 412
    assert "The list was mined again after you read it" in late.text
    assert "typed with care" in late.text
    assert ana.decide(ana.read("/review/candidates/p1"), "reject", reason="read again").status_code == 303


def test_page_and_list_say_the_same_of_what_was_saved(person: Make, listed: Store) -> None:
    worked(listed)
    details = {"reference": "RB", "mode": "auto", "since": "2026-10-19"}
    with listed.begin() as connection:
        assert add_decision(connection, PatternDecision("p2", 1, "automated", NOW, "ana", details))
    ana = person()

    document = ana.client.get(f"/review/weeks/{WEEK}/list.json").json()

    for one in document["candidates"]:
        hours = one["realised"] and f"{one['realised']['hours_a_week']:.1f}"
        page = words(ana.read(f"/review/candidates/{one['pattern_id']}"))
        assert (close(f"Saved {hours} hours a week since") in page) == (one["realised"] is not None)


def test_service_levels_are_shown_and_taken_away(person: Make, listed: Store) -> None:
    worked(listed)
    ana = person()

    page = words(ana.read("/review/service-levels"))
    levels = ana.client.get("/review/service-levels/levels.json").json()

    assert close("Solved at the lowest tier that could") in page
    assert close("All work → L0") in page
    assert levels["flows"][-1]["share"] > 0.1
    for kind in ("html", "csv", "xlsx"):
        assert ana.client.get(f"/review/service-levels/levels.{kind}").status_code == 200
    assert ana.client.get("/review/service-levels/levels.exe").status_code == 404


def test_what_became_of_a_pattern_and_what_it_is_not_are_shown(person: Make, listed: Store) -> None:
    with listed.begin() as connection:
        add_lineage(
            connection, [LineageEvent("p1", WEEK, "split", "p2"), LineageEvent("p1", "2026-W47", "idle")], now=NOW
        )
        put_evidence(
            connection, WEEK, {"p1": {"typical": ["typical words"], "edge": ["edge words"], "counter": ["not these"]}}
        )

    page = words(person().read("/review/candidates/p1"))

    assert close("2026-W46 split p2") in page
    assert close("2026-W47 idle") in page
    for said in (
        "Typical typical words",
        "At the edge edge words",
        "Near, but not one of these not these",
        "Pattern p2",
    ):
        assert close(said) in page


def test_other_scopes_can_not_take_anything_away(person: Make, listed: Store) -> None:
    ana = person("score", signed_in=False)
    assert ana.sign_in().status_code == 403


def test_what_was_worked_out_is_worked_out_again_when_work_is_counted_or_somebody_decides(
    person: Make, listed: Store
) -> None:
    ana = person()
    assert "Saved so far" not in ana.read("/review").text
    worked(listed)
    assert close("Saved so far, hours 48") in words(ana.read("/review"))

    row = {**dict.fromkeys(FACT_COLUMNS), "week": "2026-W46", "digest": "d", "pattern_id": "p1", "tier": "L0"}
    with listed.begin() as connection:
        put_facts(connection, [{**row, "ticket_id": f"late-{number}"} for number in range(10)])
        count_work(connection)
    assert close("Saved so far, hours 48") not in words(ana.read("/review"))
    assert close("Saved so far") in words(ana.read("/review"))

    ana.decide(ana.read("/review/candidates/p1"), "undo")
    assert "Saved so far" not in ana.read("/review").text
