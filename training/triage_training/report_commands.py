"""`triage report`: the list and the service levels, as files and as a digest. `triage kit`: what an automation begins with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triage_ml.console import ConfigOption, JsonOption, Output, running

if TYPE_CHECKING:
    from triage_ml.review import ReviewedWeek
    from triage_ml.settings import Settings

__all__ = ["app"]

app = typer.Typer()


@app.command("report")
def report_command(
    week: Annotated[str | None, typer.Option(help="ISO week; by default the latest that was mined.")] = None,
    handoffs: Annotated[
        Path | None,
        typer.Option(help="Hand-off log (ticket_id, at, from_group, to_group): service levels from it alone, too."),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(help="Weeks to compare with, as 2026-W01:2026-W08; by default the first half of those known."),
    ] = None,
    out_folder: Annotated[Path | None, typer.Option("--out", help="Folder; by default <home>/reports/<week>.")] = None,
    send: Annotated[bool, typer.Option("--send", help="Send the week's digest by mail and webhook, as set.")] = False,
    again: Annotated[bool, typer.Option("--again", help="With --send: send although it was sent before.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the weekly list and the service levels, write them as HTML, CSV, XLSX and JSON, and send a digest."""
    with running("report", as_json) as out:
        from triage_ml.settings import load_settings
        from triage_training.weeks import parse_week

        settings = load_settings(config)
        compared = None if baseline is None else _baseline(baseline)
        from_log = None if handoffs is None else _from_log(handoffs, settings, compared, out)
        report = _mined(
            settings, None if week is None else parse_week(week), needed=from_log is None or week is not None
        )
        levels = _levels(settings, compared, from_log, is_mined=report is not None)
        folder = out_folder or settings.paths.reports / (report.week if report else "handoffs")
        files = {**_write_list(settings, report, folder, out), **_write_levels(levels, folder, out)}
        out.say(f"\n{folder}")
        out.result(service_levels=levels, files=files)
        if report is None and levels is not None:
            out.result(tickets=levels["tickets"])
        if send and report is not None:
            _send(settings, report, again, out)
        elif send:
            out.warn("No week has been mined, so there is no digest to send.")


@app.command("kit")
def kit_command(
    pattern_id: Annotated[str, typer.Argument(help="Id of a pattern, as the list and its page show it.")],
    kind: Annotated[
        str | None, typer.Option(help="Kind of automation, such as chatbot_answer; by default the proposed one.")
    ] = None,
    out_folder: Annotated[Path | None, typer.Option("--out", help="Folder; by default <home>/kits/<pattern>.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draft what an automation begins with: a chatbot intent, an article, a form, a runbook; for people to finish."""
    with running("kit", as_json) as out:
        from triage_ml.settings import load_settings
        from triage_training.kit_job import write_kit

        chosen, paths = write_kit(load_settings(config), pattern_id, kind, out_folder)
        out.say(f"A draft for: {chosen}. Read it, correct it, sign it off.")
        for path in paths:
            out.say(f"  {path}")
        out.result(pattern_id=pattern_id, kind=chosen, files=[str(path) for path in paths])


def _mined(settings: Settings, week: str | None, *, needed: bool) -> ReviewedWeek | None:
    """The list of a week; None where none was mined and none is needed."""
    from triage_ml.errors import InputError
    from triage_training.report import load_report

    try:
        return load_report(settings, week)
    except InputError:
        if needed:
            raise
        return None


def _levels(
    settings: Settings, baseline: tuple[str, str] | None, from_log: dict[str, Any] | None, *, is_mined: bool
) -> dict[str, Any] | None:
    """Service levels of what was mined, the log's ways beside them; without anything mined those of the log."""
    from triage_training.report import load_levels

    levels = load_levels(settings, baseline) if is_mined else from_log
    if is_mined and levels is not None and from_log is not None:
        levels |= {name: from_log[name] for name in ("routes", "directions", "came_back")}
    return levels


def _write_list(settings: Settings, report: ReviewedWeek | None, folder: Path, out: Output) -> dict[str, str]:
    from triage_training.pattern_commands import print_list
    from triage_training.report import write_report

    if report is None:
        out.result(week=None, tickets=0, covered=0.0, candidates=[])
        return {}
    paths = write_report(settings, report.week, folder)
    print_list(report, out)
    out.result(**report.as_json())
    return {kind: str(path) for kind, path in paths.items()}


def _write_levels(levels: dict[str, Any] | None, folder: Path, out: Output) -> dict[str, str]:
    from triage_training.report import write_levels

    if levels is None:
        return {}
    _print_levels(levels, out)
    return {f"service_levels_{kind}": str(path) for kind, path in write_levels(levels, folder).items()}


def _baseline(text: str) -> tuple[str, str]:
    from triage_ml.errors import InputError
    from triage_training.weeks import parse_week

    first, colon, last = text.partition(":")
    if not colon:
        raise InputError(f"{text!r} is no span of weeks.", hint="Expected two weeks like 2026-W01:2026-W08.")
    weeks = parse_week(first), parse_week(last)
    if weeks[0] > weeks[1]:
        raise InputError(f"{text!r} ends before it begins.", hint="Expected two weeks like 2026-W01:2026-W08.")
    return weeks


def _from_log(path: Path, settings: Settings, baseline: tuple[str, str] | None, out: Output) -> dict[str, Any]:
    from triage_ml.taxonomy import load_taxonomy
    from triage_training.handoff_levels import handoff_levels, unknown_groups
    from triage_training.handoffs import read_handoffs

    log, taxonomy = read_handoffs(path), load_taxonomy(settings.taxonomy.file)
    levels = handoff_levels(
        log, taxonomy, timezone=settings.calendar.timezone, baseline=baseline or settings.report.baseline
    )
    if unknown := unknown_groups(log, taxonomy):
        named = ", ".join(unknown[:5])
        out.warn(f"{len(unknown)} groups of the log are in no tier of the taxonomy and count as unknown: {named}.")
    return levels


def _print_levels(levels: Mapping[str, Any], out: Output) -> None:
    if out.as_json:
        return
    at_lowest, handoffs = levels["lowest_tier"]["all"], levels["handoffs"]
    out.say(f"\nService levels, {levels['weeks'][0]} to {levels['weeks'][-1]}, {levels['tickets']:,} tickets:")
    if at_lowest is not None:
        out.say(f"  solved at the lowest tier that could: {at_lowest:.0%}")
    for one in levels["flows"]:
        out.say(f"  of {', '.join(one['source'])} to {', '.join(one['target'])}: {one['share']:+.1%}")
    cost = "" if handoffs["minutes_each"] is None else f", each costs {handoffs['minutes_each']:.0f} minutes"
    if handoffs["per_ticket"] is not None:
        out.say(f"  hand-offs a ticket: {handoffs['per_ticket']:.2f}{cost}")
    if levels["sla"]:
        out.say(f"  service level kept: {levels['sla']['met']:.1%} of {levels['sla']['tickets']:,}")
    if "came_back" in levels:
        out.say(f"  came back to a group that had them before: {levels['came_back']:.1%}")


def _send(settings: Settings, report: ReviewedWeek, again: bool, out: Output) -> None:
    from triage_training.sending import send_digest

    sent = send_digest(settings, report, again=again)
    for line in sent:
        out.say(f"{line.channel}: {line.outcome}")
    out.result(sent=[vars(line) for line in sent])
