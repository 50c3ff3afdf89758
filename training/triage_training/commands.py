"""Commands of training: train, evaluate, score, promote, roll back, models. They read, call a job, and print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage_ml.console import ConfigOption, JsonOption, Output, running
from triage_training.pattern_commands import app as pattern_commands

if TYPE_CHECKING:
    from triage_ml.evaluate import Evaluation
    from triage_ml.settings import Settings

__all__ = ["app"]

app = typer.Typer()
app.add_typer(pattern_commands)

TicketsArgument = Annotated[Path, typer.Argument(help="Ticket table: what `triage import` or `triage simulate` wrote.")]
TargetsOption = Annotated[
    str | None, typer.Option("--targets", help="Labels to learn, with commas; by default those of [train] targets.")
]
TaxonomyOption = Annotated[
    Path | None, typer.Option("--taxonomy", help="taxonomy.toml; by default the one of [taxonomy] file.")
]
ModelOption = Annotated[
    str, typer.Option("--model", help="champion, challenger, a version number, or a folder with a bundle.")
]


@app.command("train")
def train_command(
    tickets: TicketsArgument,
    targets: TargetsOption = None,
    taxonomy: TaxonomyOption = None,
    split_column: Annotated[
        str | None, typer.Option(help="Column with published parts: train, calibration, test.")
    ] = None,
    split_map: Annotated[
        list[str] | None, typer.Option(help="What a value of the split column means, as theirs=test; repeatable.")
    ] = None,
    random_split: Annotated[bool, typer.Option(help="Split at random although there are dates.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit, calibrate, evaluate on later tickets, log to MLflow, register. The first version becomes champion."""
    with running("train", as_json) as out:
        from triage_ml.settings import load_settings
        from triage_ml.taxonomy import load_taxonomy
        from triage_ml.tickets import read_tickets
        from triage_training.registry import Registry
        from triage_training.train import train
        from triage_training.train_job import register_model

        settings = load_settings(config)
        known = load_taxonomy(taxonomy or settings.taxonomy.file)
        registry = Registry(settings)
        registry.check()
        with out.steps() as step:
            step("reading tickets")
            trained = train(
                read_tickets(tickets),
                settings,
                targets=targets.split(",") if targets else None,
                split_column=split_column,
                split_map=_pairs(split_map, "--split-map"),
                at_random=random_split,
                step=step,
            )
            registered = register_model(trained, known, settings, registry, step=step)
        for note in trained.notes:
            out.warn(note)
        _print_evaluation(out, trained.evaluation)
        version = registered.version
        out.say(f"\nVersion {version.number} is {version.role}. Report: {registered.report}")
        out.result(
            run_id=version.run_id,
            model_version=str(version.number),
            role=version.role,
            split={
                "how": trained.split.how,
                "fit": len(trained.split.fit),
                "calibration": len(trained.split.calibration),
                "test": len(trained.split.test),
                "repeats": len(trained.split.repeats),
            },
            bundle=str(registered.bundle),
            digest=version.digest,
            report=str(registered.report),
            **trained.evaluation.to_dict(),
            with_repeats=trained.with_repeats.to_dict() if trained.with_repeats else None,
        )


