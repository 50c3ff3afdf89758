"""Requests a second of `triage serve` against `mlflow models serve` and a bare FastAPI app, in one run."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from typing import Any

import joblib
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
from provenance import Run
from servers import Server, bare, mlflow_serve, ours

from triage_ml.answer import load_answerer, prepare, write_model
from triage_ml.classify import TriageClassifier
from triage_ml.settings import Settings
from triage_ml.taxonomy import Taxonomy
from triage_serving.bundles import BundleFolder, Kept
from triage_training.registry_runs import describe_for_mlflow

LUA = """
local bodies, n = {{}}, 0
for line in io.lines("{file}") do bodies[#bodies + 1] = line end
wrk.method = "POST"
{headers}
request = function() n = n % #bodies + 1; return wrk.format(nil, "{path}", nil, bodies[n]) end
{pace}
"""
#: Each connection waits an exponential time before its next request, so that requests come as from many callers.
PACE = "delay = function() return math.floor(-math.log(1 - math.random()) * {milliseconds} + 0.5) end"


def make_models(folder: Path, texts: list[str], labels: list[str]) -> None:
    """Our bundle with one target, as it is kept by a service and as MLflow takes it, and a scikit-learn pipeline."""
    classifier = TriageClassifier(penalty=0.3).fit(prepare(texts), pd.DataFrame({"category": labels}))
    digest = write_model(folder / "bundle", classifier, Taxonomy())
    bundles = BundleFolder(folder / ".triage" / "bundles")
    bundles.path(digest).parent.mkdir(parents=True)
    write_model(bundles.path(digest), classifier, Taxonomy())
    bundles.remember(Kept("1", digest))
    describe_for_mlflow(folder / "bundle")
    pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(tol=1e-2)).fit(texts, labels)
    joblib.dump(pipeline, folder / "pipeline.joblib")


def load(
    server: Server, texts: list[str], clients: int, seconds: float, folder: Path, *, pause_ms: float = 0.0
) -> dict[str, float]:
    """One round of wrk with one thread: requests a second, median and p99 in milliseconds.

    `pause_ms` is how long a connection waits on average between an answer and its next request.
    """
    bodies, script = folder / "bodies.txt", folder / "load.lua"
    bodies.write_bytes(b"\n".join(server.body(f"T{number}", text) for number, text in enumerate(texts)))
    headers = {"Content-Type": "application/json", **server.headers}
    pace = PACE.format(milliseconds=pause_ms) if pause_ms else ""
    lines = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items())
    script.write_text(LUA.format(file=bodies, headers=lines, path=server.path, pace=pace))
    line = [
        "wrk",
        "-t1",
        f"-c{clients}",
        f"-d{seconds}s",
        "--timeout",
        "30s",
        "--latency",
        "-s",
        str(script),
        server.url,
    ]
    said = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in said, said
    figures = {name: _milliseconds(said, name) for name in ("50%", "99%")}
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert rate is not None, said
    return {"per_second": float(rate[1]), "median_ms": figures["50%"], "p99_ms": figures["99%"]}


def _milliseconds(said: str, name: str) -> float:
    found = re.search(rf"{name}\s+([\d.]+)(us|ms|s|m)\b", said)
    assert found is not None, said
    return round(float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[found[2]], 2)


def at_half_of_peak(
    server: Server, texts: list[str], peak: float, clients: int, seconds: float, folder: Path
) -> dict[str, float]:
    """Load at about half of `peak` requests a second, with pauses that are drawn again until the rate is that."""
    pause = 1000 * clients / (peak / 2)
    for _ in range(2):
        found = load(server, texts, clients, seconds, folder, pause_ms=pause)
        pause *= max(0.2, found["per_second"] / (peak / 2))
    found = load(server, texts, clients, seconds, folder, pause_ms=pause)
    return found | {"wanted_per_second": round(peak / 2, 1)}


def _spread_ms(step: Callable[[], None], seconds: float) -> dict[str, float]:
    """Median and p99 of a step that is done again and again."""
    times = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        begun = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - begun))
    times.sort()
    return {"median_ms": round(median(times), 3), "p99_ms": round(times[int(0.99 * len(times))], 3)}


def disk(folder: Path, seconds: float) -> dict[str, dict[str, float]]:
    """What the disk alone takes to keep 4 kB, and SQLite alone to keep one row of 1 kB as our store is set up."""
    with (folder / "fsync").open("wb") as file:

        def keep() -> None:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())

        found = {"fsync": _spread_ms(keep, seconds)}
    with closing(sqlite3.connect(folder / "one.db", isolation_level=None)) as connection:
        for line in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE kept (row TEXT)"):
            connection.execute(line)
        found["commit"] = _spread_ms(lambda: _commit(connection), seconds)
    return found


def _commit(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO kept VALUES (?)", ("x" * 1024,))
    connection.execute("COMMIT")


def batch_rates(server: Server, texts: list[str], folder: Path, batches: int) -> dict[str, float]:
    """Tickets a second in requests of 1,000 over HTTP, until the answer is here, and in one process without HTTP and store."""
    tickets = [{"ticket_id": f"B{number}", "description": texts[number % len(texts)]} for number in range(1000)]
    (bundle,) = [path for path in (folder / ".triage" / "bundles").iterdir() if path.is_dir()]
    answerer = load_answerer(bundle, Settings())
    body = json.dumps({"tickets": tickets}).encode()
    headers = {"Content-Type": "application/json", **server.headers}
    seconds: dict[str, list[float]] = {"http": [], "in_process": []}
    for _ in range(batches + 1):
        begun = time.perf_counter()
        request = urllib.request.Request(f"{server.url}/v1/score/batch", body, headers)  # noqa: S310 - our own server
        with urllib.request.urlopen(request) as response:  # noqa: S310
            answered = response.read()
        seconds["http"].append(time.perf_counter() - begun)
        assert len(json.loads(answered)["answers"]) == 1000
        begun = time.perf_counter()
        answerer.answer(tickets)
        seconds["in_process"].append(time.perf_counter() - begun)
    rates = {name: round(1000 / median(times[1:]), 1) for name, times in seconds.items()}
    return rates | {"share": round(rates["http"] / rates["in_process"], 3)}


def table(results: dict[str, Any]) -> str:
    """Medians over the rounds, as Markdown; ratios are medians of the ratios within a round."""
    clients = [str(count) for count in results["clients"]]
    rows = [
        f"| server | {' | '.join(f'requests/s at {count}' for count in clients)} |",
        "|---|" + "---|" * len(clients),
    ]
    for name, rounds in results["servers"].items():
        cells = [f"{median(one['per_second'] for one in rounds[count]):.0f}" for count in clients]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    for name, ratios in results["ratios"].items():
        cells = [
            f"{ratios[count]['median']:.1f} × ({min(ratios[count]['all']):.1f} to {max(ratios[count]['all']):.1f})"
            for count in clients
        ]
        rows.append(f"| triage against {name} | {' | '.join(cells)} |")
    half = results["half_of_peak"]
    rows.append("")
    for name, one in half.items():
        rows.append(
            f"At {one['per_second']:.0f} requests a second, half of its peak, {name} has a median of {one['median_ms']:.1f} ms "
            f"and a p99 of {one['p99_ms']:.1f} ms."
        )
    fsync, commit = results["disk"]["fsync"], results["disk"]["commit"]
    rows.append(
        f"The disk alone takes {fsync['median_ms']:.2f} ms to keep 4 kB (fsync; p99 {fsync['p99_ms']:.2f} ms), "
        f"SQLite alone {commit['median_ms']:.2f} ms to commit a row (p99 {commit['p99_ms']:.2f} ms)."
    )
    batch = results["batch"]
    rows.append("")
    rows.append(
        f"Requests of 1,000 tickets: {batch['http']:.0f} tickets a second, {100 * batch['share']:.0f} % of the rate "
        f"in one process without HTTP and store ({batch['in_process']:.0f})."
    )
    rows += ["", "| asked | found | |", "|---|---|---|"]
    rows += [f"| {what} | {found} | {'reached' if enough else 'missed'} |" for what, found, enough in asked(results)]
    return "\n".join(rows)


def asked(results: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """What was asked of the service, what was found in this run, and whether that is enough."""
    found = [
        ("12 × `mlflow models serve` at 64 clients", "mlflow models serve", "64", 12.0),
        ("8 × at 8 clients", "mlflow models serve", "8", 8.0),
        ("2 × the bare FastAPI app, scikit-learn's pipeline in it, at 64 clients", "bare FastAPI, sklearn", "64", 2.0),
        ("2 × with our classifier in it", "bare FastAPI, same", "64", 2.0),
        ("1 × at one client, scikit-learn's pipeline", "bare FastAPI, sklearn", "1", 1.0),
        ("1 × at one client, our classifier", "bare FastAPI, same", "1", 1.0),
    ]
    rows = []
    for what, peer, clients, least in found:
        if clients in results["ratios"][peer]:
            ratio = results["ratios"][peer][clients]["median"]
            rows.append((what, f"{ratio:.1f} ×", ratio >= least))
    half = results["half_of_peak"]
    p99, bare_p99 = half["triage"]["p99_ms"], half["bare FastAPI, same"]["p99_ms"]
    allowed = max(15.0, 1.5 * bare_p99 + results["disk"]["fsync"]["p99_ms"])
    what = f"p99 at half of the peak under 15 ms, or 1.5 × the bare app's plus the disk's: {allowed:.1f} ms"
    rows.append((what, f"{p99:.1f} ms", p99 < allowed))
    share = results["batch"]["share"]
    rows.append(("batches of 1,000 at 60 % of the rate in process", f"{100 * share:.0f} %", share >= 0.6))
    return rows


def ratios(servers: dict[str, dict[str, list[dict[str, float]]]]) -> dict[str, Any]:
    """Ours over each peer, round by round."""
    mine = servers["triage"]
    found: dict[str, Any] = {}
    for name, theirs in servers.items():
        if name != "triage":
            all_of = {
                count: [a["per_second"] / b["per_second"] for a, b in zip(mine[count], theirs[count], strict=True)]
                for count in mine
            }
            found[name] = {
                c: {"median": round(median(v), 2), "all": [round(x, 2) for x in v]} for c, v in all_of.items()
            }
    return found


def main() -> None:
    """Train once, start all servers, load one after the other in every round."""
    run = Run(__file__, __doc__)
    data = pd.read_csv(run.data / "it_service_v3" / "tickets.csv.gz")
    early = data[data["split_lunalykaya"] == "train"].iloc[: run.config["tickets"]]
    texts = data[data["split_lunalykaya"] == "test"]["text"].tolist()[: run.config["bodies"]]
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        folder = Path(scratch)
        make_models(folder, early["text"].tolist(), early["topic_group"].tolist())
        starts = [ours(folder), bare(folder, "same"), bare(folder, "sklearn"), mlflow_serve(folder)]
        servers = [stack.enter_context(start) for start in starts]
        figures: dict[str, dict[str, list[dict[str, float]]]] = {server.name: {} for server in servers}
        for server in servers:
            load(server, texts, 8, 1, folder)
        for _ in range(run.config["rounds"]):
            for clients in run.config["clients"]:
                for server in servers:
                    found = load(server, texts, clients, run.config["seconds"], folder)
                    figures[server.name].setdefault(str(clients), []).append(found)
        half = {}
        for server in servers[:2]:
            peak = max(median(one["per_second"] for one in rounds) for rounds in figures[server.name].values())
            half[server.name] = at_half_of_peak(
                server, texts, peak, run.config["half_clients"], run.config["half_seconds"], folder
            )
        results = {
            "half_of_peak": half,
            "disk": disk(folder, run.config["seconds"]),
            "clients": run.config["clients"],
            "load_average": os.getloadavg(),
            "servers": figures,
            "ratios": ratios(figures),
            "batch": batch_rates(servers[0], texts, folder, run.config["batches"]),
        }
    run.write(results, table(results))


if __name__ == "__main__":
    main()
