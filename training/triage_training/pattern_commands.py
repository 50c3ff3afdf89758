"""The commands of mining: mine, patterns. They read, call a job, and print."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage_ml.console import ConfigOption, JsonOption, Output, running

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from rich.progress import Progress, TaskID

    from triage_ml.review import ReviewedWeek
    from triage_ml.settings import Settings
    from triage_ml.tickets import TicketSource
    from triage_training.mine import WeekResult

__all__ = ["app", "print_list"]

app = typer.Typer()

SHOWN = 15


@app.command("mine")
def mine_command(
    tickets: Annotated[
        Path,
        typer.Argument(
            help="Ticket table: what `triage import` or `triage simulate` wrote. Automations are learnt from its last twelve "
            "weeks, and from twelve before each began."
        ),
    ],
    week: Annotated[
        list[str] | None, typer.Option(help="ISO week such as 2026-W47; by default all complete weeks not yet mined.")
    ] = None,
    last: Annotated[int | None, typer.Option(min=1, help="Of the weeks not yet mined, the last so many only.")] = None,
    handoffs: Annotated[Path | None, typer.Option(help="Hand-off log: ticket_id, at, from_group, to_group.")] = None,
    assignments: Annotated[
        Path | None, typer.Option(help="Write pattern, variant and theme of every ticket here (.csv or .parquet).")
    ] = None,
    refit: Annotated[
        bool,
        typer.Option("--refit", help="Learn today's vocabulary from these tickets first; patterns keep their ids."),
    ] = False,
    reorganise: Annotated[
        bool, typer.Option("--reorganise", help="Only propose merges and splits, for people to decide on.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find what keeps coming back: update patterns and facts in the store, print the list of the week."""
    with running("mine", as_json) as out:
        from triage_ml.settings import load_settings
        from triage_ml.tickets import open_tickets
        from triage_training.handoffs import read_handoffs
        from triage_training.mine import BESIDE, mine
        from triage_training.mine import assignments as assign_all
        from triage_training.report import load_report
        from triage_training.weeks import parse_week

        settings = load_settings(config)
        log = None if handoffs is None else read_handoffs(handoffs)
        weeks = None if week is None else [parse_week(one) for one in week]
        with out.progress() as bars:
            tell = _shown(bars)
            source = open_tickets(
                tickets,
                timezone=settings.calendar.timezone,
                kept=BESIDE,
                told=lambda done, total: tell("reading", done, total),
            )
            if reorganise:
                _propose(source, settings, out)
                return
            warnings: list[str] = []
            results = mine(
                source,
                settings,
                weeks=weeks,
                last=last,
                handoffs=log,
                refit=refit,
                progress=tell,
                warn=warnings.append,
            )
        if assignments is not None:
            _write_assignments(assign_all(source, settings), assignments)
        _warn_of_dates(source.frame, results, out)
        for warning in warnings:
            out.warn(warning)
        for result in results:
            out.say(_one_line(result))
            if result.is_kept:
                out.warn(f"{result.week} was decided on: its list keeps the figures that it showed.")
            if result.outdated:
                out.warn(
                    f"Lists made before {result.week} was known still leave it out: {', '.join(result.outdated)}. "
                    "Mine the tickets of those weeks again: triage mine TICKETS --week WEEK."
                )
        out.result(weeks=[_figures(result) for result in results])
        if results and results[-1].week is not None:
            report = load_report(settings, results[-1].week)
            out.say()
            print_list(report, out)
            out.result(**report.as_json())
        elif results:
            out.result(week=None, tickets=results[-1].tickets, covered=results[-1].covered, candidates=[])
        else:
            out.say("Every complete week of these tickets has been mined already.")
            out.result(week=None, tickets=0, covered=0.0, candidates=[])


