"""What does a second worker cost, with a big bundle and without one?"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run
from services import Client, Service, desk_tickets, make_key, service, summed_pss

from triage_ml.answer import prepare, write_model
from triage_ml.classify import TriageClassifier
from triage_ml.features import LexicalFeatures
from triage_ml.taxonomy import Taxonomy
from triage_serving.bundles import BundleFolder, Kept

SETTLES_SECONDS = 3.0


def keep_big_model(home: Path, texts: list[str], megabytes: float) -> float:
    """A model whose weights come to `megabytes`, by as many made-up classes as it takes; returns its size on disk."""
    features = LexicalFeatures(min_texts=1)
    columns = features.fit(prepare(texts)).transform(prepare(texts[:1])).shape[1]
    classes = max(2, round(megabytes * 1e6 / 4 / columns))
    labels = pd.DataFrame({"bucket": [f"class {number % classes}" for number in range(len(texts))]})
    classifier = TriageClassifier(LexicalFeatures(min_texts=1), penalty=0.3).fit(prepare(texts), labels)
    bundles = BundleFolder(home / "bundles")
    digest = write_model(home / "fresh", classifier, Taxonomy())
    bundles.path(digest).parent.mkdir(parents=True, exist_ok=True)
    (home / "fresh").rename(bundles.path(digest))
    bundles.remember(Kept("1", digest))
    return sum(file.stat().st_size for file in bundles.path(digest).iterdir()) / 1e6


def ask_everybody(running: Service, key: str, texts: list[str], requests: int) -> None:
    """Enough requests over fresh connections that every worker reads all of its model."""
    for number in range(requests):
        if number % 50 == 0:
            client = Client(running.url, key)
        status, _ = client.post("/v1/score", {"ticket_id": f"T{number}", "description": texts[number % len(texts)]})
        if status not in (200, 503):  # 503 where there is no model
            raise RuntimeError(f"answered {status}")


def memory(folder: Path, workers: int, texts: list[str], requests: int, *, model: bool) -> float:
    """Summed PSS of a service that was asked, MB."""
    key = make_key(folder)
    with service(folder, "--workers", str(workers), wants=(200,) if model else (200, 503)) as running:
        time.sleep(SETTLES_SECONDS)  # also the workers that were not asked whether they are ready
        ask_everybody(running, key, texts, requests)
        time.sleep(SETTLES_SECONDS)
        return round(summed_pss(running.process.pid), 1)


def measure(scratch: Path, config: dict[str, Any], seed: int) -> dict[str, Any]:
    """One and two workers, without a bundle and with a big one."""
    texts = desk_tickets(scratch / "made", config["tickets"], seed)["text"].tolist()
    found: dict[str, Any] = {}
    for name in ("without_a_bundle", "with_the_bundle"):
        folder = scratch / name
        (folder / ".triage").mkdir(parents=True)
        if name == "with_the_bundle":
            found["bundle_megabytes"] = round(keep_big_model(folder / ".triage", texts, config["megabytes"]), 1)
        one, two = (
            memory(folder, workers, texts, config["requests"], model=name == "with_the_bundle") for workers in (1, 2)
        )
        found |= {f"one_worker_{name}": one, f"two_workers_{name}": two, f"second_worker_{name}": round(two - one, 1)}
    found["more_for_the_second_worker"] = round(
        found["second_worker_with_the_bundle"] - found["second_worker_without_a_bundle"], 1
    )
    return found


def main() -> None:
    """Measure, and write it down."""
    run = Run(__file__, __doc__)
    with tempfile.TemporaryDirectory() as scratch:
        results = measure(Path(scratch), run.config, run.config["seed"])
    rows = [f"| {name.replace('_', ' ')} | {value:,} |" for name, value in results.items()]
    print(json.dumps(results), file=sys.stderr)
    run.write(results, "\n".join(["| summed PSS | MB |", "|---|---|", *rows]))


if __name__ == "__main__":
    main()
