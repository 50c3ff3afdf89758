from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from triage_ml.settings import load_settings
from triage_ml.store import list_keys, open_store, split_key
from triage_serving.commands import app


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def triage(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def as_json(*arguments: str) -> dict[str, Any]:
    done = triage(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_key_is_made_listed_and_revoked() -> None:
    made = as_json("keys", "create", "--scope", "review", "--name", "ops", "--expires-days", "30")
    parts = split_key(made["key"])
    assert parts is not None
    (row,) = as_json("keys", "list")["keys"]
    assert (row["key_id"], row["name"], row["scope"], row["state"]) == (made["key_id"], "ops", "review", "active")
    assert row["expires_at"] == made["expires_at"]
    assert parts[1] not in json.dumps(row)
    as_json("keys", "revoke", made["key_id"])
    assert as_json("keys", "list")["keys"][0]["state"] == "revoked"


def test_a_key_alone_is_on_stdout_so_that_a_script_can_keep_it() -> None:
    done = triage("keys", "create", "--scope", "score")
    key_id, secret = split_key(done.stdout.strip()) or ("", "")
    store = open_store(load_settings().store_url)
    with store.read() as connection:
        (record,) = list_keys(connection)
    store.close()
    assert record.key_id == key_id
    assert record.matches(secret)


def test_an_unknown_key_cannot_be_revoked() -> None:
    done = triage("keys", "revoke", "nobody")
    assert done.exit_code == 1
    assert "There is no key with id 'nobody'" in done.stderr


def test_an_unknown_scope_is_wrong_usage() -> None:
    assert triage("keys", "create", "--scope", "root").exit_code == 2
