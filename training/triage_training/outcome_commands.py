"""Commands of what comes back: export-outcomes, retrain."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage_ml.console import ConfigOption, JsonOption, Output, running
from triage_training.shared_options import TaxonomyOption, read_settings

if TYPE_CHECKING:
    from triage_training.retrain_job import Retrained

__all__ = ["app"]

app = typer.Typer()

UntouchedOption = Annotated[
    float, typer.Option(min=0, max=1, help="Share of the `auto` tickets that nobody touched which count as labels.")
]


@app.command("export-outcomes")
def export_command(
    out_file: Annotated[Path, typer.Option("--out", help="Ticket table to write: .parquet, .csv or .jsonl.")] = Path(
        "outcomes.parquet"
    ),
    tickets: Annotated[
        Path | None, typer.Option(help="Take text and times from this ticket table, where the store keeps no text.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only outcomes received on or after this day (UTC).")
    ] = None,
    untouched: UntouchedOption = 0.25,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """What became of scored tickets, as a ticket table to learn from: corrections weigh more, untouched answers less."""
    with running("export-outcomes", as_json) as out:
        from triage_ml.settings import load_settings
        from triage_ml.store import open_store
        from triage_ml.tickets import read_tickets, write_tickets
        from triage_training.outcomes_job import export_outcomes

        settings = load_settings(config)
        export = read_tickets(tickets) if tickets else None
        store = open_store(settings.store_url)
        try:
            moment = since.replace(tzinfo=UTC) if since else None
            done = export_outcomes(store, since=moment, tickets=export, untouched=untouched)
        finally:
            store.close()
        write_tickets(done.tickets, out_file)
        for name, count in done.sources.items():
            out.say(f"{count:>9,}  {name}")
        if done.without_text:
            out.warn(f"{done.without_text:,} outcomes have no text here and were left out; --tickets FILE brings it.")
        out.say(f"Labelled tickets: {out_file}")
        out.result(tickets=len(done.tickets), sources=done.sources, without_text=done.without_text, out=str(out_file))


@app.command("retrain")
def retrain_command(
    tickets: Annotated[
        Path | None, typer.Option(help="Labelled history to train on as well; gives text where the store keeps none.")
    ] = None,
    taxonomy: TaxonomyOption = None,
    untouched: UntouchedOption = 0.25,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Export, train, compare, register as challenger: the whole round in one command, safe to run twice."""
    with running("retrain", as_json) as out:
        from triage_ml.tickets import read_tickets
        from triage_training.retrain_job import retrain

        settings, known = read_settings(config, taxonomy)
        history = read_tickets(tickets) if tickets else None
        with out.steps() as step:
            done = retrain(settings, known, history=history, untouched=untouched, step=step)
        _say_retrained(out, done)


def _say_retrained(out: Output, done: Retrained) -> None:
    from triage_training.figures_page import print_checks, print_evaluation

    for note in (*done.notes, *(done.trained.notes if done.trained else ())):
        out.warn(note)
    checks = done.judgement.checks if done.judgement else []
    if done.trained is not None:
        print_evaluation(out, done.trained.evaluation)
        print_checks(out, checks)
        out.result(**done.trained.evaluation.to_dict())
    out.say(f"\nVersion {done.version.number} is {done.version.role}." + ("" if done.is_new else " Nothing new."))
    if done.judgement is not None:
        out.say("It would pass the gate: triage promote" if done.judgement.passed else "It would not pass the gate.")
    out.result(
        model_version=str(done.version.number),
        role=done.version.role,
        is_new=done.is_new,
        sources=done.exported.sources if done.exported else {},
        would_pass=done.judgement.passed if done.judgement else None,
        checks=[check.to_dict() for check in checks],
    )
