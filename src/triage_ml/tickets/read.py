"""Read ticket tables from files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from triage_ml.errors import InputError
from triage_ml.tickets.checks import check_table, require_columns
from triage_ml.tickets.csv_files import read_csv
from triage_ml.tickets.formats import format_of
from triage_ml.tickets.json_files import read_json
from triage_ml.tickets.parquet_files import read_parquet
from triage_ml.tickets.raw import Raw, join_raw
from triage_ml.tickets.table import build_table

__all__ = ["read_files", "read_tickets"]

_READERS = {"csv": read_csv, "json": read_json, "parquet": read_parquet}


def read_tickets(
    path: Path | Sequence[Path],
    *,
    mapping: Mapping[str, str] | None = None,
    timezone: str = "UTC",
    require: Iterable[str] = (),
) -> pd.DataFrame:
    """Read a ticket table that is fit for use, as `triage import` writes it.

    Parameters
    ----------
    path
        One file or several: CSV, JSON Lines, a JSON array or Parquet, each also gzipped.
    mapping
        Canonical name -> their name; obvious names need none.
    timezone
        Zone of times that name none.
    require
        Columns that must be there and hold a value.

    Returns
    -------
    DataFrame, shape (n, columns)
        `ticket_id`, `title` and `description` are always there. Text and labels are strings, times
        `datetime64[us, UTC]`, `effort_minutes` float, counts Int64. Index 0 to n - 1.

    Raises
    ------
    InputError
        The file can't be read, or a row can't be used. `triage import` puts such rows aside instead.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    source = ", ".join(str(one) for one in paths)
    raw = read_files([Path(one) for one in paths])
    if raw.refused:
        first = raw.refused[0]
        raise InputError(
            f"{first.file}, row {first.row}: {first.reason}.", hint="`triage import` puts such rows aside."
        )
    table = build_table(raw, source, mapping=mapping or {}, timezone=timezone)
    if table.rejected:
        position = min(table.rejected)
        raise InputError(
            f"{raw.where(position)}: {table.rejected[position]} ({len(table.rejected):,} such rows).",
            hint="`triage import` puts such rows aside.",
        )
    check_table(table.frame, source=source)
    require_columns(table.frame, require, source)
    return table.frame


def read_files(paths: Sequence[Path]) -> Raw:
    """Their rows, whatever the format; several files become one."""
    if not paths:
        raise InputError("No file was given.")
    return join_raw([_READERS[format_of(path).kind](path) for path in paths])
