"""What mining costs: the first run over the history, and a week on top of it, each in a process of its own."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import peers
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet
from measuring import measured
from one_ticket import one_ticket, sentence

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run

from triage_ml.simulate import simulate_desk
from triage_training.weeks import weeks_of


def main() -> None:
    """Measure every size, smallest first."""
    run = Run(__file__, __doc__)
    asked = one_ticket(run.config["patterns"])
    compared = peers.compare(run.data, run.config["peers_on"])
    rows = [row for size in run.config["sizes"] for row in mining(run, size)]
    growth = round(rows[-2]["seconds"] / rows[0]["seconds"], 1)
    tables = [
        table(rows),
        f"The largest first run takes {growth} × the smallest.",
        sentence(asked),
        peers.table(compared),
    ]
    run.write({"runs": rows, "growth": growth, "one_ticket": asked, "peers": compared}, "\n\n".join(tables))


def mining(run: Run, size: int) -> list[dict[str, Any]]:
    """The first run over all but the last week, then the last week, delivered alone, on top."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        simulate_desk(folder / "desk", tickets=size, weeks=run.config["weeks"], seed=run.config["seed"])
        known, new, weeks = cut(folder, run.config["week"])
        first = mined(folder, "history.parquet", weeks[-2])
        second = mined(folder, "week.parquet", weeks[-1])
    return [
        {"run": "first", "tickets": known, **first},
        {"run": "a week on top", "tickets": new, **second},
    ]


def cut(folder: Path, most: int) -> tuple[int, int, list[str]]:
    """Write the last week, and at most so many tickets of it, and what was before; returns the tickets of both, and the weeks."""
    tickets = pa.parquet.read_table(folder / "desk" / "tickets.parquet")
    weeks = weeks_of(tickets["opened_at"].to_pandas(), "UTC")
    names = sorted(weeks.unique())
    is_new = pa.array((weeks == names[-1]).to_numpy(dtype=bool))
    history, week = tickets.filter(pa.compute.invert(is_new)), tickets.filter(is_new).slice(0, most)
    pa.parquet.write_table(history, folder / "history.parquet")
    pa.parquet.write_table(week, folder / "week.parquet")
    return len(history), len(week), names


def mined(folder: Path, file: str, week: str) -> dict[str, Any]:
    """Seconds, peak memory and coverage of one `triage mine`."""
    command = [sys.executable, "-m", "triage_ml", "mine", str(folder / file), "--week", week, "--json"]
    whole = measured(command, folder, folder / "out.json")
    document = json.loads((folder / "out.json").read_text())
    return {**whole, "covered": document["covered"], "listed": len(document["candidates"])}


def table(rows: list[dict[str, Any]]) -> str:
    """All runs as Markdown."""
    head = ["| run | tickets | seconds | MB | covered | listed |", "|---|---|---|---|---|---|"]
    lines = ["| {run} | {tickets:,} | {seconds} | {megabytes:,} | {covered} | {listed} |".format(**row) for row in rows]
    return "\n".join(head + lines)


if __name__ == "__main__":
    main()