@app.command("evaluate")
def evaluate_command(
    tickets: TicketsArgument, model: ModelOption = "champion", config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Measure a registered model, or a bundle, on any labelled tickets."""
    with running("evaluate", as_json) as out:
        from triage_ml.answer import prepare, read_model
        from triage_ml.errors import InputError
        from triage_ml.evaluate import evaluate
        from triage_ml.settings import load_settings
        from triage_ml.text import ticket_text
        from triage_ml.tickets import read_tickets

        settings = load_settings(config)
        loaded = read_model(_bundle(model, settings))
        table = read_tickets(tickets)
        if not any(target in table and table[target].notna().any() for target in loaded.targets):
            raise InputError(f"{tickets}: expected labels in a column {' or '.join(loaded.targets)}, found none.")
        with out.steps() as step:
            step(f"evaluating {len(table):,} tickets")
            figures = evaluate(loaded.classifier, prepare(ticket_text(table)), table, routing=settings.decision.routing)
        _print_evaluation(out, figures)
        out.result(model=model, digest=loaded.digest, tickets=len(table), **figures.to_dict())


@app.command("score")
def score_command(
    tickets: TicketsArgument,
    out_file: Annotated[Path, typer.Option("--out", help="Answers, one row a ticket: .csv, .jsonl or .parquet.")],
    model: ModelOption = "champion",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score a whole file: one row a ticket, in the order of the file."""
    with running("score", as_json) as out:
        from triage_ml.answer import load_answerer, score_table
        from triage_ml.settings import load_settings
        from triage_ml.tickets import read_tickets, write_tickets

        settings = load_settings(config)
        answerer = load_answerer(_bundle(model, settings), settings)
        table = read_tickets(tickets)
        with out.progress() as progress:
            task = progress.add_task("scoring", total=len(table))
            answers = score_table(answerer, table, progress=lambda done: progress.advance(task, done))
        write_tickets(answers, out_file)
        actions = answers["action"].value_counts().to_dict()
        out.say(f"{len(answers):,} tickets scored: {', '.join(f'{n:,} {action}' for action, n in actions.items())}.")
        out.say(f"Answers: {out_file}")
        out.result(tickets=len(answers), actions=actions, digest=answerer.digest, out=str(out_file))


@app.command("promote")
def promote_command(
    version: Annotated[int | None, typer.Option(help="Version to promote; by default the challenger.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the challenger, or another version, champion. Running services follow within seconds."""
    with running("promote", as_json) as out:
        registry = _registry(config)
        chosen = registry.find(str(version) if version else "challenger")
        before = registry.promote(chosen)
        out.say(f"Version {chosen.number} is champion now" + (f", it was {before.number}." if before else "."))
        out.result(model_version=str(chosen.number), replaced=str(before.number) if before else None)


@app.command("rollback")
def rollback_command(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Make the champion before this one champion again."""
    with running("rollback", as_json) as out:
        registry = _registry(config)
        earlier = registry.previous_champion()
        before = registry.promote(earlier)
        out.say(f"Version {earlier.number} is champion again" + (f", it was {before.number}." if before else "."))
        out.result(model_version=str(earlier.number), replaced=str(before.number) if before else None)


@app.command("models")
def models_command(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """The registered versions, newest first."""
    with running("models", as_json) as out:
        versions = _registry(config).versions()
        for each in versions:
            out.say(f"{each.number:>4}  {each.role:<10}  {each.digest[7:19]}  run {each.run_id}")
        if not versions:
            out.say("No model is registered yet: triage train TICKETS.")
        out.result(versions=[{"version": str(v.number), "role": v.role, "digest": v.digest} for v in versions])


def _registry(config: Path | None) -> Any:
    from triage_ml.settings import load_settings
    from triage_training.registry import Registry

    return Registry(load_settings(config))


def _bundle(model: str, settings: Settings) -> Path:
    """The folder of a bundle, named by itself or by a version or alias in the registry."""
    if Path(model).is_dir():
        return Path(model)
    from triage_training.registry import Registry

    registry = Registry(settings)
    return registry.fetch(registry.find(model))


def _pairs(values: list[str] | None, option: str) -> dict[str, str]:
    pairs = {}
    for value in values or ():
        name, found, meaning = value.partition("=")
        if not found or not name or not meaning:
            raise typer.BadParameter(f"expected theirs=ours, found {value!r}", param_hint=option)
        pairs[name] = meaning
    return pairs


def _print_evaluation(out: Output, evaluation: Evaluation) -> None:
    out.say(f"{'target':<20} {'tickets':>8} {'accuracy':>9} {'macro-F1':>9} {'ECE':>6}   auto at 0.90: share, right")
    for name, figures in evaluation.targets.items():
        row = figures.coverage.get("0.90")
        auto = f"{row.coverage:.1%}, {row.precision:.1%}" if row and row.precision is not None else "none"
        out.say(
            f"{name:<20} {figures.tickets:>8,} {figures.accuracy.value:>9.1%} {figures.macro_f1.value:>9.1%} "
            f"{figures.ece:>6.3f}   {auto}"
        )
