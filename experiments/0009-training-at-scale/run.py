"""`triage train` on simulated desks of growing size: seconds, memory, and how both grow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run
from services import summed_pss

SAMPLE_SECONDS = 0.5


def triage(folder: Path, *words: str) -> subprocess.Popen[str]:
    """The command as a process, its home in `folder`."""
    environment = {**os.environ, "TRIAGE_PATHS__HOME": str(folder / "home"), "MLFLOW_DISABLE_TELEMETRY": "true"}
    line = [sys.executable, "-m", "triage_ml", *words, "--json"]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Its JSON, or an error."""
    out, err = process.communicate()
    if process.returncode not in (0, 1) or not out:
        raise RuntimeError(f"triage: exit code {process.returncode}: {err[-500:]}")
    document: dict[str, Any] = json.loads(out)
    return document


def trained(tickets: int, seed: int) -> dict[str, Any]:
    """What training on a desk of so many tickets took."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        finished(
            triage(folder, "simulate", "--tickets", str(tickets), "--seed", str(seed), "--out", str(folder / "desk"))
        )
        table, taxonomy = folder / "desk" / "tickets.parquet", folder / "desk" / "taxonomy.toml"
        finished(triage(folder, "models"))  # the store of MLflow is there: it costs the same for any number of tickets
        begun, peak = time.perf_counter(), 0.0
        process = triage(folder, "train", str(table), "--taxonomy", str(taxonomy))
        while process.poll() is None:
            peak = max(peak, summed_pss(process.pid))
            time.sleep(SAMPLE_SECONDS)
        seconds = time.perf_counter() - begun
        result = finished(process)
    figures = {name: round(target["accuracy"], 4) for name, target in result["targets"].items()}
    return {"tickets": tickets, "seconds": round(seconds, 1), "peak_gb": round(peak / 1024, 2), "accuracy": figures}


def table(results: list[dict[str, Any]]) -> str:
    """One row a size."""
    lines = [
        "| tickets | seconds | against the smallest | peak memory (summed PSS) | accuracy |",
        "|---|---|---|---|---|",
    ]
    for row in results:
        figures = ", ".join(f"{name} {value:.1%}" for name, value in row["accuracy"].items())
        ratio = row["seconds"] / results[0]["seconds"]
        lines.append(
            f"| {row['tickets']:,} | {row['seconds']:,.0f} | {ratio:.1f} × | {row['peak_gb']:.1f} GB | {figures} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Train on each size in turn."""
    run = Run(__file__, __doc__)
    results = [trained(tickets, run.config["seed"]) for tickets in run.config["tickets"]]
    run.write({"sizes": results}, table(results))


if __name__ == "__main__":
    main()
