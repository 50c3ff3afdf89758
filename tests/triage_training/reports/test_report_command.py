"""`triage report`: with mined weeks, from a hand-off log alone, and with both."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner

from triage_ml.settings import Settings
from triage_ml.store import FACT_COLUMNS, count_work, open_store, put_facts
from triage_training.commands import app

LOG = """ticket_id,at,from_group,to_group
T1,2026-01-05T09:00:00Z,Desk,Network
T1,2026-01-05T12:00:00Z,Network,Core
T2,2026-01-06T09:00:00Z,Desk,Network
T2,2026-01-06T10:00:00Z,Network,Desk
T3,2026-01-13T09:00:00Z,Desk,Network
T3,2026-01-13T09:30:00Z,Network,Network
T4,2026-01-14T09:00:00Z,Desk,Old Network
T5,2026-01-15T09:00:00Z,Desk,Nobody
T6,,Desk,Core
"""
TAXONOMY = """
[[tiers]]
name = "L0"
rank = 0
[[tiers]]
name = "L1"
rank = 1
[[tiers]]
name = "L2"
rank = 2
[[tiers]]
name = "L3"
rank = 3
[[groups]]
name = "Desk"
tier = "L1"
[[groups]]
name = "Network"
tier = "L2"
aliases = ["Old Network"]
[[groups]]
name = "Core"
tier = "L3"
"""


def run(*words: str) -> tuple[int, dict[str, object]]:
    result = CliRunner().invoke(app, ["report", *words, "--json"])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.stdout)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taxonomy.toml").write_text(TAXONOMY)
    (tmp_path / "triage.toml").write_text('[taxonomy]\nfile = "taxonomy.toml"\n')
    (tmp_path / "log.csv").write_text(LOG)
    return tmp_path / "log.csv"


def test_a_handoff_log_alone_gives_service_levels(log: Path) -> None:
    code, said = run("--handoffs", str(log), "--out", "out")

    levels = said["service_levels"]
    assert code == 0
    assert isinstance(levels, dict)
    assert (said["week"], said["candidates"], levels["source"]) == (None, [], "handoffs")
    assert said["tickets"] == levels["tickets"] == 5
    assert levels["weeks"] == ["2026-W02", "2026-W03"]
    assert {one["tier"]: one["tickets"] for one in levels["tiers"]} == {
        "L1": [1, 0],
        "L2": [0, 2],
        "L3": [1, 0],
        "unknown": [0, 1],
    }
    assert levels["handoffs"]["per_ticket"] == pytest.approx((2 + 2 + 1 + 1 + 1) / 5)
    assert levels["came_back"] == 0.2
    assert levels["routes"][0] == {"source": "Desk", "target": "Network", "direction": "up", "count": 4}
    assert levels["flows"][0]["share"] == 1.0
    assert "count as unknown: Nobody" in said["warnings"][0]  # type: ignore[index]
    assert {path.suffix for path in Path("out").iterdir()} == {".html", ".csv", ".xlsx", ".json"}


def test_the_tables_of_service_levels_are_the_same_in_every_format(log: Path) -> None:
    run("--handoffs", str(log), "--out", "out")

    rows = list(csv.DictReader(Path("out/service-levels.csv").read_text("utf-8-sig").splitlines()))
    book = openpyxl.load_workbook("out/service-levels.xlsx")
    page = Path("out/service-levels.html").read_text()
    assert set(book.sheetnames) == {row["table"] for row in rows}
    for name in book.sheetnames:
        assert f"<h2>{name}</h2>" in page
    assert [cell.value for cell in book["Tickets by tier"][2]] == ["L1", 1, 0]
    assert "<script" not in page


def test_a_log_alone_has_no_digest_to_send(log: Path) -> None:
    code, said = run("--handoffs", str(log), "--send")

    assert code == 0
    assert "No week has been mined, so there is no digest to send." in said["warnings"]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--baseline", "2026-W01"), "'2026-W01' is no span of weeks."),
        (("--baseline", "2026-W09:2026-W01"), "ends before it begins"),
        (("--handoffs", "nowhere.csv"), "nowhere.csv: can't be read as a hand-off log"),
        ((), "No week has been mined yet."),
    ],
    ids=["no span", "backwards", "no file", "nothing mined"],
)
def test_what_is_refused(log: Path, words: tuple[str, ...], message: str) -> None:
    code, said = run(*words)

    assert code == 1
    assert message in str(said["error"])


def test_a_log_without_its_columns_is_named(log: Path) -> None:
    log.write_text("ticket_id,group\nT1,Desk\n")

    code, said = run("--handoffs", str(log))

    assert code == 1
    assert "has no column 'at'; found ticket_id, group" in str(said["error"])


def test_with_mined_weeks_the_list_and_the_levels_are_written_and_the_log_joins(log: Path, settings: Settings) -> None:
    store = open_store(settings.store_url)
    with store.begin() as connection:
        rows = [
            {**dict.fromkeys(FACT_COLUMNS), "ticket_id": f"T{n}", "digest": "d", "pattern_id": "p1", "week": week}
            | {"tier": tier, "effort_minutes": 30.0, "activity": "corrective", "sla_met": n % 2 == 0}
            for n, (week, tier) in enumerate(
                [("2026-W45", "L3"), ("2026-W45", "L2"), ("2026-W46", "L2"), ("2026-W46", "L2")]
            )
        ]
        put_facts(connection, rows)
        count_work(connection)
    store.close()
    text = f'[paths]\nhome = "{settings.paths.home}"\n[taxonomy]\nfile = "taxonomy.toml"\n'
    Path("triage.toml").write_text(text)

    code, said = run("--handoffs", str(log), "--baseline", "2026-W45:2026-W45")

    levels = said["service_levels"]
    assert code == 0
    assert isinstance(levels, dict)
    assert said["week"] == "2026-W46"
    assert levels["flows"][0] == {"source": ["L3"], "target": ["L2"], "expected": 1.0, "moved": 1.0, "share": 1.0}
    assert levels["sla"]["met"] == 0.5
    assert levels["routes"]
    assert levels["routing"] == []
    files = said["files"]
    assert isinstance(files, dict)
    assert set(files) == {
        f"{prefix}{kind}" for prefix in ("", "service_levels_") for kind in ("html", "csv", "xlsx", "json")
    }

    code, said = run("--baseline", "2025-W01:2025-W02")
    assert code == 1
    assert "There is work from 2026-W45 to 2026-W46." in str(said["error"])


def test_the_digest_is_sent_by_the_command_and_said(
    settings: Settings, mailbox: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mail = f'[mail]\nhost = "127.0.0.1"\nport = {mailbox.port}\nsecurity = "none"\nto = ["ops@example.com"]\n'
    Path("triage.toml").write_text(f'[paths]\nhome = "{settings.paths.home}"\n{mail}')

    code, said = run("--send")
    assert (code, said["sent"]) == (0, [{"channel": "mail", "outcome": "sent"}])
    code, said = run("--send")
    assert code == 0
    assert "sent before" in str(said["sent"])
    assert len(mailbox.messages) == 1

    Path("triage.toml").write_text(f'[paths]\nhome = "{settings.paths.home}"\n')
    code, said = run("--send")
    assert code == 1
    assert "There is nobody to send the digest to." in str(said["error"])
