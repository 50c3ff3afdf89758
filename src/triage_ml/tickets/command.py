"""`triage import`: read, build, write, and say what happened."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from triage_ml.console import Output
from triage_ml.errors import InputError
from triage_ml.files import atomic_file
from triage_ml.settings import Settings
from triage_ml.taxonomy import load_taxonomy
from triage_ml.tickets.formats import format_of
from triage_ml.tickets.importing import Imported, import_tickets
from triage_ml.tickets.raw import Raw
from triage_ml.tickets.read import read_files
from triage_ml.tickets.requesters import requester_hasher
from triage_ml.tickets.sql import read_sql
from triage_ml.tickets.times import DateOrder
from triage_ml.tickets.write import write_tickets

__all__ = ["ImportRequest", "run_import", "split_pairs"]

_PAIR = re.compile(r"\w+=.+")


@dataclass(frozen=True)
class ImportRequest:
    """What the command line asked for; exactly one of `files` and `sql` is given."""

    out: Path
    files: Sequence[Path] = ()
    pairs: Sequence[str] = ()
    sql: str | None = None
    query: str | None = None
    timezone: str | None = None
    taxonomy: Path | None = None
    order: DateOrder | None = None


def run_import(out: Output, request: ImportRequest, settings: Settings) -> None:
    """Import, write the table and the rows put aside, and report."""
    mapping = parse_pairs(request.pairs)
    timezone = _check_zone(request.timezone or settings.calendar.timezone)
    taxonomy = load_taxonomy(request.taxonomy or settings.taxonomy.file)
    format_of(request.out)
    raw, source = _read(request)
    imported = import_tickets(
        raw,
        source,
        mapping=mapping,
        timezone=timezone,
        taxonomy=taxonomy,
        hashed=requester_hasher(settings.paths.home),
        order=request.order,
    )
    aside = aside_path(request.out)
    _write_aside(imported, aside)
    write_tickets(imported.frame, request.out)
    _report(out, imported, request.out, aside)


def split_pairs(arguments: Iterable[str]) -> tuple[list[Path], list[str]]:
    """Files and `ours=theirs` pairs: after `--map` a shell user writes several pairs, and typer takes one.

    >>> split_pairs(["desk.csv", "title=Subject"])
    ([PosixPath('desk.csv')], ['title=Subject'])
    """
    files, pairs = [], []
    for argument in arguments:
        if _PAIR.fullmatch(argument) and not Path(argument).exists():
            pairs.append(argument)
        else:
            files.append(Path(argument))
    return files, pairs


def parse_pairs(pairs: Iterable[str]) -> dict[str, str]:
    """`["title=Subject"]` -> `{"title": "Subject"}`."""
    mapping: dict[str, str] = {}
    for pair in pairs:
        ours, sign, theirs = pair.partition("=")
        if not (ours and sign and theirs):
            raise InputError(f"--map: expected ours=theirs, found {pair!r}.", hint="For example --map title=Subject.")
        if ours in mapping:
            raise InputError(f"--map: {ours} is mapped twice, to {mapping[ours]!r} and to {theirs!r}.")
        mapping[ours] = theirs
    return mapping


def aside_path(out: Path) -> Path:
    """`tickets.parquet` -> `tickets.rejected.csv`, beside it."""
    stem = out.with_suffix("") if out.suffix.lower() == ".gz" else out
    return stem.with_suffix(".rejected.csv")


def _read(request: ImportRequest) -> tuple[Raw, str]:
    if (request.sql is None) == (not request.files):
        raise InputError(
            "Expected files or --sql, one of them.", hint="triage import FILE… or triage import --sql URL --query Q."
        )
    if request.sql is None:
        return read_files(request.files), ", ".join(map(str, request.files))
    if not request.query:
        raise InputError("--sql needs --query.", hint="A SELECT, or the name of a table.")
    raw = read_sql(request.sql, request.query)
    return raw, "--query"


def _check_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InputError(
            f"--timezone: no time zone is called {name!r}.", hint="Expected a name like Europe/Berlin or UTC."
        ) from None
    return name


def _write_aside(imported: Imported, path: Path) -> None:
    """An earlier import's file of that name would speak of other rows, so it goes."""
    if imported.aside.empty:
        path.unlink(missing_ok=True)
        return
    with atomic_file(path) as draft:
        imported.aside.to_csv(draft, index=False, lineterminator="\n")


def _report(out: Output, imported: Imported, path: Path, aside: Path) -> None:
    for note in imported.notes:
        out.warn(note)
    frame = imported.frame
    out.say(f"{imported.rows:,} rows read, {len(frame):,} tickets written to {path}.")
    if not imported.aside.empty:
        out.say(
            f"Put aside in {aside}: {imported.unusable:,} rows that can't be used, {imported.superseded:,} earlier deliveries."
        )
    out.say("Columns: " + ", ".join(_pair(ours, theirs) for ours, theirs in imported.matched.items()) + ".")
    if imported.others:
        out.say(f"Carried along as they are: {', '.join(imported.others)}.")
    if "opened_at" in frame:
        out.say(f"Opened from {frame['opened_at'].min():%Y-%m-%d} to {frame['opened_at'].max():%Y-%m-%d}.")
    else:
        out.say("No column is mapped to opened_at: no split by time, no weekly lists.")
    out.result(
        tickets=len(frame),
        rows=imported.rows,
        unusable=imported.unusable,
        superseded=imported.superseded,
        out=path,
        aside=None if imported.aside.empty else aside,
        columns=dict(imported.matched),
        others=list(imported.others),
    )


def _pair(ours: str, theirs: str) -> str:
    return ours if ours == theirs else f"{ours} from {theirs!r}"
