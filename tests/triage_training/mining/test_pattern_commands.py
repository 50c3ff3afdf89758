from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from triage_ml.tickets import write_tickets
from triage_training.commands import app


@pytest.fixture
def table(desk: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_tickets(desk, tmp_path / "tickets.parquet")
    return tmp_path / "tickets.parquet"


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.stdout


def test_mine_then_report_as_json(table: Path) -> None:
    code, mined = run("mine", str(table), "--json")
    document = json.loads(mined)

    assert code == 0
    assert (document["command"], document["week"], document["tickets"]) == ("mine", "2026-W05", 60)
    assert [week["week"] for week in document["weeks"]] == ["2026-W02", "2026-W03", "2026-W04", "2026-W05"]
    reported = json.loads(run("report", "--json")[1])
    assert reported["candidates"] == document["candidates"]
    assert Path(reported["files"]["html"]) == Path(".triage/reports/2026-W05/weekly-list.html")


def test_the_list_is_printed(table: Path) -> None:
    code, printed = run("mine", str(table), "--last", "1", "--assignments", "assigned.csv")

    assert code == 0
    assert "2026-W05: 60 tickets" in printed
    assert "what keeps coming back" in printed
    assert list(pd.read_csv("assigned.csv").columns) == ["ticket_id", "pattern_id", "variant_id", "theme_id"]


def test_mined_already(table: Path) -> None:
    run("mine", str(table))

    assert "Every complete week of these tickets has been mined already." in run("mine", str(table))[1]


def test_a_date_in_the_future_is_said_and_makes_no_list(table: Path, desk: pd.DataFrame) -> None:
    far = desk["opened_at"].mask(desk["ticket_id"] == "Access-4-03", pd.Timestamp("2091-05-01", tz="UTC"))
    write_tickets(desk.assign(opened_at=far), table)

    document = json.loads(run("mine", str(table), "--json")[1])

    assert (document["week"], document["tickets"]) == ("2026-W05", 59)
    assert document["warnings"] == ["Tickets with an opened_at in the future: 1. They count once that day has come."]


def test_without_dates_it_says_that_there_is_no_list(table: Path, desk: pd.DataFrame) -> None:
    write_tickets(desk.drop(columns=["opened_at"]), table)

    document = json.loads(run("mine", str(table), "--json")[1])

    assert document["week"] is None
    assert document["candidates"] == []
    assert document["warnings"] == [
        "These tickets have no dates: patterns were found and assigned, but there is no weekly list."
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--week", "47"), "'47' is no ISO week."),
        (("--handoffs", "nowhere.csv"), "nowhere.csv: can't be read as a hand-off log"),
    ],
    ids=["no week", "no hand-off log"],
)
def test_what_is_refused(table: Path, words: tuple[str, ...], message: str) -> None:
    code, printed = run("mine", str(table), *words, "--json")

    assert code == 1
    assert message in printed


def test_report_before_mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    code, printed = run("report", "--json")

    assert code == 1
    assert "No week has been mined yet." in printed


def test_a_reorganisation_is_proposed_and_mines_nothing(table: Path) -> None:
    run("mine", str(table))

    code, printed = run("mine", str(table), "--reorganise")
    document = json.loads(run("mine", str(table), "--reorganise", "--json")[1])

    assert code == 0
    assert "Nothing " in printed
    assert {one["action"] for one in document["proposals"]} <= {"merge", "split"}


def test_patterns_are_shown_with_what_became_of_them(table: Path) -> None:
    run("mine", str(table))

    shown = json.loads(run("patterns", "--json")[1])["patterns"]
    one = json.loads(run("patterns", shown[0]["pattern_id"], "--json")[1])

    assert [row["tickets"] for row in shown] == sorted((row["tickets"] for row in shown), reverse=True)
    assert {row["state"] for row in shown} == {"live"}
    assert one["lineage"] == [{"week": "2026-W05", "event": "found", "other": None}]
    assert shown[0]["title"] in run("patterns")[1]
    assert run("patterns", "nowhere")[0] == 1
