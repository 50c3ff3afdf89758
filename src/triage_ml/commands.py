"""Commands of `triage_ml`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer

from triage_ml.console import ConfigOption, JsonOption, running

__all__ = ["app"]

app = typer.Typer()
store = typer.Typer(no_args_is_help=True, help="The database of predictions, patterns and decisions.")
app.add_typer(store, name="store")


@app.command("import")
def import_(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE…", help="CSV, JSON Lines, a JSON array or Parquet, also gzipped."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The ticket table to write; the suffix says the format.")] = Path(
        "tickets.parquet"
    ),
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="OURS=THEIRS", help="Which column is which; several may follow. Obvious names need none."
        ),
    ] = None,
    sql: Annotated[
        str | None, typer.Option(metavar="URL", help="Read from a database instead, by its SQLAlchemy URL.")
    ] = None,
    query: Annotated[str | None, typer.Option(help="With --sql: a SELECT, or the name of a table.")] = None,
    timezone: Annotated[
        str | None, typer.Option(help="Zone of times that name none; by default [calendar] timezone, which is UTC.")
    ] = None,
    taxonomy: Annotated[
        Path | None, typer.Option(help="TOML file of tiers and groups; by default [taxonomy] file.")
    ] = None,
    dayfirst: Annotated[bool | None, typer.Option("--dayfirst/--monthfirst", help="What 03/04/2026 means.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Turn an export into a ticket table; rows that can't be used are put aside, with the reason."""
    with running("import", as_json) as out_:
        from triage_ml.settings import load_settings
        from triage_ml.tickets.command import ImportRequest, run_import, split_pairs

        paths, pairs = split_pairs(files or ())
        order: Literal["day", "month"] | None = None if dayfirst is None else ("day" if dayfirst else "month")
        request = ImportRequest(out, paths, [*(map_ or ()), *pairs], sql, query, timezone, taxonomy, order)
        run_import(out_, request, load_settings(config))


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


@store.command("upgrade")
def upgrade(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Create the store, or bring an older one to this version's schema."""
    with running("store upgrade", as_json) as out:
        from triage_ml.settings import load_settings
        from triage_ml.store import open_store

        opened = open_store(load_settings(config).store_url)
        schema = opened.schema()
        opened.close()
        out.say(f"{opened.where} is at schema {schema}.")
        out.result(store=opened.where, schema=schema)


@app.command()
def demo(
    tickets: Annotated[int, typer.Option(min=2_000, help="How many simulated tickets.")] = 20_000,
    weeks: Annotated[int, typer.Option(min=6, max=104, help="Over how many weeks.")] = 12,
    seed: Annotated[int, typer.Option(help="The same seed gives the same desk.")] = 1,
    keep_serving: Annotated[bool, typer.Option("--keep-serving", help="Stay up and answer, until Ctrl-C.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """The whole way on a simulated desk: train, mine four weeks, ask the service, write the list."""
    with running("demo", as_json) as out:
        from triage_ml.demo import run_demo, serve_on
        from triage_ml.demo_page import demo_json, demo_page
        from triage_ml.settings import load_settings

        settings = load_settings(config)
        with out.steps() as step:
            done = run_demo(settings, config, tickets=tickets, weeks=weeks, seed=seed, step=step)
        out.say(demo_page(done, settings))
        out.result(**demo_json(done))
    if keep_serving:
        serve_on(config)


@store.command("prune")
def prune(
    older_than: Annotated[str, typer.Option(help="Age like 90d or 52w.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forget predictions and outcomes past an age. Patterns, weekly lists and decisions stay."""
    with running("store prune", as_json) as out:
        from triage_ml.settings import load_settings
        from triage_ml.store import open_store, prune_store

        before = datetime.now(UTC) - _age(older_than)
        opened = open_store(load_settings(config).store_url)
        counts = prune_store(opened, before=before)
        opened.close()
        out.say(f"Forgotten: {counts['predictions']} predictions, {counts['outcomes']} outcomes.")
        out.result(before=before, **counts)


def _age(text: str) -> timedelta:
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in ("d", "w"):
        raise typer.BadParameter("expected an age in days or weeks, like 90d or 52w", param_hint="--older-than")
    return timedelta(days=int(number)) if unit == "d" else timedelta(weeks=int(number))


@app.command("settings")
def settings_command(
    schema: Annotated[bool, typer.Option("--schema", help="The JSON Schema of triage.toml instead.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Every setting with its value here, its default and what it is for."""
    with running("settings", as_json) as out:
        from triage_ml.settings import Settings, load_settings
        from triage_ml.settings_page import json_text, settings_toml

        if schema:
            document = Settings.model_json_schema()
            out.say(json_text(document))
            out.result(schema=document)
            return
        settings = load_settings(config)
        out.say(settings_toml(settings))
        out.result(settings=settings.model_dump(mode="json"))
