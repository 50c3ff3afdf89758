"""What mining costs: the first run over the history, and a week on top of it, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from triage_training.facts import gather

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run

from triage_ml.patterns import Prototypes, grow
from triage_ml.simulate import simulate_desk
from triage_ml.text import ticket_text
from triage_ml.tickets import read_tickets, write_tickets
from triage_training.weeks import weeks_of

ASKED = 300


def main() -> None:
    """Measure every size, smallest first."""
    run = Run(__file__, __doc__)
    rows = [row for size in run.config["sizes"] for row in measure(run, size)]
    growth = rows[-2]["seconds"] / rows[0]["seconds"] if len(rows) > 2 else None
    asked = one_ticket(run.config["patterns"])
    run.write({"runs": rows, "growth": growth, "one_ticket": asked}, table(rows) + f"\n\n{sentence(asked)}")


def measure(run: Run, size: int) -> list[dict[str, Any]]:
    """The first run over all but the last week, then the last week, delivered alone, on top."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        simulate_desk(folder / "desk", tickets=size, weeks=run.config["weeks"], seed=run.config["seed"])
        tickets = read_tickets(folder / "desk" / "tickets.parquet")
        weeks = weeks_of(tickets["opened_at"], "UTC")
        last = weeks.max()
        write_tickets(tickets[weeks < last].reset_index(drop=True), folder / "history.parquet")
        on_top = tickets[weeks == last]
        if len(on_top) > run.config["week"]:
            on_top = on_top.sample(run.config["week"], random_state=0).sort_index()
        write_tickets(on_top.reset_index(drop=True), folder / "week.parquet")
        known, new = len(tickets) - int((weeks == last).sum()), len(on_top)
        del tickets
        before = sorted(weeks.unique())[-2]
        first = mined(folder, "history.parquet", before)
        second = mined(folder, "week.parquet", last)
    return [
        {"run": "first", "tickets": known, **first},
        {"run": "a week on top", "tickets": new, **second},
    ]


def one_ticket(patterns: int) -> dict[str, Any]:
    """Median milliseconds to recognise one ticket as filed, with so many patterns of three prototypes each."""
    with tempfile.TemporaryDirectory() as scratch:
        simulate_desk(Path(scratch, "desk"), tickets=2000, weeks=4, seed=1)
        tickets = read_tickets(Path(scratch, "desk", "tickets.parquet"))
    book = grow(None, gather(tickets).said, week="", min_tickets=10).book
    random = np.random.default_rng(0)
    more = 3 * (patterns - len(book))
    vectors = random.standard_normal((more, book.space.dimensions)).astype(np.float32)
    ones = np.ones(more, dtype=np.float32)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    owner = len(book) + np.arange(more) // 3
    filler = [replace(book.patterns[0], pattern_id=f"q{number}") for number in range(more // 3)]
    large = replace(
        book,
        patterns=(*book.patterns, *filler),
        prototypes=book.prototypes.joined(Prototypes(units, owner, ones, ones, ones.astype(np.int64))),
    )
    texts = ticket_text(tickets)[:ASKED]
    large.assign(texts[:1])
    seconds = []
    with threadpool_limits(limits=1):
        for text in texts:
            begun = time.perf_counter()
            large.assign([text])
            seconds.append(time.perf_counter() - begun)
    return {"patterns": len(large), "milliseconds": round(1000 * float(np.median(seconds)), 2)}


def sentence(asked: dict[str, Any]) -> str:
    """What one ticket costs, in words."""
    return f"One ticket as filed over {asked['patterns']:,} patterns: {asked['milliseconds']} ms (median of {ASKED})."


def mined(folder: Path, file: str, week: str) -> dict[str, Any]:
    """Seconds, peak memory (proportional, with all children) and coverage of one `triage mine`."""
    command = [sys.executable, "-m", "triage_ml", "mine", str(folder / file), "--week", week, "--json"]
    begun = time.monotonic()
    with (folder / "out.json").open("w") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out)
        peak: list[float] = [0.0]
        watcher = threading.Thread(target=watch, args=(process, peak))
        watcher.start()
        code = process.wait()
        watcher.join()
    if code:
        raise SystemExit(f"triage mine ended with {code}")
    document = json.loads((folder / "out.json").read_text())
    return {
        "seconds": round(time.monotonic() - begun, 1),
        "megabytes": round(peak[0]),
        "covered": document["covered"],
        "listed": len(document["candidates"]),
    }


def watch(process: subprocess.Popen[bytes], peak: list[float]) -> None:
    """Keep the largest summed PSS of a process and its children, in megabytes."""
    while process.poll() is None:
        peak[0] = max(peak[0], sum(map(pss, family(process.pid))))
        time.sleep(0.5)


def family(pid: int) -> list[int]:
    """A process and all below it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in children for one in family(int(child)))]


def pss(pid: int) -> float:
    """Proportional set size in megabytes; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def table(rows: list[dict[str, Any]]) -> str:
    """All runs as Markdown."""
    head = ["| run | tickets | seconds | MB | covered | listed |", "|---|---|---|---|---|---|"]
    return "\n".join(
        head
        + ["| {run} | {tickets:,} | {seconds} | {megabytes:,} | {covered} | {listed} |".format(**row) for row in rows]
    )


if __name__ == "__main__":
    main()
