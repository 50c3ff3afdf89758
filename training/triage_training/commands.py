"""Commands of training: train here, the others from modules by theme. They read, call a job, and print."""

from __future__ import annotations

from typing import Annotated

import typer

from triage_ml.console import ConfigOption, JsonOption, running
from triage_training.check_commands import app as check_commands
from triage_training.drift_commands import app as drift_commands
from triage_training.model_commands import app as model_commands
from triage_training.outcome_commands import app as outcome_commands
from triage_training.pattern_commands import app as pattern_commands
from triage_training.score_commands import app as score_commands
from triage_training.shared_options import TargetsOption, TaxonomyOption, TicketsArgument

__all__ = ["app"]

app = typer.Typer()
app.add_typer(check_commands)
app.add_typer(drift_commands)
app.add_typer(model_commands)
app.add_typer(outcome_commands)
app.add_typer(pattern_commands)
app.add_typer(score_commands)


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
        from triage_training.figures_page import print_checks, print_evaluation
        from triage_training.registry import Registry
        from triage_training.train import train
        from triage_training.train_job import check_ready, register_model

        settings = load_settings(config)
        known = load_taxonomy(taxonomy or settings.taxonomy.file)
        registry = Registry(settings)
        check_ready(settings, registry)
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
        print_evaluation(out, trained.evaluation)
        print_checks(out, registered.checks)
        version = registered.version
        out.say(f"\nVersion {version.number} is {version.role}. Report: {registered.report}")
        if any(not check.passed for check in registered.checks):
            out.warn(
                'It failed a check, so there is no champion yet. All the same: triage promote --force --reason "…"'
            )
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
            cost=vars(registered.cost),
            checks=[check.to_dict() for check in registered.checks],
            **trained.evaluation.to_dict(),
            with_repeats=trained.with_repeats.to_dict() if trained.with_repeats else None,
        )


def _pairs(values: list[str] | None, option: str) -> dict[str, str]:
    pairs = {}
    for value in values or ():
        name, found, meaning = value.partition("=")
        if not found or not name or not meaning:
            raise typer.BadParameter(f"expected theirs=ours, found {value!r}", param_hint=option)
        pairs[name] = meaning
    return pairs
