"""A service in a process of its own, as an operator starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from asking import wait_until

TRIAGE = [sys.executable, "-c", "from triage_ml.cli import main; main()"]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One `triage` command to its end, with `folder` as working directory."""
    return subprocess.run([*TRIAGE, *arguments], cwd=folder, capture_output=True, text=True, timeout=90, check=False)


def result(folder: Path, *arguments: str) -> dict[str, Any]:
    """The JSON object of a command that must work."""
    done = run(folder, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def new_key(folder: Path) -> str:
    """A key of scope `score`."""
    return str(result(folder, "keys", "create", "--scope", "score")["key"])


class Service:
    """A running `triage serve`."""

    def __init__(self, folder: Path, process: subprocess.Popen[str], url: str, key: str) -> None:
        self.folder = folder
        self.process = process
        self.url = url
        self.client = httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60)

    def is_ready(self) -> bool:
        return self.client.get("/readyz").status_code == 200

    def logs(self) -> list[dict[str, Any]]:
        """The log lines so far, without one that is still being written; every line must be a JSON object."""
        written = (self.folder / "serve.log").read_text().rpartition("\n")[0]
        return [json.loads(line) for line in written.splitlines()]


@contextmanager
def service(
    folder: Path, *arguments: str, key: str | None = None, ready: bool = True, **settings: str
) -> Iterator[Service]:
    """Start `triage serve` on a free port, with a key (a new one by default), and end it afterwards.

    `settings` are environment variables, such as TRIAGE_SERVING__PORT.
    """
    key = key or new_key(folder)
    quick = {"TRIAGE_SERVING__POLL_SECONDS": "0.2", "TRIAGE_SERVING__UNREADY_SECONDS": "0"}
    environment = os.environ | quick | settings
    with (folder / "serve.log").open("w") as log:
        command = [*TRIAGE, "serve", "--port", "0", "--json", *arguments]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
    assert process.stdout is not None
    try:
        running = Service(folder, process, json.loads(process.stdout.readline())["url"], key)
        with running.client:
            if ready:
                wait_until(running.is_ready, 90)
            yield running
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
