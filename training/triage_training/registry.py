"""Everything that training writes to MLflow, and reads back from it. It is imported here and in `registry_runs` alone.

A version appears in the registry last, when its run, bundle and report are complete: a training that is killed leaves the
registry as it was. Which version is champion is decided by `triage_training.promotion`; here aliases are only moved.
Names and aliases are those of `triage_ml.bundle`.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from triage_ml.bundle import ARTIFACT_PATH, MANIFEST, MODEL_NAME
from triage_ml.errors import BundleCorruptError, NoModelError, RegistryError, TriageError
from triage_ml.files import atomic_folder
from triage_ml.settings import Settings
from triage_training.mlflow_manners import prepare_environment, reason_of, without_password
from triage_training.registry_runs import RunLog
from triage_training.trials import Trial
from triage_training.versions import Version

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["Registry", "Version"]

T = TypeVar("T")


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
        trials: Sequence[Trial] = (),
    ) -> Version:
        """Log a run with the bundle and `files` (name -> path or text), then register it as a version without an alias.

        The trials of a search become runs of their own under it. What fails, or is stopped by Ctrl-C, takes its runs with it.
        """
        with self._calls("take the model"):
            runs = RunLog(self._client, self._experiment())
            run_id = runs.begin(f"train {digest[7:15]}", tags)
            begun = [run_id]
            try:
                runs.fill(run_id, bundle, params, metrics, files)
                for trial in trials:
                    begun.append(runs.add_trial(run_id, trial))
                runs.end(run_id)
                return self._version(self._create_version(run_id, {"digest": digest, **tags}))
            except BaseException:
                self._delete_versions(run_id)
                for one in reversed(begun):
                    runs.discard(one)
                raise

    def point(self, alias: str, version: Version | None) -> None:
        """Make the alias name this version, or none; NoModelError where the version was deleted."""
        with self._calls(f"move the alias {alias}"):
            if version is None:
                _or_none(lambda: self._client.delete_registered_model_alias(MODEL_NAME, alias))
                return
            number = str(version.number)
            try:
                self._client.set_registered_model_alias(MODEL_NAME, alias, number)
            except Exception:
                if _or_none(lambda: self._version(number)) is not None:
                    raise
                raise NoModelError(f"Version {number} is no longer in MLflow.", hint="See: triage models.") from None

    def aliased(self, alias: str) -> Version | None:
        """The version that the alias names, or None."""
        with self._calls("find the model"):
            number = self._alias(alias)
            return _or_none(lambda: self._version(number)) if number else None

    def annotate(self, version: Version, *, tags: Mapping[str, str], files: Mapping[str, Path | str]) -> None:
        """Add tags and files to the run of a version that is registered already."""
        with self._calls("take the notes"):
            for name, value in tags.items():
                self._client.set_tag(version.run_id, name, value)
            RunLog(self._client, self._experiment()).add_files(version.run_id, files)

    def is_whole(self, version: Version) -> bool:
        """Whether the version's run is there: somebody may have deleted it, and the version stays behind."""
        with self._calls("find the run"):
            run = _or_none(lambda: self._client.get_run(version.run_id))
            return run is not None and run.info.lifecycle_stage == "active"

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
        """The version's bundle in a local folder, downloaded once.

        Raises
        ------
        RegistryError
            MLflow does not hand it over, or somebody else registered the version and it names no bundle.
        BundleCorruptError
            What was handed over is not what was registered.
        """
        if not version.digest:
            raise RegistryError(
                f"Version {version.number} was not registered by `triage train`: it names no bundle.",
                hint="`triage models` lists the versions.",
            )
        folder = self._settings.paths.bundles / version.digest.removeprefix("sha256:")
        if folder.is_dir():
            return folder
        from mlflow.artifacts import download_artifacts

        with self._calls("hand over the bundle"), tempfile.TemporaryDirectory() as scratch:
            here = download_artifacts(
                run_id=version.run_id, artifact_path=ARTIFACT_PATH, dst_path=scratch, tracking_uri=self._uri
            )
            found = f"sha256:{hashlib.sha256(Path(here, MANIFEST).read_bytes()).hexdigest()}"
            if found != version.digest:
                raise BundleCorruptError(
                    f"Version {version.number}: MLflow handed over another bundle than was registered.",
                    hint="Its artifacts were changed or damaged; train a new version.",
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
        return self._new_experiment(name)

    def _new_experiment(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        local = self._uri.startswith("sqlite:")
        where = self._settings.artifact_root.as_uri() if local else None
        try:
            return str(self._client.create_experiment(name, artifact_location=where))
        except MlflowException as error:  # another training made it a moment ago
            found = self._client.get_experiment_by_name(name)
            if error.error_code != "RESOURCE_ALREADY_EXISTS" or found is None:
                raise
            return str(found.experiment_id)

    def _delete_versions(self, run_id: str) -> None:
        """Best effort: a version whose making was not answered may be there all the same."""
        with suppress(Exception):
            for found in self._client.search_model_versions(f"run_id = '{run_id}'"):
                self._client.delete_model_version(MODEL_NAME, found.version)

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
            found.tags.get("input_sha256", ""),
        )

    @contextmanager
    def _calls(self, what: str) -> Iterator[None]:
        prepare_environment(self._settings)  # MLflow reads it when it is imported
        try:
            yield
        except TriageError:
            raise
        except Exception as error:
            # MLflow's client raises its own errors, those of its transport, and whatever a strange answer does to it.
            raise RegistryError(
                f"MLflow at {without_password(self._uri)} did not {what}: {reason_of(error)}",
                hint="Is the address right ([mlflow] tracking_uri) and the server up? Nothing was registered.",
            ) from error


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
