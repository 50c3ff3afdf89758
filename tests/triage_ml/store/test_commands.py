from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from triage_ml.commands import app
from triage_ml.settings import load_settings
from triage_ml.store import open_store


def test_upgrade_makes_the_store_and_says_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        done = CliRunner().invoke(app, ["store", "upgrade", "--json"])
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["schema"] == "0001"
    open_store(load_settings().store_url, create=False).close()
