"""A training that is killed, two at once, and a real MLflow server that goes away: the registry is as it was, or whole."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from triage_ml.errors import RegistryError
from triage_ml.settings import Settings
from triage_ml.simulate import Desk
from triage_training.notebook import Triage
from triage_training.promotion import open_champions
from triage_training.registry import Registry

pytestmark = pytest.mark.slow

STARTED_WITHIN = 120.0
LONGEST = 280.0


@pytest.fixture
def work(tmp_path: Path, fresh_mlflow: Path, desk_tickets: pd.DataFrame) -> Path:
    """A folder with settings, an empty registry and two ticket files."""
    (tmp_path / "home").mkdir()
    shutil.copy(fresh_mlflow, tmp_path / "home" / "mlflow.db")
    gate = "[gate]\nmilliseconds = 10000\n"
    (tmp_path / "triage.toml").write_text(f'[paths]\nhome = "{tmp_path / "home"}"\n{gate}', encoding="utf-8")
    desk_tickets.iloc[:900].to_parquet(tmp_path / "a.parquet", index=False)
    desk_tickets.iloc[300:1300].to_parquet(tmp_path / "b.parquet", index=False)
    return tmp_path


def settings_of(work: Path) -> Settings:
    return Settings(paths={"home": work / "home"}, gate={"milliseconds": 10_000})


def training(work: Path, tickets: str, **environment: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "triage_ml", "train", str(work / tickets), "--no-curve", "--json"]
    return subprocess.Popen(
        [*line, "--config", str(work / "triage.toml")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"} | environment,
    )


def result(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=LONGEST)
    assert process.returncode == 0, (out[-2000:], err[-2000:])
    document: dict[str, Any] = json.loads(out)
    return document


@pytest.mark.timeout(600)
def test_a_training_that_is_killed_at_any_moment_leaves_no_half_version(work: Path) -> None:
    """Killed after longer and longer, until one gets through: every version that is listed can be fetched and read."""
    begun = time.monotonic()
    whole = result(training(work, "a.parquet"))
    length = time.monotonic() - begun
    registry = Registry(settings_of(work))
    for share in (0.3, 0.5, 0.65, 0.75, 0.82, 0.88, 0.94, 0.98):
        process = training(work, "b.parquet")
        try:
            process.wait(timeout=share * length)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
        versions = registry.versions()
        assert whole["model_version"] == "1"
        for version in versions:
            assert (registry.fetch(version) / "manifest.json").is_file()
            assert registry.figures(version)["tier.macro_f1"] > 0
        with open_champions(settings_of(work), registry) as champions:
            champion = champions.current().champion
        assert champion is not None
        assert champion.number == 1
    done = result(training(work, "b.parquet"))
    assert done["role"] == "challenger"


@pytest.mark.timeout(600)
def test_two_trainings_at_once_are_two_versions_and_one_champion(work: Path) -> None:
    both = [training(work, name) for name in ("a.parquet", "b.parquet")]
    found = [result(process) for process in both]
    assert sorted(each["model_version"] for each in found) == ["1", "2"]
    registry = Registry(settings_of(work))
    with open_champions(settings_of(work), registry) as champions:
        reign, history = champions.current(), champions.history()
    assert reign.champion is not None
    assert [row.kind for row in history] == ["first"]
    assert {version.role for version in registry.versions()} == {"champion", "challenger"}


@contextmanager
def mlflow_server(folder: Path, port: int) -> Iterator[str]:
    """A real server on its own SQLite file, artifacts through it."""
    line = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    line += [
        "--backend-store-uri",
        f"sqlite:///{folder / 'server.db'}",
        "--artifacts-destination",
        str(folder / "server"),
    ]
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "server.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(line, stdout=log, stderr=log, env=environment, start_new_session=True)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=30)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail("mlflow server did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.timeout(600)
def test_a_server_by_url_does_what_the_file_does_and_when_it_goes_every_step_says_so(
    tmp_path: Path, fresh_mlflow: Path, desk: Desk, desk_tickets: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    shutil.copy(fresh_mlflow, tmp_path / "server.db")
    port = _free_port()
    settings = Settings(
        paths={"home": tmp_path / "home"},
        mlflow={"tracking_uri": f"http://127.0.0.1:{port}", "timeout_seconds": 20},
        gate={"milliseconds": 10_000, "recall_tickets": 1_000_000},
    )
    triage = Triage(settings, taxonomy=desk.taxonomy_file)
    early, later = desk_tickets.iloc[:1000], desk_tickets.iloc[1800:]
    with mlflow_server(tmp_path, port):
        first = triage.train(early, trials=2)
        assert first.version.role == "champion"
        shutil.rmtree(settings.paths.bundles)
        assert len(triage.predict(later.iloc[:20])) == 20
        second = triage.train(desk_tickets.iloc[:1500])
        assert second.version.role == "challenger"
        assert triage.promote("2", force=True, reason="to see it").replaced == "1"
        assert triage.roll_back("and back") == "1"
        assert triage.models()["role"].tolist() == ["none", "champion"]
    steps = {
        "train": lambda: triage.train(early),
        "evaluate": lambda: triage.evaluate(later),
        "promote": lambda: triage.promote("2", force=True, reason="now"),
        "rollback": lambda: triage.roll_back("now"),
        "models": triage.models,
        "retrain": lambda: triage.retrain(early),
    }
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    for name, step in steps.items():
        with pytest.raises(RegistryError, match=rf"MLflow at http://127\.0\.0\.1:{port} did not ") as refused:
            Triage(settings, taxonomy=desk.taxonomy_file) and step()
        assert "Nothing was registered" in str(refused.value), name
    with mlflow_server(tmp_path, port):
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
        assert triage.models()["version"].tolist() == ["2", "1"]
