from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from triage_ml.settings import Settings
from triage_training.commands import app


@pytest.fixture(autouse=True)
def config(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("triage.toml").write_text(f'[paths]\nhome = "{settings.paths.home}"\n')


def run(*words: str) -> tuple[int, dict[str, object]]:
    result = CliRunner().invoke(app, ["kit", *words, "--json"])
    return result.exit_code, json.loads(result.stdout)


def test_a_kit_is_written_for_the_proposed_kind_or_another(settings: Settings) -> None:
    code, said = run("p1")
    assert (code, said["kind"]) == (0, "Self-service form")
    folder = settings.paths.home / "kits" / "p1"
    assert {path.name for path in folder.iterdir()} == {"README.md", "form.md", "fields.json"}

    code, said = run("p1", "--kind", "runbook_script", "--out", "here")
    assert (code, said["kind"]) == (0, "Runbook script")
    assert Path("here/runbook.md").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nobody",), "There is no pattern 'nobody'."),
        (("p1", "--kind", "magic"), "'magic' is no kind of automation."),
    ],
)
def test_what_is_refused(words: tuple[str, ...], message: str) -> None:
    code, said = run(*words)

    assert code == 1
    assert message in str(said["error"])
