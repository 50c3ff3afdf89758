"""Everything that training writes to MLflow, and reads back from it. MLflow is imported here and nowhere else.

A version appears in the registry last, when its run, bundle and report are complete: a training that is killed leaves the
registry as it was. Which version is champion is decided by `triage_training.promotion`; here aliases are only moved.
Names and aliases are those of `triage_ml.bundle`.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from triage_ml.bundle import ARTIFACT_PATH, CHALLENGER, CHAMPION, MODEL_NAME
from triage_ml.errors import NoModelError, RegistryError, TriageError
from triage_ml.files import atomic_folder
from triage_ml.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["Registry", "Version"]

_ALIASES = (CHAMPION, CHALLENGER)

T = TypeVar("T")


@dataclass(frozen=True)
class Version:
    """A registered model: its number, run, digest, and the aliases it has now."""

    number: int
    run_id: str
    digest: str
    aliases: tuple[str, ...]
    created: float
    data_sha256: str = ""

    @property
    def role(self) -> str:
        """`champion`, `challenger`, or `none`."""
        return next((alias for alias in _ALIASES if alias in self.aliases), "none")


class Registry:
    """MLflow as this project uses it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._uri = settings.tracking_uri
        self._client_: MlflowClient | None = None

    def check(self) -> None:
        """Raise RegistryError now rather than after an hour of training."""
        with self._calls("answer"):
            self._experiment()

    def register(
        self,
        bundle: Path,
        digest: str,
        *,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        files: Mapping[str, Path | str],
    ) -> Version:
        """Log a run with the bundle and `files` (name -> path or text), then register it as a version without an alias.

        What fails, or is stopped by Ctrl-C, takes its run with it.
        """
        with self._calls("take the model"):
            run = self._client.create_run(self._experiment(), run_name=f"train {digest[7:15]}", tags=dict(tags))
            run_id = run.info.run_id
            try:
                self._log(run_id, bundle, params, metrics, files)
                self._client.set_terminated(run_id, "FINISHED")
                number = self._create_version(run_id, {"digest": digest, **tags})
            except BaseException:
                self._discard(run_id)
                raise
            return self._version(number)

    def point(self, alias: str, version: Version | None) -> None:
        """Make the alias name this version, or none."""
        with self._calls(f"move the alias {alias}"):
            if version is not None:
                self._client.set_registered_model_alias(MODEL_NAME, alias, str(version.number))
            elif self._alias(alias):
                self._client.delete_registered_model_alias(MODEL_NAME, alias)

    def aliased(self, alias: str) -> Version | None:
        """The version that the alias names, or None."""
        with self._calls("find the model"):
            number = self._alias(alias)
            return self._version(number) if number else None

    def annotate(self, version: Version, *, tags: Mapping[str, str], files: Mapping[str, Path | str]) -> None:
        """Add tags and files to the run of a version that is registered already."""
        with self._calls("take the notes"):
            for name, value in tags.items():
                self._client.set_tag(version.run_id, name, value)
            self._log_files(version.run_id, files)

    def figures(self, version: Version) -> dict[str, float]:
        """The metrics that were logged when the version was trained."""
        with self._calls("hand over the figures"):
            return dict(self._client.get_run(version.run_id).data.metrics)

    def file(self, version: Version, name: str, folder: Path) -> Path | None:
        """One logged file of the version's run, downloaded into `folder`; None where its run has no such file."""
        from mlflow.artifacts import download_artifacts

        parent = str(Path(name).parent)
        with self._calls(f"hand over {name}"):
            there = self._client.list_artifacts(version.run_id, None if parent == "." else parent)
            if name not in {entry.path for entry in there}:
                return None
            return Path(
                download_artifacts(
                    run_id=version.run_id, artifact_path=name, dst_path=str(folder), tracking_uri=self._uri
                )
            )

    def versions(self) -> list[Version]:
        """All registered versions, newest first."""
        with self._calls("list its models"):
            found = self._client.search_model_versions(f"name = '{MODEL_NAME}'")
            return sorted((self._version(row.version) for row in found), key=lambda row: -row.number)

    def find(self, name: str) -> Version:
        """The version with this alias or number; raises NoModelError where there is none."""
        with self._calls("find the model"):
            number = name if name.isdigit() else self._alias(name)
            version = _or_none(lambda: self._version(number)) if number else None
            if version is None:
                raise NoModelError(
                    f"No model is registered as {name!r}.",
                    hint="`triage models` lists what there is; `triage train TICKETS` makes one.",
                )
            return version

    def fetch(self, version: Version) -> Path:
        """The version's bundle in a local folder, downloaded once."""
        folder = self._settings.paths.bundles / version.digest.removeprefix("sha256:")
        if folder.is_dir():
            return folder
        from mlflow.artifacts import download_artifacts

        with self._calls("hand over the bundle"), tempfile.TemporaryDirectory() as scratch:
            here = download_artifacts(
                run_id=version.run_id, artifact_path=ARTIFACT_PATH, dst_path=scratch, tracking_uri=self._uri
            )
            with atomic_folder(folder) as draft:
                shutil.copytree(here, draft, dirs_exist_ok=True)
        return folder

    @property
    def _client(self) -> MlflowClient:
        if self._client_ is None:
            self._client_ = _connect(self._uri)
        return self._client_

    def _experiment(self) -> str:
        name = self._settings.mlflow.experiment
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        local = self._uri.startswith("sqlite:")
        where = self._settings.artifact_root.as_uri() if local else None
        return str(self._client.create_experiment(name, artifact_location=where))

    def _log(
        self,
        run_id: str,
        bundle: Path,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        files: Mapping[str, Path | str],
    ) -> None:
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        self._client.log_batch(
            run_id,
            metrics=[Metric(_metric_name(name), float(value), now, 0) for name, value in metrics.items()],
            params=[Param(name, json.dumps(value)) for name, value in params.items()],
        )
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch, ARTIFACT_PATH)
            shutil.copytree(bundle, folder)
            _describe_for_mlflow(folder)
            self._client.log_artifacts(run_id, str(folder), ARTIFACT_PATH)
        self._log_files(run_id, files)

    def _log_files(self, run_id: str, files: Mapping[str, Path | str]) -> None:
        for name, content in files.items():
            if isinstance(content, Path):
                parent = str(Path(name).parent)
                self._client.log_artifact(run_id, str(content), None if parent == "." else parent)
            else:
                self._client.log_text(run_id, content, name)

    def _discard(self, run_id: str) -> None:
        """Best effort: MLflow may be what failed. A run without a version is never looked at."""
        with suppress(Exception):
            self._client.set_terminated(run_id, "FAILED")
            self._client.delete_run(run_id)

    def _create_version(self, run_id: str, tags: Mapping[str, str]) -> str:
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(MODEL_NAME, description="Routes IT support tickets: triage-ml")
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        source = f"{self._client.get_run(run_id).info.artifact_uri}/{ARTIFACT_PATH}"
        created = self._client.create_model_version(MODEL_NAME, source, run_id, tags=dict(tags))
        return str(created.version)

    def _alias(self, alias: str) -> str | None:
        """The number of the version that has the alias, or None. MLflow says a missing alias is an invalid parameter."""
        found = _or_none(lambda: self._client.get_model_version_by_alias(MODEL_NAME, alias))
        return str(int(found.version)) if found else None

    def _version(self, number: str) -> Version:
        found = self._client.get_model_version(MODEL_NAME, number)
        return Version(
            int(found.version),
            found.run_id or "",
            found.tags.get("digest", ""),
            tuple(str(alias) for alias in found.aliases),
            found.creation_timestamp / 1000,
            found.tags.get("data_sha256", ""),
        )

    @contextmanager
    def _calls(self, what: str) -> Iterator[None]:
        _prepare_environment(self._settings)  # MLflow reads it when it is imported
        try:
            yield
        except TriageError:
            raise
        except Exception as error:
            # MLflow's client raises its own errors, those of its transport, and whatever a strange answer does to it.
            raise RegistryError(
                f"MLflow at {_without_password(self._uri)} did not {what}: {_reason(error)}",
                hint="Is the address right ([mlflow] tracking_uri) and the server up? Nothing was registered.",
            ) from error


def _reason(error: Exception) -> str:
    """The first line of what was said, or the error's name; an answer in HTML is not quoted."""
    said = str(error).strip().splitlines()
    return _without_password(said[0][:200]) if said and "<" not in said[0] else type(error).__name__


def _or_none(call: Callable[[], T]) -> T | None:
    """The answer, or None where MLflow says that the name, number or alias is not there."""
    from mlflow.exceptions import MlflowException

    try:
        return call()
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def _connect(uri: str) -> MlflowClient:
    if uri.startswith("sqlite:///"):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _prepare_environment(settings: Settings) -> None:
    """A short time limit instead of seven tries in two minutes, no telemetry, no chatter."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(max(1, round(settings.mlflow.timeout_seconds))))
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    logging.getLogger("alembic").setLevel(logging.WARNING)


def _describe_for_mlflow(folder: Path) -> None:
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


def _metric_name(name: str) -> str:
    """MLflow takes letters, digits, `_`, `-`, `.`, space, `:` and `/`."""
    return re.sub(r"[^\w.\- :/]", "_", name, flags=re.ASCII)


def _without_password(uri: str) -> str:
    return re.sub(r"//[^@/]*@", "//", uri)