@app.command("patterns")
def patterns_command(
    pattern_id: Annotated[str | None, typer.Argument(help="One pattern; by default all, the largest first.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the known patterns, or what became of one: found, merged, split, idle, returned."""
    with running("patterns", as_json) as out:
        from triage_ml.settings import load_settings
        from triage_training.mine_shown import known_patterns, one_pattern

        settings = load_settings(config)
        if pattern_id is None:
            rows = known_patterns(settings)
            for row in rows:
                out.say(f"{row['pattern_id']}  {row['state']:<6} {row['tickets']:>8,}  {row['title']}")
            out.result(patterns=rows)
        else:
            found = one_pattern(settings, pattern_id)
            out.say(f"{found['pattern_id']}  {found['title']}  ({found['state']}, first seen {found['born']})")
            for event in found["lineage"]:
                out.say(f"{event['week']:<9} {event['event'].replace('_', ' ')} {event['other'] or ''}".rstrip())
            out.result(**found)


def _shown(bars: Progress) -> Callable[[str, int, int], None]:
    """Shows what is done as one bar for each kind of step, with a forecast of the time that it has left.

    Steps of a kind begin with the same word: `week 2026-W47`, `week 2026-W48`.
    """
    tasks: dict[str, TaskID] = {}

    def tell(what: str, done: int, total: int) -> None:
        kind = what.split()[0]
        for other, task in tasks.items():
            bars.update(task, visible=other == kind)
        if kind not in tasks:
            tasks[kind] = bars.add_task(what, total=None)
        bars.update(tasks[kind], description=what, completed=done, total=total or None)

    return tell


def _propose(tickets: TicketSource, settings: Settings, out: Output) -> None:
    """Print what a reorganisation would change, by title."""
    from triage_training.mine import reorganise
    from triage_training.mine_shown import known_patterns

    titles = {row["pattern_id"]: row["title"] for row in known_patterns(settings)}
    proposals = reorganise(tickets, settings)
    for one in proposals:
        own = f"{one.pattern_id} {titles.get(one.pattern_id, '')}"
        if one.other is not None:
            out.say(f"merge {own}\n   into {one.other} {titles.get(one.other, '')}  (alike {one.likeness:.2f})")
        else:
            sizes = ", ".join(f"{part['tickets']:,}" for part in one.details["parts"])
            out.say(f"split {own}  (parts of {sizes} tickets, alike {one.likeness:.2f})")
    if proposals:
        out.say("\nNothing was changed. Decide on the page of the pattern; the next `triage mine` keeps to it.")
    else:
        out.say("Nothing to propose: no two patterns look like one, and none like several.")
    out.result(proposals=[vars(one) for one in proposals])


def _write_assignments(table: pd.DataFrame, path: Path) -> None:
    from triage_ml.files import atomic_file

    with atomic_file(path) as draft:
        if path.suffix == ".parquet":
            table.to_parquet(draft, index=False)
        else:
            table.to_csv(draft, index=False)


def _warn_of_dates(frame: pd.DataFrame, results: list[WeekResult], out: Output) -> None:
    from triage_training.weeks import ahead, astray

    if results and results[-1].week is None:
        out.warn("These tickets have no dates: patterns were found and assigned, but there is no weekly list.")
    elif "opened_at" in frame and (missing := int(frame["opened_at"].isna().sum())):
        out.warn(f"{missing:,} tickets have no opened_at and belong to no week; they were left out.")
    if "opened_at" in frame and (lost := int(astray(frame["opened_at"]).sum())):
        out.warn(
            f"Tickets dated by a clock that was never set: {lost:,}. They belong to no week until their date is corrected."
        )
    if "opened_at" in frame and (later := ahead(frame["opened_at"], datetime.now(UTC))):
        out.warn(f"Tickets with an opened_at in the future: {later:,}. They count once that day has come.")


def _one_line(result: WeekResult) -> str:
    head = result.week or "No dates"
    return f"{head}: {result.tickets:,} tickets, {result.covered:.0%} in patterns, {result.found} patterns new"


def _figures(result: WeekResult) -> dict[str, Any]:
    return {name: getattr(result, name) for name in ("week", "tickets", "covered", "found")}


def print_list(report: ReviewedWeek, out: Output) -> None:
    """The top of the list as a table on the terminal."""
    if out.as_json:
        return
    from rich.console import Console
    from rich.table import Table

    from triage_ml.value import KIND_TITLES

    table = Table(title=f"{report.week}: what keeps coming back", title_justify="left", box=None, pad_edge=False)
    table.add_column("#", justify="right", style="dim")
    table.add_column("Pattern", overflow="fold", ratio=1)
    for name in ("Tickets", "Trend", "Hours to save a week"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("What to do", no_wrap=True)
    for place, candidate in enumerate(report.candidates[:SHOWN], start=1):
        hours = candidate["hours"]
        table.add_row(
            str(place),
            _plain(candidate["title"]),
            str(candidate["volume"]),
            candidate["trend"]["direction"],
            f"{hours['p50']:.0f} ({hours['p10']:.0f}–{hours['p90']:.0f})",
            KIND_TITLES[candidate["kind"]],
        )
    Console().print(table)
    out.say(
        f"{report.tickets:,} tickets, {report.covered:.0%} in patterns; {len(report.candidates)} patterns listed, "
        f"{report.work:,.0f} hours of work a week, "
        f"{report.hours:,.0f} of them could be saved."
    )


def _plain(title: str) -> str:
    """A title that rich does not read as markup."""
    from rich.markup import escape

    return escape(title)
