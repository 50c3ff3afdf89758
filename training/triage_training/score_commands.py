"""Commands on whole files of tickets: score, index. They read, call the library, and print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage_ml.console import ConfigOption, JsonOption, Output, running
from triage_training.shared_options import ModelOption, TicketsArgument, bundle_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from triage_ml.answer import Scored
    from triage_ml.settings import Settings

__all__ = ["app"]

app = typer.Typer()


@app.command("score")
def score_command(
    tickets: TicketsArgument,
    out_file: Annotated[Path, typer.Option("--out", help="Answers, one row a ticket: .csv, .jsonl or .parquet.")],
    model: ModelOption = "champion",
    patterns: Annotated[
        bool, typer.Option("--patterns", help="Also the known pattern of each ticket, and the automations in force.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes; by default one for each core.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Go on where a run that was ended has stopped.")
    ] = True,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score a whole file, of any size: one row a ticket, in the order of the file."""
    with running("score", as_json) as out:
        from triage_ml.answer import BulkJob, latest_recogniser, score_file
        from triage_ml.settings import load_settings

        settings = load_settings(config)
        book, automations = _patterns(settings) if patterns else (None, {})
        recogniser = latest_recogniser(settings.paths.bundles) if automations else None
        job = BulkJob(tickets, out_file, bundle_of(model, settings), settings, book, automations, recogniser)
        with out.progress() as shown:
            task = shown.add_task("scoring", total=None)
            scored = score_file(
                job, workers=workers, resume=resume, progress=_forecast(lambda **now: shown.update(task, **now))
            )
        _print_scored(out, scored, out_file)


@app.command("index")
def index_command(tickets: TicketsArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Build the index of resolved tickets that `/v1/similar` answers from; text and resolutions are redacted."""
    with running("index", as_json) as out:
        from triage_ml.cases import build_cases, cases_folder
        from triage_ml.settings import load_settings
        from triage_ml.tickets import read_tickets

        settings = load_settings(config)
        folder = cases_folder(settings.paths.home)
        with out.steps() as step:
            step("reading tickets")
            table = read_tickets(tickets, timezone=settings.calendar.timezone)
            built = build_cases(folder, table, step=step)
        out.say(
            f"{built.cases:,} cases in {folder}; left out {built.unresolved:,} tickets that say nothing of what resolved "
            f"them and {built.repeats:,} that say the same as a newer one."
        )
        out.result(
            cases=built.cases, unresolved=built.unresolved, repeats=built.repeats, digest=built.digest, out=folder
        )


def _patterns(settings: Settings) -> tuple[str | None, dict[str, dict[str, Any]]]:
    """Digest of the pattern bundle in use, and the automations in force."""

    from triage_ml.errors import InputError
    from triage_ml.store import automations_in_force, latest_book, open_store

    store = open_store(settings.store_url)
    try:
        with store.begin() as connection:
            book = latest_book(connection)
            automations = automations_in_force(connection, today=settings.calendar.today())
    finally:
        store.close()
    if book is None:
        raise InputError("--patterns: nothing was mined yet.", hint="triage mine TICKETS.")
    return book, automations


def _forecast(update: Callable[..., object]) -> Callable[[int, float], None]:
    """Tickets done and the share of the file that they are, to a bar with an estimated end."""

    def report(done: int, share: float) -> None:
        update(completed=done, total=max(round(done / share), done) if share > 0 else None)

    return report


def _print_scored(out: Output, scored: Scored, path: Path) -> None:
    actions = ", ".join(f"{count:,} {action}" for action, count in sorted(scored.actions.items()))
    out.say(f"{scored.tickets:,} tickets scored: {actions}.")
    if scored.resumed:
        out.say(f"{scored.resumed:,} of them had been scored before the run was ended.")
    out.say(
        "Seconds, all workers: " + ", ".join(f"{stage} {spent:.1f}" for stage, spent in scored.seconds.items()) + "."
    )
    out.say(f"Answers: {path}")
    seconds = {stage: round(spent, 3) for stage, spent in scored.seconds.items()}
    out.result(
        tickets=scored.tickets,
        resumed=scored.resumed,
        actions=scored.actions,
        seconds=seconds,
        digest=scored.digest,
        out=str(path),
    )
