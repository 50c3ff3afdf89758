"""Reads champion and challenger from MLflow. The only module here that imports it, and only when it is first asked.

MLflow's own client waits for minutes on a server that is away, so calls get a short timeout and one retry; the callers
are background threads. A local database file that training has not made yet is not touched: MLflow would create it.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

from triage_ml.bundle import ARTIFACT_PATH, CHALLENGER, CHAMPION, MODEL_NAME
from triage_ml.errors import NoModelError, RegistryError

__all__ = ["MlflowRegistry", "Registered", "Registry", "Role"]

Role = Literal["champion", "challenger"]
ALIASES: dict[Role, str] = {"champion": CHAMPION, "challenger": CHALLENGER}

#: What MLflow says of a missing model and of a missing alias.
NOT_THERE = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}


@dataclass(frozen=True)
class Registered:
    """A version in the registry; `digest` is what training said of the bundle."""

    version: str
    run_id: str
    digest: str | None


class Registry(Protocol):
    """Where models come from."""

    def find(self, role: Role) -> Registered:
        """The version behind the alias; NoModelError for none, RegistryError where the registry does not answer."""
        ...

    def measured(self, model: Registered) -> Mapping[str, float]:
        """What training logged of the version, by the name of the figure."""
        ...

    def download(self, model: Registered, folder: Path) -> Path:
        """Put the version's bundle somewhere below `folder` and return where."""
        ...


class MlflowRegistry:
    """The registry at a tracking address: a server's URL or a local SQLite file."""

    def __init__(self, tracking_uri: str, *, timeout_seconds: float) -> None:
        self._uri = tracking_uri
        self._timeout = timeout_seconds

    def find(self, role: Role) -> Registered:
        """The version behind the alias."""
        self._refuse_missing_file()
        try:
            with self._translated(f"the {role} can't be looked up"):
                version = self._client.get_model_version_by_alias(MODEL_NAME, ALIASES[role])
        except RegistryError as error:
            if _code(error.__cause__) not in NOT_THERE:
                raise
            raise NoModelError(
                f"Model {MODEL_NAME!r} has no version with alias {ALIASES[role]!r}.",
                hint="Train one (triage train), or promote one that is registered (triage models, triage promote).",
            ) from None
        return Registered(str(version.version), str(version.run_id), version.tags.get("digest"))

    def measured(self, model: Registered) -> Mapping[str, float]:
        """The metrics of the run."""
        with self._translated(f"the figures of version {model.version} can't be read"):
            return dict(self._client.get_run(model.run_id).data.metrics)

    def download(self, model: Registered, folder: Path) -> Path:
        """The run's artifact folder, below `folder`."""
        from mlflow.artifacts import download_artifacts

        target = tempfile.mkdtemp(dir=folder)
        with self._translated(f"the bundle of version {model.version} can't be downloaded"):
            path = download_artifacts(
                run_id=model.run_id, artifact_path=ARTIFACT_PATH, dst_path=target, tracking_uri=self._uri
            )
        return Path(path)

    @cached_property
    def _client(self) -> Any:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(max(1, round(self._timeout))))
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self._uri, registry_uri=self._uri)

    def _refuse_missing_file(self) -> None:
        scheme, _, path = self._uri.partition(":///")
        if scheme == "sqlite" and not _holds_versions(Path(path)):
            raise NoModelError("Nothing is registered yet.", hint="Train a model: triage train")

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            raise RegistryError(f"MLflow: {what} ({_code(error)}).") from error


def _holds_versions(file: Path) -> bool:
    """Whether a version was ever registered in this database, seen without touching it.

    Training makes the file in many steps. MLflow's client, opened meanwhile, would begin the same steps beside it, and one of
    the two would fail.
    """
    if not file.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=1)) as connection:
            return connection.execute("SELECT 1 FROM model_versions").fetchone() is not None
    except sqlite3.Error:
        return False


def _code(error: BaseException | None) -> str:
    return str(getattr(error, "error_code", None) or type(error).__name__)
