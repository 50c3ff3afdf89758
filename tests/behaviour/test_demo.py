"""`triage demo` as a newcomer runs it: the whole way, twice, and what it leaves behind can be served."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

TRIAGE = [sys.executable, "-m", "triage_ml"]
SMALL = ["--tickets", "4000", "--weeks", "6"]
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("TRIAGE_")}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def triage(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*TRIAGE, *words], cwd=folder, capture_output=True, text=True, check=False, env=ENVIRONMENT, timeout=400
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("newcomer")


@pytest.fixture(scope="module")
def demo(folder: Path) -> dict[str, Any]:
    done = triage(folder, "demo", *SMALL, "--json")
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_learns_mines_answers_and_writes_the_list(demo: dict[str, Any], folder: Path) -> None:
    assert demo["trained"]["targets"]["category"]["accuracy"] > 0.6
    assert len(demo["mined"]["weeks"]) == 4
    assert demo["reported"]["candidates"]
    assert demo["answer"]["targets"]["tier"]["because"]
    assert demo["answer"]["model"]["version"] == demo["trained"]["model_version"]
    for path in demo["reported"]["files"].values():
        assert (folder / path).stat().st_size > 1000


def test_what_it_left_is_served_and_gives_the_answer_that_it_printed(demo: dict[str, Any], folder: Path) -> None:
    words = demo["curl"]
    key = words.split("Bearer ")[1].split("'")[0]
    body = words.split("-d '")[1].rsplit("'", 1)[0]
    line = [*TRIAGE, "serve", "--port", "0", "--json"]
    with subprocess.Popen(
        line, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=ENVIRONMENT
    ) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        try:
            _ready(url)
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            request = urllib.request.Request(f"{url}/v1/score", body.encode(), headers)
            with urllib.request.urlopen(request, timeout=30) as response:
                answer = json.loads(response.read())
        finally:
            process.send_signal(signal.SIGTERM)
    assert answer["targets"] == demo["answer"]["targets"]
    assert answer["decision"] == demo["answer"]["decision"]


def test_runs_again_and_promotes_what_it_learnt_anew(demo: dict[str, Any], folder: Path) -> None:
    again = json.loads(triage(folder, "demo", *SMALL, "--json").stdout)
    assert again["trained"]["role"] == "challenger"
    assert again["answer"]["model"]["version"] == again["trained"]["model_version"]
    assert again["trained"]["digest"] == demo["trained"]["digest"]
    assert again["reported"]["week"] == demo["reported"]["week"]


def test_does_not_mix_into_other_work(tmp_path: Path) -> None:
    assert triage(tmp_path, "store", "upgrade").returncode == 0
    done = triage(tmp_path, "demo", *SMALL)
    assert done.returncode == 1
    assert "holds work that is not the demo's" in done.stderr
    assert "in an empty folder" in done.stderr


@pytest.mark.parametrize("seconds", [1, 6, 15])
def test_ctrl_c_leaves_nothing_running_and_the_next_run_works(tmp_path: Path, seconds: int) -> None:
    with subprocess.Popen(
        [*TRIAGE, "demo", *SMALL],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    ) as process:
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGINT)  # what a terminal does on Ctrl-C: the whole group gets it
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    drafts = [path for path in tmp_path.rglob(".*-*") if path.name != ".triage"]
    assert drafts == []
    if seconds == 15:
        assert triage(tmp_path, "demo", *SMALL).returncode == 0


def _ready(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the service was not ready in time")
