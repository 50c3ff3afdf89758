"""The servers under load: each a process of its own on a free port, one worker each."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Server", "bare", "mlflow_serve", "ours"]

HERE = Path(__file__).parent
STARTS_SECONDS = 240


@dataclass(frozen=True)
class Server:
    """Where to send a ticket, with which headers, and in which form."""

    name: str
    url: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, ticket_id: str, text: str) -> bytes:
        """One ticket as this server takes it."""
        ticket = {"ticket_id": ticket_id, "description": text}
        return json.dumps({"dataframe_records": [ticket]} if self.path == "/invocations" else ticket).encode()


@contextmanager
def ours(home: Path) -> Iterator[Server]:
    """`triage serve` on the bundle that is kept in `home`, with its own SQLite store."""
    triage = [sys.executable, "-c", "from triage_ml.cli import main; main()"]
    made = subprocess.run([*triage, "keys", "create", "--scope", "score", "--json"], cwd=home, capture_output=True)
    key = json.loads(made.stdout)["key"]
    port = _free_port()
    with _running([*triage, "serve", "--port", str(port)], home, f"http://127.0.0.1:{port}/readyz"):
        yield Server("triage", f"http://127.0.0.1:{port}", "/v1/score", {"Authorization": f"Bearer {key}"})


@contextmanager
def bare(folder: Path, kind: str) -> Iterator[Server]:
    """The bare FastAPI app around our model (`same`) or a TF-IDF pipeline (`sklearn`)."""
    port = _free_port()
    line = [sys.executable, "-m", "uvicorn", "bare:app", "--factory", "--no-access-log", "--app-dir", str(HERE)]
    environment = {"BARE_MODEL": kind, "BARE_FOLDER": str(folder)}
    with _running([*line, "--port", str(port)], folder, f"http://127.0.0.1:{port}/openapi.json", environment):
        yield Server(f"bare FastAPI, {kind}", f"http://127.0.0.1:{port}", "/score")


@contextmanager
def mlflow_serve(folder: Path) -> Iterator[Server]:
    """`mlflow models serve` of the same bundle, through its pyfunc."""
    port = _free_port()
    line = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(folder / "bundle"), "--env-manager", "local"]
    with _running([*line, "--workers", "1", "--port", str(port)], folder, f"http://127.0.0.1:{port}/ping"):
        yield Server("mlflow models serve", f"http://127.0.0.1:{port}", "/invocations")


@contextmanager
def _running(
    command: Sequence[str], folder: Path, ready: str, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    here = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}  # MLflow starts `uvicorn` by name
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | here | dict(environment or {}),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + STARTS_SECONDS
        while not _answers(ready):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[:6]} did not start: {(folder / 'server.log').read_text()[-2000:]}")
            time.sleep(0.2)
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - our own server
            return bool(response.status == 200)
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
