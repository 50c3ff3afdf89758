from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from triage_ml.commands import app
from triage_ml.settings import load_settings
from triage_ml.store import Prediction, add_predictions, new_id, open_store, predictions_of_ticket


def test_upgrade_makes_the_store_and_says_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        done = CliRunner().invoke(app, ["store", "upgrade", "--json"])
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["schema"] == "0006"
    open_store(load_settings().store_url, create=False).close()


def test_prune_forgets_what_is_past_an_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store(load_settings().store_url)
    now = datetime.now(UTC)
    with store.begin() as connection:
        for days in (6, 8):
            moment = now - timedelta(days=days)
            row = Prediction(new_id(moment), "A", moment, "7", "d", "auto", "confident", {}, {})
            add_predictions(connection, [row])
    done = CliRunner().invoke(app, ["store", "prune", "--older-than", "1w", "--json"])
    assert json.loads(done.stdout)["predictions"] == 1
    with store.read() as connection:
        assert [(now - row.stored_at).days for row in predictions_of_ticket(connection, "A")] == [6]
    store.close()


@pytest.mark.parametrize("age", ["", "90", "d", "-1d", "3 months"])
def test_an_age_that_cannot_be_read_is_wrong_usage(age: str) -> None:
    assert CliRunner().invoke(app, ["store", "prune", "--older-than", age]).exit_code == 2
