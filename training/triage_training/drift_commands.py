"""`triage drift`: what changed, and whether somebody has to do something about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from triage_ml.console import ConfigOption, JsonOption, Output, running
from triage_training.shared_options import ModelOption, bundle_of, seen_by

if TYPE_CHECKING:
    from triage_ml.evaluate import Drift, WeekDrift

__all__ = ["app"]

app = typer.Typer()


@app.command("drift")
def drift_command(
    tickets: Annotated[
        Path | None, typer.Option(help="Look at this ticket table, asked now, instead of what the service answered.")
    ] = None,
    model: ModelOption = "champion",
    weeks: Annotated[
        int, typer.Option(min=1, help="How many of the latest weeks are watched; those before are usual.")
    ] = 4,
    fail_on: Annotated[
        Literal["look", "retrain", "never"], typer.Option(help="Exit with 1 from this verdict of the last week on.")
    ] = "retrain",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """What changed since: words, classes, confidence, precision, groups; with a verdict and an exit code for cron."""
    with running("drift", as_json) as out:
        from triage_ml.settings import load_settings
        from triage_ml.tickets import read_tickets
        from triage_training.drift_job import drift_of_store, drift_of_tickets, keep_drift

        settings = load_settings(config)
        with out.steps() as step:
            step("looking at the weeks")
            if tickets is None:
                found = drift_of_store(settings, weeks=weeks)
                keep_drift(settings, found)
            else:
                seen = seen_by(model, settings)
                table = read_tickets(tickets)
                found = drift_of_tickets(table, bundle_of(model, settings), settings, weeks=weeks, seen=seen)
        _say(out, found)
        out.result(verdict=found.verdict, reasons=found.reasons, weeks=[_plain(week) for week in found.weeks])
        out.result(renamed={name: [vars(row) for row in rows] for name, rows in found.renamed.items()})
        failing = {"look": ("look", "retrain"), "retrain": ("retrain",), "never": ()}[fail_on]
        if found.verdict in failing:
            out.refuse(f"Verdict: {found.verdict}.")


def _say(out: Output, found: Drift) -> None:
    for week in found.weeks:
        right = ", ".join(f"{name} {share.value:.1%}" for name, share in week.precision.items()) or "nothing known"
        out.say(f"{week.week}  {week.tickets:>7,} tickets  right of auto: {right}  {week.verdict}")
        for reason in week.reasons:
            out.say(f"          {reason}")
    for label, rows in found.renamed.items():
        for row in rows:
            out.say(
                f"{label}: {row.kept!r} seems to be the new name of {row.other!r}; an alias in taxonomy.toml joins them."
            )
    out.say(f"\nVerdict: {found.verdict}.")


def _plain(week: WeekDrift) -> dict[str, Any]:
    from triage_training.drift_job import figures_of

    return figures_of(week) | {
        "week": week.week,
        "verdict": week.verdict,
        "reasons": week.reasons,
        "words": [vars(change) for change in week.words[:20]],
        "new_labels": week.new_labels,
        "gone_labels": week.gone_labels,
    }
