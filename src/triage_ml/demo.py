"""`triage demo`: the whole way on a simulated service desk, through the same commands that anyone would type.

Every step is a process of its own, so what the demo shows is what the commands do. The service is asked over real HTTP.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from triage_ml.errors import ServiceError, TriageError
from triage_ml.settings import Settings

__all__ = ["Demo", "run_demo"]

Step = Callable[[str], None]

TICKET = {
    "ticket_id": "INC9000001",
    "title": "Locked out after my holiday",
    "description": "My account is locked and I cannot log in to Windows.",
}
_READY_WITHIN_SECONDS = 60
_WEEKS_MINED = 4


@dataclass(frozen=True)
class Demo:
    """What the demo did: the JSON results of its commands, and the service's real answer."""

    desk: Path
    simulated: dict[str, Any]
    trained: dict[str, Any]
    mined: dict[str, Any]
    reported: dict[str, Any]
    key: str
    url: str
    answer: dict[str, Any]
    milliseconds: float
    seconds: float

    def curl(self, url: str | None = None) -> str:
        """The line that asks the service the same."""
        return (
            f"curl -s {url or self.url}/v1/score \\\n"
            f"  -H 'Authorization: Bearer {self.key}' -H 'Content-Type: application/json' \\\n"
            f"  -d '{json.dumps(TICKET)}'"
        )


def run_demo(
    settings: Settings, config: Path | None, *, tickets: int, weeks: int, seed: int, step: Step = lambda _: None
) -> Demo:
    """Simulate, train and mine at the same time, promote, serve, ask, and write the list."""
    begun = time.monotonic()
    home = settings.paths.home
    _keep_out_of_real_work(home)
    desk = home / "demo" / "desk"
    command = _Commands(config)
    step(f"simulating {tickets:,} tickets over {weeks} weeks")
    simulated = command(
        "simulate", "--tickets", str(tickets), "--weeks", str(weeks), "--seed", str(seed), "--out", str(desk), own=False
    )
    table, taxonomy, handoffs = (desk / name for name in ("tickets.parquet", "taxonomy.toml", "handoffs.parquet"))
    step("training the classifier, and mining four weeks beside it")
    with command.start("train", str(table), "--taxonomy", str(taxonomy)) as training:
        mined = command("mine", str(table), "--last", str(_WEEKS_MINED), "--handoffs", str(handoffs))
        trained = training.result()
    if trained["role"] == "challenger":  # an earlier demo's model answers; this one was trained on another desk
        step("promoting the new model")
        command("promote", "--force", "--reason", "a new demo answers with the model of its own desk")
    step("writing the weekly list")
    reported = command("report")
    key = command("keys", "create", "--scope", "score", "--name", "demo")["key"]
    step("asking the service over HTTP")
    with command.serving(port=0) as url:
        _wait_for_version(url, key, trained["model_version"])
        answer, milliseconds = _ask(url, key)
    return Demo(
        desk, simulated, trained, mined, reported, key, url, answer, milliseconds, round(time.monotonic() - begun, 1)
    )


def _keep_out_of_real_work(home: Path) -> None:
    if (home / "store.db").exists() and not (home / "demo").exists():
        raise TriageError(
            f"{home.resolve()} holds work that is not the demo's, and the demo would mix its tickets into it.",
            hint="Run `triage demo` in an empty folder.",
        )


class _Commands:
    """The `triage` command as a process; what it prints with `--json` as a dict."""

    def __init__(self, config: Path | None) -> None:
        self._config = ["--config", str(config)] if config else []

    def __call__(self, *words: str, own: bool = True) -> dict[str, Any]:
        with self.start(*words, own=own) as process:
            return process.result()

    def start(self, *words: str, own: bool = True) -> _Process:
        """Start it and go on; `own` commands take the demo's settings file."""
        line = [sys.executable, "-m", "triage_ml", *words, "--json", *(self._config if own else [])]
        return _Process(words[0], subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))

    @contextmanager
    def serving(self, *, port: int) -> Iterator[str]:
        """A running service: yields its address, and ends it afterwards."""
        line = [sys.executable, "-m", "triage_ml", "serve", "--port", str(port), "--json", *self._config]
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            first = process.stdout.readline() if process.stdout else ""
            if not first:
                raise ServiceError("The service did not start.", hint="See what `triage serve` says.")
            url = json.loads(first)["url"]
            _wait_until_ready(url)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=30)


class _Process:
    """A running command whose result is wanted later."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self._name = name
        self._process = process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End it, where it is still running because something else failed."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait()

    def result(self) -> dict[str, Any]:
        """Wait for it; its JSON object, or what it said instead as an error."""
        out, err = self._process.communicate()
        try:
            document: dict[str, Any] = json.loads(out)
        except ValueError:
            document = {"error": {"message": err.strip()[-2000:] or "it printed nothing", "hint": None}}
        if problem := document.get("error"):
            raise TriageError(f"triage {self._name}: {problem['message']}", hint=problem["hint"])
        return document


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + _READY_WITHIN_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5) as response:  # noqa: S310
                if response.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise ServiceError(f"The service at {url} was not ready within {_READY_WITHIN_SECONDS} seconds.")


def _wait_for_version(url: str, key: str, version: str) -> None:
    """A service starts with the model that it kept, and takes a newer champion at its next poll."""
    deadline = time.monotonic() + _READY_WITHIN_SECONDS
    request = urllib.request.Request(f"{url}/v1/model", headers={"Authorization": f"Bearer {key}"})  # noqa: S310
    while time.monotonic() < deadline:
        with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
            if json.loads(response.read())["champion"]["version"] == version:
                return
        time.sleep(0.2)
    raise ServiceError(f"The service at {url} did not take version {version} within {_READY_WITHIN_SECONDS} seconds.")


def _ask(url: str, key: str) -> tuple[dict[str, Any], float]:
    """The answer to the demo's ticket, and the median milliseconds of twenty more."""
    answer, _ = _post(url, key, TICKET)
    times = sorted(_post(url, key, TICKET | {"ticket_id": f"INC90001{number:02}"})[1] for number in range(20))
    return answer, round(1000 * times[len(times) // 2], 1)


def _post(url: str, key: str, ticket: dict[str, str]) -> tuple[dict[str, Any], float]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/v1/score", json.dumps(ticket).encode(), headers)  # noqa: S310
    begun = time.perf_counter()
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        answer: dict[str, Any] = json.loads(response.read())
    return answer, time.perf_counter() - begun


def serve_on(config: Path | None) -> None:
    """Become `triage serve` on the port of the settings; this process ends with it."""
    words = [sys.executable, "-m", "triage_ml", "serve", *(["--config", str(config)] if config else [])]
    os.execv(sys.executable, words)  # noqa: S606
