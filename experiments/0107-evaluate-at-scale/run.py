"""`triage evaluate --slices` on simulated desks of growing size: peak memory, seconds, figures."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run


def triage(folder: Path, *words: str) -> tuple[dict[str, Any], float, float]:
    """The command as a process, its home in `folder`: its JSON, seconds, and peak memory in GB as `/usr/bin/time -v` says it."""
    environment = {**os.environ, "TRIAGE_PATHS__HOME": str(folder / "home"), "MLFLOW_DISABLE_TELEMETRY": "true"}
    line = [sys.executable, "-m", "triage_ml", *words, "--json"]
    with tempfile.TemporaryFile("w+") as out:
        begun = time.perf_counter()
        process = os.posix_spawn(
            sys.executable, line, environment, file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1)]
        )
        _, status, used = os.wait4(process, 0)
        seconds = time.perf_counter() - begun
        out.seek(0)
        text = out.read()
    if os.waitstatus_to_exitcode(status) not in (0, 1) or not text:
        raise RuntimeError(f"triage {words[0]} failed")
    document: dict[str, Any] = json.loads(text)
    if "error" in document:
        raise RuntimeError(document["error"]["message"])
    return document, seconds, used.ru_maxrss / 2**20


def simulated(folder: Path, tickets: int, config: dict[str, Any], given: list[Path]) -> Path:
    """The folder of a desk of this size: one that is there already, or a new one."""
    for desk in given:
        if pq.read_metadata(desk / "tickets.parquet").num_rows == tickets:
            return desk
    desk = folder / f"desk-{tickets}"
    words = ("--tickets", str(tickets), "--weeks", str(config["weeks"]), "--seed", str(config["seed"]))
    triage(folder, "simulate", *words, "--out", str(desk))
    return desk


def first_tickets(desk: Path, count: int, out: Path) -> Path:
    """The first tickets of a desk as a file of their own."""
    table = pq.read_table(desk / "tickets.parquet")
    pq.write_table(table.sort_by("opened_at").slice(0, count), out)
    return out


def measured(folder: Path, desk: Path, tickets: int, bundle: str) -> dict[str, Any]:
    """What evaluating the desk took."""
    found, seconds, peak = triage(folder, "evaluate", str(desk / "tickets.parquet"), "--model", bundle, "--slices")
    figures = {name: round(target["accuracy"], 4) for name, target in found["targets"].items()}
    slices = sum(len(rows) for rows in found["slices"].values())
    return {
        "tickets": tickets,
        "seconds": round(seconds, 1),
        "peak_gb": round(peak, 2),
        "slices": slices,
        "accuracy": figures,
    }


def table(results: list[dict[str, Any]], asked: float) -> str:
    """One row a size."""
    lines = ["| tickets | peak memory | seconds | slices | accuracy |", "|---|---|---|---|---|"]
    for row in results:
        figures = ", ".join(f"{name} {value:.1%}" for name, value in row["accuracy"].items())
        lines.append(
            f"| {row['tickets']:,} | {row['peak_gb']:.2f} GB | {row['seconds']:,.0f} | {row['slices']} | {figures} |"
        )
    largest = results[-1]
    held = "reached" if largest["peak_gb"] <= asked else "missed"
    lines += ["", f"Asked: {largest['tickets']:,} tickets within {asked:g} GB: {held}, {largest['peak_gb']:.2f} GB."]
    return "\n".join(lines)


def options(parser: argparse.ArgumentParser) -> None:
    """Beside those of every experiment."""
    parser.add_argument(
        "--desk", type=Path, action="append", default=[], help="a desk that was simulated with this config already"
    )


def main() -> None:
    """Train a small model, then evaluate it on each size in turn."""
    run = Run(__file__, __doc__, options)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        desks = [simulated(folder, tickets, run.config, run.arguments.desk) for tickets in run.config["tickets"]]
        early = first_tickets(desks[0], run.config["train_on"], folder / "early.parquet")
        taxonomy = str(desks[0] / "taxonomy.toml")
        bundle = triage(folder, "train", str(early), "--taxonomy", taxonomy, "--no-curve")[0]["bundle"]
        results = [
            measured(folder, desk, tickets, bundle) for desk, tickets in zip(desks, run.config["tickets"], strict=True)
        ]
    run.write({"sizes": results}, table(results, run.config["asked_gb"]))


if __name__ == "__main__":
    main()
