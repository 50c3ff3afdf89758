from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from triage_ml.cli import build_app

run = CliRunner()


def simulate(*arguments: str) -> tuple[int, str, str]:
    result = run.invoke(build_app(), ["simulate", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_it_says_what_it_made_and_where(tmp_path: Path) -> None:
    code, out, _ = simulate("--tickets", "200", "--weeks", "3", "--seed", "4", "--out", str(tmp_path / "desk"))
    assert code == 0
    assert out.startswith("200 tickets of ")
    assert "2026-W44 to 2026-W46" in out
    assert str(tmp_path / "desk" / "tickets.parquet") in out


def test_json_is_one_object_and_nothing_else(tmp_path: Path) -> None:
    code, out, _ = simulate("--tickets", "50", "--weeks", "2", "--quiet", "--out", str(tmp_path / "desk"), "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["command"], found["tickets"], found["changes"], found["quiet"]) == ("simulate", 50, 0, True)


def test_the_end_moves_the_weeks(tmp_path: Path) -> None:
    code, out, _ = simulate(
        "--tickets", "50", "--weeks", "2", "--end", "2025-01-06", "--out", str(tmp_path / "desk"), "--json"
    )
    assert code == 0
    assert (json.loads(out)["first_week"], json.loads(out)["last_week"]) == ("2024-W52", "2025-W01")


def test_a_refusal_is_one_message_and_exit_code_1(tmp_path: Path) -> None:
    code, out, err = simulate("--tickets", "0", "--out", str(tmp_path / "desk"))
    assert (code, out, err) == (1, "", "error: Expected 1 to 9,999,999 tickets, found 0.\n")
