"""`triage score` and `triage index` from the command line to the files that they leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from triage_ml.answer import write_model
from triage_ml.cases import open_cases
from triage_ml.classify import TriageClassifier
from triage_ml.cli import build_app
from triage_ml.taxonomy import Taxonomy
from triage_ml.tickets import write_tickets

TICKETS = pd.DataFrame(
    {
        "ticket_id": [f"INC{number}" for number in range(60)],
        "title": ["password expired, cannot log in", "printer on floor 3 is jammed"] * 30,
        "category": ["Access", "Printing"] * 30,
        "resolution": ["Reset the password, jo@example.org told", None] * 30,
    }
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("score") / "model"
    write_model(folder, TriageClassifier(penalty=1.0).fit(TICKETS["title"], TICKETS[["category"]]), Taxonomy())
    return folder


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_tickets(TICKETS, tmp_path / "tickets.csv")
    return tmp_path


def run(*arguments: str, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(build_app(), [*arguments, "--json"])
    assert result.exit_code == code, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_score_writes_a_row_a_ticket_and_says_what_it_took(desk: Path, bundle: Path) -> None:
    said = run("score", "tickets.csv", "--out", "answers.csv", "--model", str(bundle))
    answers = pd.read_csv("answers.csv")
    assert list(answers) == [
        "ticket_id", "action", "reason", "category", "category_probability", "category_action", "category_reason",
    ]  # fmt: skip
    assert answers["ticket_id"].tolist() == TICKETS["ticket_id"].tolist()
    assert answers["category"].tolist() == TICKETS["category"].tolist()
    assert said["tickets"] == sum(said["actions"].values()) == 60
    assert said["resumed"] == 0
    assert list(said["seconds"]) == ["read", "clean", "redact", "features", "heads", "decide", "write"]
    assert said["digest"].startswith("sha256:")


def test_score_heeds_the_rules_of_the_settings(desk: Path, bundle: Path) -> None:
    rule = '[[rules]]\nname = "paper"\nwhen = { keywords = ["jammed"] }\nthen = { block = "auto" }\n'
    Path("rules.toml").write_text(rule, encoding="utf-8")
    Path("triage.toml").write_text('[decision]\nrules = "rules.toml"\n', encoding="utf-8")
    run("score", "tickets.csv", "--out", "answers.csv", "--model", str(bundle))
    answers = pd.read_csv("answers.csv")
    jammed = answers["category"] == "Printing"
    assert "auto" not in set(answers.loc[jammed, "action"])
    assert set(answers.loc[~jammed, "rule"].dropna()) == set()


def test_patterns_that_nobody_mined_are_told(desk: Path, bundle: Path) -> None:
    said = run("score", "tickets.csv", "--out", "answers.csv", "--model", str(bundle), "--patterns", code=1)
    assert said["error"]["message"] == "--patterns: nothing was mined yet."


def test_index_leaves_cases_beside_the_store(desk: Path) -> None:
    said = run("index", "tickets.csv")
    assert (said["cases"], said["unresolved"], said["repeats"]) == (1, 30, 29)
    index = open_cases(Path(".triage"))
    assert index is not None
    (found,) = index.nearest(["cannot log in, password expired"])
    assert [(case.title, case.resolution) for case in found] == [
        ("password expired, cannot log in", "Reset the password, <email> told")
    ]
