"""Commands about registered models: evaluate, compare, promote, roll back, list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage_ml.console import ConfigOption, JsonOption, Output, running
from triage_training.shared_options import ModelOption, TicketsArgument, bundle_of

if TYPE_CHECKING:
    from triage_training.gate_job import Judgement

__all__ = ["app"]

app = typer.Typer()

ByOption = Annotated[
    str | None, typer.Option("--by", help="Who decides, for the record; by default the user who runs it.")
]
_SHOWN_VERSIONS = 20


@app.command("evaluate")
def evaluate_command(
    tickets: TicketsArgument,
    model: ModelOption = "champion",
    slices: Annotated[bool, typer.Option("--slices", help="Figures by tier, channel, language, length, age.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a registered model, or a bundle, on any labelled tickets."""
    with running("evaluate", as_json) as out:
        from triage_ml.answer import read_model
        from triage_ml.settings import load_settings
        from triage_ml.tickets import read_tickets
        from triage_training.evaluate_job import evaluate_tickets
        from triage_training.figures_page import print_evaluation, print_slices

        settings = load_settings(config)
        loaded = read_model(bundle_of(model, settings))
        table = read_tickets(tickets)
        with out.progress() as progress:
            task = progress.add_task("evaluating", total=len(table))
            found = evaluate_tickets(
                loaded, table, settings, source=str(tickets), progress=lambda done: progress.advance(task, done)
            )
        print_evaluation(out, found.evaluation)
        if slices:
            print_slices(out, found.slices)
        out.result(
            model=model,
            digest=loaded.digest,
            tickets=len(table),
            slices={name: [row.to_dict() for row in rows] for name, rows in found.slices.items()},
            **found.evaluation.to_dict(),
        )


@app.command("compare")
def compare_command(
    tickets: TicketsArgument,
    models: Annotated[
        tuple[str, str], typer.Option(help="Two models: aliases, version numbers, or folders with bundles.")
    ] = ("champion", "challenger"),
    flips: Annotated[
        Path | None, typer.Option(help="Write the ids of the tickets that flipped here (.csv, .jsonl or .parquet).")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Two models on the same tickets: the paired difference, who gains, who loses, which tickets flipped."""
    with running("compare", as_json) as out:
        from triage_ml.settings import load_settings
        from triage_ml.tickets import read_tickets, write_tickets
        from triage_training.evaluate_job import compare_models, flipped
        from triage_training.figures_page import print_comparison

        settings = load_settings(config)
        first, second = (bundle_of(model, settings) for model in models)
        table = read_tickets(tickets)
        with out.steps() as step:
            step(f"asking both models {len(table):,} tickets")
            found = compare_models(first, second, table)
        out.say(f"{models[1]} against {models[0]}")
        for comparison in found:
            print_comparison(out, comparison)
        if flips is not None:
            write_tickets(flipped(found), flips)
            out.say(f"\nFlipped tickets: {flips}")
        out.result(models=list(models), tickets=len(table), targets={each.target: each.to_dict() for each in found})


@app.command("promote")
def promote_command(
    version: Annotated[int | None, typer.Option(min=1, help="Version to promote; by default the challenger.")] = None,
    tickets: Annotated[
        Path | None, typer.Option(help="Judge on these labelled tickets instead of those logged by the training.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Promote although a check fails; needs --reason.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    by: ByOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the challenger, or another version, champion if it passes the gate. Running services follow within seconds."""
    if force and not reason.strip():
        raise typer.BadParameter("--force needs a --reason: it is recorded.", param_hint="--reason")
    with running("promote", as_json) as out:
        from triage_ml.settings import load_settings
        from triage_ml.tickets import read_tickets
        from triage_training.figures_page import print_checks
        from triage_training.promote_job import promote
        from triage_training.promotion import user_name

        settings = load_settings(config)
        labelled = read_tickets(tickets) if tickets else None
        name = str(version) if version is not None else "challenger"
        with out.steps() as step:
            who = by or user_name()
            done = promote(
                name, settings, tickets=labelled, force=force, reason=reason, by=who, step=step, tell=out.warn
            )
        _say_judgement(out, done.judgement)
        print_checks(out, done.judgement.checks)
        out.result(
            model_version=str(done.judgement.version.number),
            replaced=done.replaced,
            promoted=done.promoted,
            forced=done.forced,
            tickets=done.judgement.tickets,
            checks=[check.to_dict() for check in done.judgement.checks],
        )
        if done.promoted:
            was = f", it was {done.replaced}" if done.replaced else ""
            out.say(f"\nVersion {done.judgement.version.number} is champion now{was}.")
        else:
            out.refuse(
                f"Version {done.judgement.version.number} stays what it was: "
                f"{sum(not check.passed for check in done.judgement.checks)} check(s) failed.",
                hint='Train a better one, or promote it with --force --reason "…".',
            )


@app.command("rollback")
def rollback_command(
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
    by: ByOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the champion before this one champion again. Running services follow within seconds."""
    with running("rollback", as_json) as out:
        from triage_ml.settings import load_settings
        from triage_training.promotion import open_champions, user_name
        from triage_training.registry import Registry

        settings = load_settings(config)
        with open_champions(settings, Registry(settings), tell=out.warn) as champions:
            done = champions.roll_back(who=by or user_name(), reason=reason)
        out.say(f"Version {done.version} is champion again, it was {done.replaces}.")
        out.result(model_version=done.version, replaced=done.replaces)


@app.command("models")
def models_command(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """The registered versions with their figures, newest first, and who promoted which, when and why."""
    with running("models", as_json) as out:
        from triage_ml.settings import load_settings
        from triage_training.models_page import model_rows, print_models
        from triage_training.promotion import open_champions
        from triage_training.registry import Registry

        settings = load_settings(config)
        registry = Registry(settings)
        with open_champions(settings, registry, tell=out.warn) as champions:
            champions.current()
            rows, history = model_rows(registry, most=_SHOWN_VERSIONS), champions.history()
        print_models(out, rows, history)
        out.result(versions=rows, promotions=[_promotion(row) for row in history])


def _promotion(row: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if name != "checks"}


def _say_judgement(out: Output, judgement: Judgement) -> None:
    champion = f"version {judgement.champion.number}" if judgement.champion else "nobody, as the first"
    out.say(f"Version {judgement.version.number} against {champion} on {judgement.tickets:,} later tickets:")
