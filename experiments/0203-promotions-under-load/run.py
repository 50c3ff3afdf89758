"""100 promotions and 100 rollbacks under full load: does any request fail, mix two models, or wait longer?"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run
from services import Client, Service, desk_tickets, make_key, service, wrk

from triage_ml.answer import prepare, write_model
from triage_ml.classify import TriageClassifier
from triage_ml.settings import Settings
from triage_ml.taxonomy import Taxonomy
from triage_training.promotion import Champions, open_champions
from triage_training.registry import Registry, Version

POLL = {"TRIAGE_SERVING__POLL_SECONDS": "0.2"}
SCRIPT = """
local bodies, n = {{}}, 0
for line in io.lines("{file}") do bodies[#bodies + 1] = line end
wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer {key}"
wrk.headers["Content-Type"] = "application/json"
request = function() n = n % #bodies + 1; return wrk.format(nil, "/v1/score", nil, bodies[n]) end
"""


def register(registry: Registry, folder: Path, tickets: Any, mark: str) -> Version:
    """A version whose every class ends with its mark, so that an answer of two models can be seen."""
    labels = tickets[["tier", "category"]].map(lambda label: f"{label} {mark}")
    classifier = TriageClassifier(penalty=0.3).fit(prepare(tickets["text"].tolist()), labels)
    digest = write_model(folder / mark, classifier, Taxonomy())
    return registry.register(folder / mark, digest, params={}, metrics={}, tags={}, files={})


class Checker:
    """A client that sends batches and looks whether each was answered by one model, and by the one that it names."""

    def __init__(self, running: Service, key: str, texts: list[str], marks: dict[str, str]) -> None:
        self._client = Client(running.url, key)
        self._texts = texts
        self._marks = marks
        self._stop = threading.Event()
        self.batches = self.mixed = self.failed = 0

    def run(self) -> None:
        """Until stopped."""
        picks = random.Random(0)  # noqa: S311
        while not self._stop.is_set():
            texts = picks.sample(self._texts, 200)
            tickets = [{"ticket_id": f"C{number}", "description": text} for number, text in enumerate(texts)]
            status, body = self._client.post("/v1/score/batch", {"tickets": tickets})
            if status != 200:
                self.failed += 1
                continue
            self.batches += 1
            self.mixed += len({answer["model"]["digest"] for answer in body["answers"]}) != 1
            self.mixed += any(not self._is_of_one(answer) for answer in body["answers"])

    def stop(self) -> None:
        """End after the batch that is under way."""
        self._stop.set()

    def _is_of_one(self, answer: dict[str, Any]) -> bool:
        mark = self._marks[answer["model"]["version"]]
        return all(target["value"].endswith(f" {mark}") for target in answer["targets"].values())


def moves(champions: Champions, versions: list[Version], count: int, running: Service, key: str) -> list[float]:
    """Promote the second version and roll back, again and again; seconds until the service answered with each."""
    client = Client(running.url, key)
    seconds = []
    for _ in range(count):
        champions.replace(champions.current(), versions[1], "promoted", who="experiment", reason="0203")
        seconds.append(_until(client, versions[1]))
        champions.roll_back(who="experiment", reason="0203")
        seconds.append(_until(client, versions[0]))
    return seconds


def _until(client: Client, version: Version) -> float:
    begun = time.monotonic()
    while json.loads(client.get("/v1/model")[1])["champion"]["version"] != str(version.number):
        if time.monotonic() - begun > 60:
            raise RuntimeError(f"version {version.number} was not taken")
        time.sleep(0.02)
    return time.monotonic() - begun


def measure(
    folder: Path, config: dict[str, Any], texts: list[str], champions: Champions, versions: list[Version]
) -> Any:
    """The same load twice: with one model, then while it changes all the time."""
    key = make_key(folder)
    bodies = folder / "bodies.txt"
    lines = [json.dumps({"ticket_id": f"T{number}", "description": text}) for number, text in enumerate(texts)]
    bodies.write_text("\n".join(lines), encoding="utf-8")
    script = SCRIPT.format(file=bodies, key=key)
    marks = {str(version.number): mark for version, mark in zip(versions, "AB", strict=True)}
    with service(folder, environment=POLL) as running, ThreadPoolExecutor(3) as pool:
        checker = Checker(running, key, texts, marks)
        checking = pool.submit(checker.run)
        wrk(running.url, script, clients=config["clients"], seconds=2)
        calm = wrk(running.url, script, clients=config["clients"], seconds=config["baseline_seconds"])
        moving = pool.submit(moves, champions, versions, config["moves"], running, key)
        busy = []
        while not moving.done():
            busy.append(wrk(running.url, script, clients=config["clients"], seconds=config["baseline_seconds"]))
        checker.stop()
        checking.result()
        seconds = moving.result()
    rounds = [calm, *busy]
    return {
        "moves": len(seconds),
        "slowest_move_seconds": round(max(seconds), 2),
        "requests": int(sum(one["requests"] for one in rounds)),
        "failed_requests": int(sum(one["failed"] for one in rounds)) + checker.failed,
        "batches_of_200_checked": checker.batches,
        "answers_of_two_models": checker.mixed,
        "p99_ms_calm": calm["p99_ms"],
        "p99_ms_while_moving": max(one["p99_ms"] for one in busy),
        "p99_ratio": round(max(one["p99_ms"] for one in busy) / calm["p99_ms"], 2),
        "per_second_calm": calm["per_second"],
        "per_second_while_moving": round(sum(one["per_second"] for one in busy) / len(busy), 1),
    }


def main() -> None:
    """Register two versions, load the service, move the alias to and fro."""
    run = Run(__file__, __doc__)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "desk"
        tickets = desk_tickets(folder / "made", run.config["tickets"], run.config["seed"])
        settings = Settings(paths={"home": folder / ".triage"})
        registry = Registry(settings)
        versions = [register(registry, folder, tickets, mark) for mark in "AB"]
        with open_champions(settings, registry) as champions:
            champions.replace(champions.current(), versions[0], "first", who="experiment", reason="0203")
            results = measure(folder, run.config, tickets["text"].tolist(), champions, versions)
    rows = [f"| {name.replace('_', ' ')} | {value:,} |" for name, value in results.items()]
    run.write(results, "\n".join(["| | |", "|---|---|", *rows]))


if __name__ == "__main__":
    main()
