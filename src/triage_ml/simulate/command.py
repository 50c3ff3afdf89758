"""What `triage simulate` does and says."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from pathlib import Path

from triage_ml.console import Output
from triage_ml.simulate.desk import Desk, simulate_desk

__all__ = ["run_simulate"]


def run_simulate(out: Output, *, out_folder: Path, tickets: int, weeks: int, seed: int, quiet: bool, end: date) -> None:
    """Simulate with a progress bar, then say what was made and what can be done with it."""
    with out.progress() as bar:
        task = bar.add_task("Simulating tickets", total=max(tickets, 0))
        desk = simulate_desk(
            out_folder,
            tickets=tickets,
            weeks=weeks,
            seed=seed,
            quiet=quiet,
            end=end,
            progress=lambda count: bar.advance(task, count),
        )
    _say(out, desk, seed)
    out.result(**{column.name: getattr(desk, column.name) for column in fields(Desk)}, seed=seed, quiet=quiet)


def _say(out: Output, desk: Desk, seed: int) -> None:
    out.say(
        f"{desk.tickets:,} tickets of {desk.kinds} kinds in {desk.categories} categories, {desk.handoffs:,} hand-offs"
    )
    out.say(
        f"between {desk.groups} groups, {desk.first_week} to {desk.last_week}, {desk.changes} changes (seed {seed})."
    )
    out.say()
    out.say(f"  {desk.tickets_file}   the tickets; beside it handoffs.parquet and taxonomy.toml")
    out.say(f"  {desk.truth}/   what is really so, to measure against: keep it away from training")
