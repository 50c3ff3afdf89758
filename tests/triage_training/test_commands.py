"""The commands of the life cycle, one after the other on one home, as a person would type them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from triage_ml.settings import load_settings
from triage_ml.simulate import Desk
from triage_ml.store import open_store
from triage_training.commands import app
from triage_training.shared_options import target_names

Command = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, fresh_mlflow: Path, desk_tickets: pd.DataFrame) -> Path:
    """A folder with triage.toml, tickets to train on, and later ones."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "home").mkdir()
    shutil.copy(fresh_mlflow, folder / "home" / "mlflow.db")
    lines = ["[paths]", f'home = "{folder / "home"}"', "[gate]", "milliseconds = 10000", "recall_tickets = 1000000"]
    (folder / "triage.toml").write_text("\n".join(lines), encoding="utf-8")
    desk_tickets.iloc[:1000].to_parquet(folder / "early.parquet", index=False)
    desk_tickets.iloc[:1800].to_parquet(folder / "more.parquet", index=False)
    desk_tickets.iloc[1800:].to_parquet(folder / "later.parquet", index=False)
    return folder


@pytest.fixture(scope="module")
def command(home: Path) -> Command:
    """Runs a command with the home's settings; its JSON object, and its exit code under `exit`."""

    def run(*words: object) -> dict[str, Any]:
        done = CliRunner().invoke(app, [*map(str, words), "--config", str(home / "triage.toml"), "--json"])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        document: dict[str, Any] = json.loads(done.stdout)
        return document | {"exit": done.exit_code}

    return run


@pytest.fixture(scope="module")
def first(command: Command, home: Path, desk: Desk) -> dict[str, Any]:
    """Version 1, with everything that may be logged."""
    return command("train", home / "early.parquet", "--taxonomy", desk.taxonomy_file, "--log-examples")


@pytest.fixture(scope="module")
def second(command: Command, home: Path, desk: Desk, first: dict[str, Any]) -> dict[str, Any]:
    """Version 2, trained on more."""
    return command("train", home / "more.parquet", "--taxonomy", desk.taxonomy_file, "--no-curve")


def test_train_says_what_it_measured(first: dict[str, Any]) -> None:
    assert (first["exit"], first["model_version"], first["role"]) == (0, "1", "champion")
    assert set(first["targets"]) == {"tier", "category"}
    points = first["curves"]["category"]["points"]
    assert [tickets for tickets, _ in points] == sorted({tickets for tickets, _ in points})
    assert points[-1][1] == pytest.approx(first["targets"]["category"]["macro_f1"], abs=1e-3)
    assert Path(first["report"]).read_text(encoding="utf-8").count("<svg") == 4  # reliability and curve of two targets


def test_examples_are_redacted_and_only_there_when_asked_for(
    first: dict[str, Any], second: dict[str, Any], home: Path
) -> None:
    artifacts = home / "home" / "artifacts"
    (file,) = artifacts.rglob("examples.jsonl")
    assert first["run_id"] in str(file)
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert rows
    assert all(row["truth"] != row["answer"] and row["text"] for row in rows)
    assert not any("@" in row["text"] for row in rows)
    for name in ("environment.json", "figures.json", "confusion/tier.csv", "model_card.md"):
        assert (file.parent / name).is_file(), name
    assert json.loads((file.parent / "environment.json").read_text(encoding="utf-8"))["packages"]["scikit-learn"]
    assert json.loads((file.parent / "figures.json").read_text(encoding="utf-8"))["slices"]["tier"]


def test_the_schema_of_the_settings_is_printed() -> None:
    done = CliRunner().invoke(app, ["train", "--schema"])
    assert done.exit_code == 0
    assert "calibration_share" in json.dumps(json.loads(done.stdout))


def test_evaluate_measures_a_version_an_alias_or_a_folder_alike(
    command: Command, first: dict[str, Any], home: Path
) -> None:
    later = home / "later.parquet"
    found = [command("evaluate", later, "--model", model) for model in ("1", first["bundle"])]
    assert [each["exit"] for each in found] == [0, 0]
    assert found[0]["targets"] == found[1]["targets"]
    assert found[0]["digest"] == first["digest"]
    assert {row["slice"] for row in found[0]["slices"]["tier"]} >= {"channel", "language", "length"}


