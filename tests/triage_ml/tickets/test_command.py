"""`triage import` from the command line to the files that it leaves."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from triage_ml.cli import build_app
from triage_ml.tickets import read_tickets

EXPORT = """\
Number;Subject;Opened;Team;Tags
INC1;VPN down;22.11.2026 03:04;SD Berlin;x
INC2;;22.11.2026 03:05;SD Berlin;y
INC1;VPN still down;22.11.2026 04:00;SD Berlin;z
"""
TAXONOMY = '[[tiers]]\nname = "L1"\nrank = 1\n[[groups]]\nname = "Service Desk"\ntier = "L1"\naliases = ["SD Berlin"]\n'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "export.csv").write_text(EXPORT)
    (tmp_path / "taxonomy.toml").write_text(TAXONOMY)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build_app(), ["import", *arguments])


def test_the_whole_way(here: Path) -> None:
    result = run(
        "export.csv", "--map", "title=Subject", "assignment_group=Team", "--taxonomy", "taxonomy.toml",
        "--timezone", "Europe/Berlin", "--out", "tickets.parquet",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert result.stdout == (
        "3 rows read, 1 tickets written to tickets.parquet.\n"
        "Put aside in tickets.rejected.csv: 1 rows that can't be used, 1 earlier deliveries.\n"
        "Columns: ticket_id from 'Number', opened_at from 'Opened', title from 'Subject', assignment_group from 'Team'.\n"
        "Carried along as they are: Tags.\n"
        "Opened from 2026-11-22 to 2026-11-22.\n"
    )
    frame = read_tickets(here / "tickets.parquet")
    assert frame.iloc[0][["ticket_id", "title", "tier", "assignment_group", "Tags"]].tolist() == [
        "INC1", "VPN still down", "L1", "Service Desk", "z",
    ]  # fmt: skip
    assert frame["opened_at"].iloc[0] == pd.Timestamp("2026-11-22T03:00Z")
    aside = pd.read_csv(here / "tickets.rejected.csv")
    assert aside[["import_row", "import_reason", "Number"]].values.tolist() == [
        [2, "the ticket comes again: export.csv, row 4", "INC1"],
        [3, "title and description are empty", "INC2"],
    ]


def test_json_for_machines(here: Path) -> None:
    result = run("export.csv", "--json")
    document = json.loads(result.stdout)
    assert document["command"] == "import"
    assert (document["tickets"], document["rows"], document["unusable"], document["superseded"]) == (1, 3, 1, 1)
    assert document["columns"]["title"] == "Subject"
    assert document["others"] == ["Team", "Tags"]


def test_a_side_file_of_an_earlier_import_goes(here: Path) -> None:
    run("export.csv")
    assert (here / "tickets.rejected.csv").exists()
    (here / "export.csv").write_text("ticket_id,title\n1,a\n")
    assert run("export.csv").exit_code == 0
    assert not (here / "tickets.rejected.csv").exists()


def test_from_a_database(here: Path) -> None:
    connection = sqlite3.connect(here / "desk.db")
    connection.execute("CREATE TABLE incident AS SELECT 'INC1' AS number, 'VPN down' AS subject")
    connection.commit()
    connection.close()
    result = run("--sql", "sqlite:///desk.db", "--query", "incident", "--out", "t.csv.gz")
    assert result.exit_code == 0, result.stderr
    assert read_tickets(here / "t.csv.gz")["title"].tolist() == ["VPN down"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            [],
            "error: Expected files or --sql, one of them.\ntriage import FILE… or triage import --sql URL --query Q.\n",
        ),
        (["--sql", "sqlite://"], "error: --sql needs --query.\nA SELECT, or the name of a table.\n"),
        (
            ["export.csv", "--map", "title"],
            "error: --map: expected ours=theirs, found 'title'.\nFor example --map title=Subject.\n",
        ),
        (
            ["export.csv", "--map", "title=Subject", "title=Team"],
            "error: --map: title is mapped twice, to 'Subject' and to 'Team'.\n",
        ),
        (
            ["export.csv", "--timezone", "Mars"],
            "error: --timezone: no time zone is called 'Mars'.\nExpected a name like Europe/Berlin or UTC.\n",
        ),
        (["missing.csv"], "error: missing.csv: no such file.\n"),
        (["export.csv", "--taxonomy", "no.toml"], "error: no.toml: no such taxonomy file.\n"),
    ],
    ids=["nothing", "no query", "no pair", "mapped twice", "no zone", "no file", "no taxonomy"],
)
def test_wrong_usage(here: Path, arguments: list[str], message: str) -> None:
    before = sorted(here.iterdir())
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (1, message)
    assert sorted(here.iterdir()) == before


def test_ambiguous_dates_are_settled_by_an_option(here: Path) -> None:
    (here / "export.csv").write_text("ticket_id,title,opened_at\n1,a,03/04/2026\n")
    refused = run("export.csv")
    assert refused.exit_code == 1
    assert "Say --dayfirst or --monthfirst." in refused.stderr
    for option, month in (("--dayfirst", 4), ("--monthfirst", 3)):
        assert run("export.csv", option).exit_code == 0
        assert read_tickets(here / "tickets.parquet")["opened_at"].dt.month.tolist() == [month]


def test_an_interrupted_import_leaves_nothing_half_done(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pd.DataFrame, "to_parquet", interrupt)
    before = {path.name for path in here.iterdir()}
    run("export.csv", "--map", "requester_id=Team")
    left = {path.name for path in here.iterdir()} - before
    assert left <= {"tickets.rejected.csv", ".triage"}
    monkeypatch.undo()
    monkeypatch.chdir(here)
    assert run("export.csv").exit_code == 0


@pytest.mark.needs_shared
@pytest.mark.parametrize(
    ("name", "rows", "others"),
    [
        ("it_service_v3", 47_837, ["topic_group", "split_lunalykaya", "split_phongisnoob"]),
        ("endava_5k", 5_431, ["text", "sub_category1", "sub_category2", "business_service", "urgency", "impact"]),
    ],
)
def test_data_that_nobody_here_made(here: Path, shared: Path, name: str, rows: int, others: list[str]) -> None:
    result = run(str(shared / "data" / name / "tickets.csv.gz"), "--json")
    document = json.loads(result.stdout)
    assert (document["tickets"], document["unusable"]) == (rows, 0)
    assert document["others"] == others
