"""What training writes into a run of MLflow: parameters, figures, files, the bundle, and trials of a search beneath it."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triage_ml.bundle import ARTIFACT_PATH
from triage_training.mlflow_manners import metric_name
from triage_training.trials import Trial

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["RunLog", "describe_for_mlflow"]


class RunLog:
    """Writes runs of one experiment; errors are MLflow's own, `triage_training.registry` makes them ours."""

    def __init__(self, client: MlflowClient, experiment: str) -> None:
        self._client = client
        self._experiment = experiment

    def begin(self, name: str, tags: Mapping[str, str]) -> str:
        """Start a run; its id."""
        return str(self._client.create_run(self._experiment, run_name=name, tags=dict(tags)).info.run_id)

    def end(self, run_id: str) -> None:
        """It is complete."""
        self._client.set_terminated(run_id, "FINISHED")

    def fill(
        self,
        run_id: str,
        bundle: Path,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        files: Mapping[str, Path | str],
    ) -> None:
        """Log parameters, metrics, the bundle and files (name -> path or text)."""
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        self._client.log_batch(
            run_id,
            metrics=[Metric(metric_name(name), float(value), now, 0) for name, value in metrics.items()],
            params=[Param(name, json.dumps(value)) for name, value in params.items()],
        )
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch, ARTIFACT_PATH)
            shutil.copytree(bundle, folder)
            describe_for_mlflow(folder)
            self._client.log_artifacts(run_id, str(folder), ARTIFACT_PATH)
        self.add_files(run_id, files)

    def add_trial(self, parent: str, trial: Trial) -> str:
        """A trial of a search as a run of its own under `parent`; its id."""
        from mlflow.entities import Metric, Param

        tags = {"mlflow.parentRunId": parent, "trial": trial.state}
        run_id = self.begin(f"trial {trial.number}", tags)
        now = int(time.time() * 1000)
        points = [Metric("macro_f1", value, now, tickets) for tickets, value in trial.points]
        params = [Param(name, json.dumps(value)) for name, value in trial.params.items()]
        self._client.log_batch(run_id, metrics=[*points, Metric("seconds", trial.seconds, now, 0)], params=params)
        self.end(run_id)
        return run_id

    def add_files(self, run_id: str, files: Mapping[str, Path | str]) -> None:
        """Files by name, each a path or its text."""
        for name, content in files.items():
            if isinstance(content, Path):
                parent = str(Path(name).parent)
                self._client.log_artifact(run_id, str(content), None if parent == "." else parent)
            else:
                self._client.log_text(run_id, content, name)

    def discard(self, run_id: str) -> None:
        """Best effort: MLflow may be what failed. A run without a version is never looked at."""
        with suppress(Exception):
            self._client.set_terminated(run_id, "FAILED")
            self._client.delete_run(run_id)


def describe_for_mlflow(folder: Path) -> None:
    """Put an MLmodel file beside the manifest, so that MLflow's tools can load the very same files as a pyfunc."""
    from mlflow import pyfunc
    from mlflow.models import Model
    from mlflow.models.signature import ModelSignature
    from mlflow.types.schema import ColSpec, Schema, TensorSpec

    from triage_ml import __version__

    texts: list[ColSpec | TensorSpec] = [
        ColSpec("string", name, required=False) for name in ("ticket_id", "title", "description")
    ]
    model = Model(artifact_path=ARTIFACT_PATH, signature=ModelSignature(inputs=Schema(texts)))
    pyfunc.add_to_model(model, loader_module="triage_training.pyfunc")
    model.save(str(folder / "MLmodel"))
    (folder / "requirements.txt").write_text(f"triage-ml[train]=={__version__}\n", encoding="utf-8")
