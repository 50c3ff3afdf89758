"""`triage train`: from labelled tickets to a registered version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage_ml.console import ConfigOption, JsonOption, Output, running
from triage_training.shared_options import TargetsOption, TaxonomyOption, TicketsArgument, read_settings, target_names

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from triage_ml.settings import Settings
    from triage_training.search import Search
    from triage_training.train import Trained
    from triage_training.train_job import Extras, Registered

__all__ = ["app"]

app = typer.Typer()


def _print_schema(wanted: bool) -> None:
    """What triage.toml may hold, as JSON Schema, and nothing else."""
    if wanted:
        import json

        from triage_ml.settings import Settings

        typer.echo(json.dumps(Settings.model_json_schema(), indent=1))
        raise typer.Exit


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
    encoder: Annotated[
        str | None, typer.Option(help="model2vec:FOLDER or sentence-transformers:FOLDER to join the words.")
    ] = None,
    random_split: Annotated[bool, typer.Option(help="Split at random although there are dates.")] = False,
    search: Annotated[
        int, typer.Option(min=0, help="Try so many sets of parameters first (extra search); 0 keeps the defaults.")
    ] = 0,
    curve: Annotated[
        bool, typer.Option("--curve/--no-curve", help="Also fit on fewer, for the learning curve.")
    ] = True,
    log_examples: Annotated[
        bool, typer.Option("--log-examples", help="Log wrong answers with their redacted text to MLflow.")
    ] = False,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema", is_eager=True, callback=_print_schema, help="Print the schema of triage.toml and exit."
        ),
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fit, calibrate, evaluate on later tickets, log to MLflow, register. The first version becomes champion."""
    with running("train", as_json) as out:
        from triage_ml.tickets import read_tickets
        from triage_training.registry import Registry
        from triage_training.train_job import check_ready, register_model

        settings, known = read_settings(config, taxonomy)
        registry = Registry(settings)
        check_ready(settings, registry, tell=out.warn)
        how = {
            "targets": target_names(targets),
            "split_column": split_column,
            "split_map": _pairs(split_map, "--split-map"),
            "encoder": encoder,
            "at_random": random_split,
        }
        with out.steps() as step:
            step("reading tickets")
            trained, searched = _train(read_tickets(tickets), settings, how, search, step)
            extras = _extras(trained, searched, settings, curve, log_examples, step)
            registered = register_model(trained, known, settings, registry, extras=extras, step=step)
        _say(out, trained, registered, extras)
        _result(out, trained, registered, extras, searched)


def _train(
    table: pd.DataFrame, settings: Settings, how: dict[str, Any], trials: int, step: Callable[[str], None]
) -> tuple[Trained, Search | None]:
    """Search where one is asked for, then train with what it found."""
    from triage_training.train import train

    if not trials:
        return train(table, settings, **how, step=step), None
    from triage_training.search import search

    found = search(table, settings, trials=trials, **how, step=step)
    return train(table, settings, **how, params=found.best, step=step), found


def _extras(
    trained: Trained,
    searched: Search | None,
    settings: Settings,
    curve: bool,
    log_examples: bool,
    step: Callable[[str], None],
) -> Extras:
    from triage_training.curves import training_curves
    from triage_training.train_job import Extras

    return Extras(
        curves=training_curves(trained, seed=settings.train.seed, step=step) if curve else {},
        trials=searched.trials if searched else (),
        with_examples=log_examples,
    )


def _say(out: Output, trained: Trained, registered: Registered, extras: Extras) -> None:
    from triage_training.figures_page import print_checks, print_evaluation

    for note in trained.notes:
        out.warn(note)
    print_evaluation(out, trained.evaluation)
    for name, found in extras.curves.items():
        points = ", ".join(f"{tickets:,}: {figure:.1%}" for tickets, figure in found.points)
        out.say(f"{name}: macro-F1 by tickets fitted on: {points}; at twice as many about {found.doubled:.1%}")
    print_checks(out, registered.checks)
    version = registered.version
    out.say(f"\nVersion {version.number} is {version.role}. Report: {registered.report}")
    for check in registered.checks:
        if check.warning:
            out.warn(f"{check.target}: {check.name} {check.figure}, {check.bound}: {check.reason}.")
    if any(not check.passed for check in registered.checks):
        out.warn('It failed a check, so there is no champion yet. All the same: triage promote --force --reason "…"')


def _result(out: Output, trained: Trained, registered: Registered, extras: Extras, searched: Search | None) -> None:
    version, split = registered.version, trained.split
    parts = {name: len(getattr(split, name)) for name in ("fit", "calibration", "test", "repeats")}
    out.result(
        run_id=version.run_id,
        model_version=str(version.number),
        role=version.role,
        split={"how": split.how, **parts},
        bundle=str(registered.bundle),
        digest=version.digest,
        report=str(registered.report),
        cost=vars(registered.cost),
        checks=[check.to_dict() for check in registered.checks],
        **trained.evaluation.to_dict(),
        with_repeats=trained.with_repeats.to_dict() if trained.with_repeats else None,
        curves={name: {"points": one.points, "doubled": one.doubled} for name, one in extras.curves.items()},
        search=None if searched is None else {"trials": len(searched.trials), "best": searched.best},
    )


def _pairs(values: list[str] | None, option: str) -> dict[str, str]:
    pairs = {}
    for value in values or ():
        name, found, meaning = value.partition("=")
        if not found or not name or not meaning:
            raise typer.BadParameter(f"expected theirs=ours, found {value!r}", param_hint=option)
        pairs[name] = meaning
    return pairs
