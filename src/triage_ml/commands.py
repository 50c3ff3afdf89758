"""Commands of `triage_ml`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from triage_ml.console import JsonOption, running

__all__ = ["app"]

app = typer.Typer()


@app.command()
def simulate(
    tickets: Annotated[int, typer.Option(help="How many tickets, exactly.")] = 100_000,
    weeks: Annotated[int, typer.Option(help="How many full ISO weeks they are spread over.")] = 26,
    seed: Annotated[int, typer.Option(help="The same seed gives the same desk, byte for byte.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder to write; an earlier simulation there is replaced.")] = Path("desk"),
    end: Annotated[
        datetime,
        typer.Option(formats=["%Y-%m-%d"], show_default="2026-11-16", help="A Monday; the last week ends before it."),
    ] = datetime(2026, 11, 16),  # noqa: DTZ001
    quiet: Annotated[bool, typer.Option("--quiet", help="Growth and seasons only, no changes.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Simulate a service desk with known truth: tickets, hand-offs, taxonomy."""
    with running("simulate", as_json) as out_:
        from triage_ml.simulate.command import run_simulate

        run_simulate(out_, out_folder=out, tickets=tickets, weeks=weeks, seed=seed, quiet=quiet, end=end.date())