def test_evaluate_without_a_label_names_the_columns(command: Command, first: dict[str, Any], home: Path) -> None:
    bare = home / "bare.parquet"
    pd.read_parquet(home / "later.parquet")[["ticket_id", "title", "description"]].to_parquet(bare, index=False)
    found = command("evaluate", bare, "--model", first["bundle"])
    assert found["exit"] == 1
    assert "expected labels in a column tier or category, found none" in found["error"]["message"]


def test_compare_names_the_tickets_that_flipped(
    command: Command, first: dict[str, Any], second: dict[str, Any], home: Path
) -> None:
    flips = home / "flips.csv"
    found = command("compare", home / "later.parquet", "--models", "1", "2", "--flips", flips)
    assert found["exit"] == 0
    category = found["targets"]["category"]
    assert category["macro_f1"]["interval"][0] <= category["macro_f1"]["difference"]
    listed = pd.read_csv(flips)
    assert len(listed[(listed["target"] == "category") & (listed["flip"] == "fixed")]) == category["fixed"]


def test_models_lists_versions_with_who_promoted_which(command: Command, second: dict[str, Any]) -> None:
    found = command("models")
    assert [row["version"] for row in found["versions"]] == ["2", "1"]
    assert found["versions"][1]["targets"]["tier"]["macro_f1"] > 0
    assert found["promotions"][0]["kind"] == "first"


def test_promote_with_a_reason_and_back(command: Command, second: dict[str, Any]) -> None:
    none = CliRunner().invoke(app, ["promote", "--version", "0"])
    assert none.exit_code == 2
    without = CliRunner().invoke(app, ["promote", "--force"])
    assert without.exit_code == 2
    assert "--force needs a --reason" in without.output
    done = command("promote", "--version", "2", "--force", "--reason", "more tickets", "--by", "ada")
    assert (done["exit"], done["promoted"], done["replaced"]) == (0, True, "1")
    assert {check["name"] for check in done["checks"]} >= {"macro-F1", "calibration", "precision", "latency", "size"}
    again = command("promote", "--version", "2")
    assert (again["exit"], again["error"]["message"]) == (1, "Version 2 is champion already.")
    back = command("rollback", "--reason", "complaints", "--by", "eve")
    assert (back["exit"], back["model_version"], back["replaced"]) == (0, "1", "2")
    further = command("rollback")
    assert further["exit"] == 1
    assert "no earlier champion" in further["error"]["message"]


def test_drift_has_a_verdict_and_an_exit_code(command: Command, first: dict[str, Any], home: Path) -> None:
    whole = home / "whole.parquet"
    tables = [pd.read_parquet(home / name) for name in ("more.parquet", "later.parquet")]
    pd.concat(tables, ignore_index=True).to_parquet(whole, index=False)
    found = command("drift", "--tickets", whole, "--model", "1", "--weeks", 2, "--fail-on", "never")
    assert found["exit"] == 0
    assert found["verdict"] in ("nothing to do", "look", "retrain")
    assert len(found["weeks"]) == 2
    strict = command("drift", "--tickets", whole, "--model", "1", "--weeks", 2, "--fail-on", "look")
    assert strict["exit"] == (0 if found["verdict"] == "nothing to do" else 1)


def test_of_two_retrains_at_once_the_second_does_nothing_and_says_so(command: Command, home: Path) -> None:
    store = open_store(load_settings(home / "triage.toml").store_url)
    with store.only_one("retrain"):
        found = command("retrain", "--tickets", home / "early.parquet")
    store.close()
    assert (found["exit"], found["error"]["type"]) == (1, "AlreadyRunningError")
    assert found["error"]["message"] == "Another `triage retrain` is running on this store."


def test_retrain_says_what_it_did_and_a_second_time_that_nothing_is_new(
    command: Command, first: dict[str, Any], home: Path, desk: Desk
) -> None:
    words = ("retrain", "--tickets", home / "early.parquet", "--taxonomy", desk.taxonomy_file)
    done, again = command(*words), command(*words)
    assert (done["exit"], done["is_new"], again["exit"], again["is_new"]) == (0, True, 0, False)
    assert again["model_version"] == done["model_version"]
    assert "targets" not in again


@pytest.mark.parametrize(
    ("given", "names"), [(None, None), ("tier", ["tier"]), (" tier, category ,", ["tier", "category"])]
)
def test_targets_are_names_with_commas_and_spaces_are_none_of_their_letters(
    given: str | None, names: list[str] | None
) -> None:
    assert target_names(given) == names
