"""A `triage serve` in a process of its own, for experiments that load it, stop it or starve it."""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from triage_ml.answer import prepare, write_model
from triage_ml.classify import TriageClassifier
from triage_ml.simulate import simulate_desk
from triage_ml.taxonomy import Taxonomy
from triage_serving.bundles import BundleFolder, Kept

__all__ = [
    "Client",
    "Service",
    "desk_tickets",
    "keep_model",
    "make_key",
    "postgres_database",
    "service",
    "summed_pss",
    "wrk",
]

TRIAGE = [sys.executable, "-c", "from triage_ml.cli import main; main()"]
POSTGRES_URL = os.environ.get("TRIAGE_TEST_POSTGRES", "postgresql+psycopg://127.0.0.1:5432/test")
STARTS_SECONDS = 120


def desk_tickets(folder: Path, count: int, seed: int) -> pd.DataFrame:
    """Tickets of a simulated desk with a text and labels."""
    desk = simulate_desk(folder, tickets=count, weeks=8, seed=seed)
    tickets = pd.read_parquet(desk.tickets_file)
    tickets["text"] = tickets["title"].fillna("") + "\n" + tickets["description"].fillna("")
    return tickets


def keep_model(home: Path, tickets: pd.DataFrame) -> str:
    """Train a small model and keep it as the one that answered last in `home`; returns its digest. No MLflow."""
    classifier = TriageClassifier(penalty=0.3).fit(prepare(tickets["text"].tolist()), tickets[["tier", "category"]])
    bundles = BundleFolder(home / "bundles")
    with tempfile.TemporaryDirectory() as scratch:
        digest = write_model(Path(scratch) / "bundle", classifier, Taxonomy())
        if not bundles.path(digest).exists():
            write_model(bundles.path(digest), classifier, Taxonomy())
    bundles.remember(Kept("1", digest))
    return digest


def make_key(folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """An API key of scope `score` for the service that runs in `folder`."""
    done = subprocess.run(
        [*TRIAGE, "keys", "create", "--scope", "score", "--json"],
        cwd=folder,
        env=os.environ | dict(environment or {}),
        capture_output=True,
        text=True,
        check=True,
    )
    return str(json.loads(done.stdout)["key"])


class Client:
    """One connection that asks one request at a time."""

    def __init__(self, url: str, key: str, timeout: float = 60.0) -> None:
        self._connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=timeout)
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        """Status and parsed body; OSError or HTTPException where the service is gone."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request("POST", path, json.dumps(body), self._headers | named)
        response = self._connection.getresponse()
        return response.status, json.loads(response.read())

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        self._connection.request("GET", path, headers=self._headers)
        response = self._connection.getresponse()
        return response.status, response.read()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Service:
    """A running `triage serve`, leader of its own group of processes."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url

    def kill(self) -> None:
        """SIGKILL to it and to all its workers."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def processes(self) -> list[int]:
        """The ids of the processes that answer: the workers, or the one process that is its own worker."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return [int(child) for child in children.split()] or [self.process.pid]


@contextmanager
def service(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None, wants: Sequence[int] = (200,)
) -> Iterator[Service]:
    """`triage serve` on a free port with `folder` as working directory, from when `/readyz` says one of `wants`."""
    with (folder / "serve.log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            [*TRIAGE, "serve", "--port", "0", "--json", *arguments],
            cwd=folder,
            env=os.environ | dict(environment or {}),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the service did not start: {(folder / 'serve.log').read_text()[-2000:]}")
        running = Service(process, json.loads(line)["url"])
        _wait_until_ready(running, wants)
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        process.stdout.close()


def wrk(url: str, script: str, *, clients: int, seconds: float) -> dict[str, float]:
    """One run of wrk with one thread in a closed loop: requests, requests a second, median and p99 in ms, and failures.

    `script` is Lua; `failed` counts answers other than 2xx and 3xx, and errors of the sockets.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".lua", encoding="utf-8") as file:
        file.write(script)
        file.flush()
        line = ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", file.name, url]
        said = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    sockets = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    others = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return {
        "requests": int(_found(r"(\d+) requests in", said)[1]),
        "per_second": float(_found(r"Requests/sec:\s+([\d.]+)", said)[1]),
        "median_ms": _milliseconds(said, "50%"),
        "p99_ms": _milliseconds(said, "99%"),
        "failed": sum(int(count) for found in (sockets, others) if found for count in found.groups()),
    }


def summed_pss(process: int, kind: str = "Pss") -> float:
    """Memory of a process and all that it started, MB: pages that are shared count once.

    `Pss_Anon` is what they hold themselves; the rest are files in memory, and how much of a library counts for them depends on
    who else on the machine has it loaded.
    """
    total, waiting = 0, [process]
    while waiting:
        pid = waiting.pop()
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
        except OSError:
            continue
        total += int(_found(rf"{kind}:\s+(\d+) kB", rollup)[1])
        waiting += map(int, children.split())
    return total / 1024


@contextmanager
def postgres_database() -> Iterator[str]:
    """The URL of an empty PostgreSQL database that is dropped afterwards (TRIAGE_TEST_POSTGRES names the server)."""
    import sqlalchemy as sa

    name = f"triage_experiment_{secrets.token_hex(6)}"
    server = sa.create_engine(POSTGRES_URL, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield sa.make_url(POSTGRES_URL).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()


def _wait_until_ready(running: Service, wants: Sequence[int]) -> None:
    deadline = time.monotonic() + STARTS_SECONDS
    while True:
        client = Client(running.url, "none", timeout=5)
        try:
            if client.get("/readyz")[0] in wants:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            client.close()
        if running.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the service did not become ready")
        time.sleep(0.05)


def _found(pattern: str, said: str) -> re.Match[str]:
    found = re.search(pattern, said)
    if found is None:
        raise RuntimeError(f"expected {pattern!r} in: {said}")
    return found


def _milliseconds(said: str, name: str) -> float:
    found = _found(rf"{name}\s+([\d.]+)(us|ms|s|m)\b", said)
    return round(float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[found[2]], 2)
