"""What is registered, in which order, and what a failure at each step leaves behind."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from triage_ml.answer import read_model
from triage_ml.errors import BundleCorruptError, RegistryError, StoreError
from triage_ml.evaluate import Check
from triage_ml.settings import Settings
from triage_ml.taxonomy import Taxonomy
from triage_training import train_job
from triage_training.gate_evidence import ANSWERS, SEEN
from triage_training.promotion import open_champions
from triage_training.registry import Registry
from triage_training.train import Trained
from triage_training.train_job import check_ready, register_model

STEPS = ["create_run", "log_batch", "log_artifacts", "log_text", "set_terminated", "create_model_version"]


def register(trained: Trained, taxonomy: Taxonomy, settings: Settings) -> Registry:
    registry = Registry(settings)
    register_model(trained, taxonomy, settings, registry)
    return registry


def test_the_first_version_that_passes_becomes_champion_and_the_next_its_challenger(
    trained: Trained, taxonomy: Taxonomy, settings: Settings, tmp_path: Path
) -> None:
    registry = Registry(settings)
    first = register_model(trained, taxonomy, settings, registry)
    second = register_model(trained, taxonomy, settings, registry)
    assert (first.version.role, second.version.role) == ("champion", "challenger")
    assert [check.passed for check in first.checks] == [True] * len(first.checks)
    with open_champions(settings, registry) as champions:
        (row,) = champions.history()
    assert (row.version, row.kind, row.reason) == ("1", "first", "the first version")
    assert read_model(registry.fetch(first.version)).digest == first.version.digest
    assert first.report.read_text(encoding="utf-8").startswith("<!doctype html>")
    champion_answers = registry.file(second.version, "gate/champion-1.parquet", tmp_path)
    assert champion_answers is not None
    assert set(pd.read_parquet(champion_answers)["ticket"]) == set(trained.answers["ticket"])


def test_the_run_has_figures_with_intervals_and_the_evidence(
    trained: Trained, taxonomy: Taxonomy, settings: Settings, tmp_path: Path
) -> None:
    registry = register(trained, taxonomy, settings)
    version = registry.find("1")
    figures = registry.figures(version)
    tier = trained.evaluation.targets["tier"]
    assert figures["tier.macro_f1"] == pytest.approx(tier.macro_f1.value)
    assert figures["tier.macro_f1.low"] == pytest.approx(tier.macro_f1.low)
    assert figures["cost.megabytes"] > 0
    for name, rows in ((ANSWERS, len(trained.answers)), (SEEN, len(trained.seen))):
        file = registry.file(version, name, tmp_path)
        assert file is not None
        assert len(pd.read_parquet(file)) == rows


def test_no_text_of_a_ticket_is_logged(trained: Trained, taxonomy: Taxonomy, settings: Settings) -> None:
    register(trained, taxonomy, settings)
    texts = {text for text in trained.test.texts if len(text) > 40}
    logged = [file for file in settings.artifact_root.rglob("*") if file.is_file() and file.suffix != ".npy"]
    assert logged
    for file in logged:
        content = file.read_bytes().decode("utf-8", "replace")
        assert not any(text in content for text in texts), file.name


def test_a_first_version_that_fails_a_check_stays_challenger(
    trained: Trained, taxonomy: Taxonomy, settings: Settings
) -> None:
    strict = settings.model_copy(update={"gate": settings.gate.model_copy(update={"megabytes": 0.001})})
    registry = Registry(strict)
    done = register_model(trained, taxonomy, strict, registry)
    assert done.version.role == "challenger"
    assert [check.name for check in done.checks if not check.passed] == ["size"]
    assert registry.aliased("champion") is None


@pytest.mark.parametrize(
    "failure", [KeyboardInterrupt("Ctrl-C"), OSError("no route to host")], ids=["stopped", "network"]
)
@pytest.mark.parametrize("step", STEPS)
def test_a_failure_at_any_step_leaves_the_registry_as_it_was_and_the_next_try_works(
    step: str,
    failure: BaseException,
    trained: Trained,
    taxonomy: Taxonomy,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mlflow import MlflowClient

    def fail(*_: object, **__: object) -> None:
        raise failure

    registry = Registry(settings)
    with monkeypatch.context() as broken:
        broken.setattr(MlflowClient, step, fail)
        with pytest.raises(
            (RegistryError, KeyboardInterrupt), match=r"did not take the model: no route to host|^Ctrl-C$"
        ):
            register_model(trained, taxonomy, settings, registry)
    assert registry.versions() == []
    assert not list(settings.paths.bundles.glob(".training-*"))
    assert register_model(trained, taxonomy, settings, registry).version.role == "champion"


def test_a_version_whose_making_was_not_answered_is_taken_back(
    trained: Trained, taxonomy: Taxonomy, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    registry = Registry(settings)
    real = MlflowClient.create_model_version

    def lose_the_reply(*words: Any, **named: Any) -> None:
        real(*words, **named)
        raise OSError("connection reset")

    with monkeypatch.context() as broken:
        broken.setattr(MlflowClient, "create_model_version", lose_the_reply)
        with pytest.raises(RegistryError, match="did not take the model: connection reset"):
            register_model(trained, taxonomy, settings, registry)
    assert registry.versions() == []


def test_a_bundle_that_is_not_what_was_registered_is_not_taken(
    trained: Trained, taxonomy: Taxonomy, settings: Settings
) -> None:
    registry = register(trained, taxonomy, settings)
    version = registry.find("1")
    with pytest.raises(RegistryError, match=r"Version 1 was not registered by `triage train`: it names no bundle"):
        registry.fetch(dataclasses.replace(version, digest=""))
    shutil.rmtree(settings.paths.bundles)
    (manifest,) = settings.artifact_root.rglob("manifest.json")
    manifest.write_bytes(manifest.read_bytes() + b" ")
    with pytest.raises(BundleCorruptError, match="Version 1: MLflow handed over another bundle than was registered"):
        registry.fetch(version)
    assert not list(settings.paths.bundles.glob("*"))


def test_a_store_that_cannot_be_used_is_told_before_training(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    elsewhere = settings.model_copy(
        update={"store": settings.store.model_copy(update={"url": f"sqlite:///{tmp_path / 'file' / 'store.db'}"})}
    )
    with pytest.raises(StoreError, match=r"file: this folder can't be written"):
        check_ready(elsewhere, Registry(elsewhere))


def test_of_two_first_trainings_at_once_one_is_champion_and_the_other_its_challenger(
    trained: Trained, taxonomy: Taxonomy, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the champion and the claim of the place, another training takes it."""
    registry = Registry(settings)
    real, inside = train_job.judge_first, []

    def judge(*words: Any) -> list[Check]:
        if not inside:
            inside.append(True)
            assert register_model(trained, taxonomy, settings, registry).version.role == "champion"
        return real(*words)

    monkeypatch.setattr(train_job, "judge_first", judge)
    late = register_model(trained, taxonomy, settings, registry)
    assert (late.version.number, late.version.role, late.checks) == (1, "challenger", [])
    assert [(version.number, version.role) for version in registry.versions()] == [(2, "champion"), (1, "challenger")]
