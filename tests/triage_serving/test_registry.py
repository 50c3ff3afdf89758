"""Against a real MLflow: its SQLite file, and a server that is not there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from triage_ml.bundle import ARTIFACT_PATH, CHAMPION, MODEL_NAME, read_bundle, write_bundle
from triage_ml.errors import NoModelError, RegistryError
from triage_serving.registry import MlflowRegistry, Registered

#: MLflow's own code warns about what it calls.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry with one version, logged as training logs it, and the alias `champion`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow import MlflowClient

        folder = tmp_path_factory.mktemp("mlflow")
        uri = f"sqlite:///{folder / 'mlflow.db'}"
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        digest = write_bundle(folder / "bundle", "model", {"targets": ["tier"]}, {"weights": np.arange(3.0)})
        run = client.create_run(client.create_experiment("triage", artifact_location=(folder / "artifacts").as_uri()))
        client.log_metric(run.info.run_id, "tier.accuracy", 0.84)
        client.log_artifacts(run.info.run_id, str(folder / "bundle"), ARTIFACT_PATH)
        client.create_registered_model(MODEL_NAME)
        source = f"{run.info.artifact_uri}/{ARTIFACT_PATH}"
        client.create_model_version(MODEL_NAME, source, run.info.run_id, tags={"digest": digest})
        client.set_registered_model_alias(MODEL_NAME, CHAMPION, "1")
        yield uri


def test_the_champion_is_found_and_its_bundle_downloaded(uri: str, tmp_path: Path) -> None:
    registry = MlflowRegistry(uri, timeout_seconds=5)
    found = registry.find("champion")
    assert found.version == "1"
    assert read_bundle(registry.download(found, tmp_path), "model").digest == found.digest


def test_what_training_measured_is_found(uri: str) -> None:
    registry = MlflowRegistry(uri, timeout_seconds=5)
    assert registry.measured(registry.find("champion")) == {"tier.accuracy": 0.84}
    with pytest.raises(RegistryError, match="the figures of version 9 can't be read"):
        registry.measured(Registered("9", "f" * 32, None))


def test_a_bundle_that_is_gone_is_a_registry_error(uri: str, tmp_path: Path) -> None:
    lost = Registered("9", "f" * 32, None)
    with pytest.raises(RegistryError, match="the bundle of version 9 can't be downloaded"):
        MlflowRegistry(uri, timeout_seconds=5).download(lost, tmp_path)


def test_an_alias_that_vanishes_means_no_model(uri: str) -> None:
    from mlflow import MlflowClient

    MlflowClient(tracking_uri=uri, registry_uri=uri).delete_registered_model_alias(MODEL_NAME, CHAMPION)
    with pytest.raises(
        NoModelError, match=r"no version with alias 'champion'\.\nTrain one \(triage train\), or promote"
    ):
        MlflowRegistry(uri, timeout_seconds=5).find("champion")


def test_a_file_that_training_has_not_made_is_not_made_here(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    with pytest.raises(NoModelError, match="Nothing is registered yet"):
        MlflowRegistry(f"sqlite:///{file}", timeout_seconds=5).find("champion")
    assert not file.exists()


@pytest.mark.parametrize("made", ["", "CREATE TABLE model_versions (version INTEGER)"], ids=["empty", "half made"])
def test_a_file_that_training_is_still_making_is_left_alone(tmp_path: Path, made: str) -> None:
    file = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(made)
    before = file.read_bytes()
    with pytest.raises(NoModelError, match="Nothing is registered yet"):
        MlflowRegistry(f"sqlite:///{file}", timeout_seconds=5).find("champion")
    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


def test_a_server_that_does_not_answer_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RegistryError, match="MLflow: the champion can't be looked up"):
        MlflowRegistry("http://127.0.0.1:9", timeout_seconds=1).find("champion")
