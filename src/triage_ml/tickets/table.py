"""Their columns -> the ticket table: names, types, and which rows can't be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from triage_ml.errors import InputError
from triage_ml.tickets.checks import has_text
from triage_ml.tickets.columns import COLUMNS, TEXT_COLUMNS
from triage_ml.tickets.dtypes import COUNT, STRING, empty_strings, to_strings
from triage_ml.tickets.durations import to_minutes
from triage_ml.tickets.names import match_columns
from triage_ml.tickets.raw import Raw
from triage_ml.tickets.times import AmbiguousDatesError, DateOrder, shape_of, to_times

__all__ = ["Table", "build_table"]

EXPECTED_TIMES = "a time like 2026-11-22 03:04:05, 22.11.2026 03:04, 11/22/2026 3:04 PM or epoch seconds"


@dataclass
class Table:
    """A ticket table with what was decided on the way.

    Parameters
    ----------
    frame
        Columns of the ticket table first, in their order, then the others. Its index is the position in the raw rows.
    matched
        Canonical name -> their name.
    others
        Columns that are carried along under their own names.
    rejected
        Position of a row that can't be used -> why.
    notes
        What the reader of a summary should know.
    """

    frame: pd.DataFrame
    matched: dict[str, str]
    others: list[str] = field(default_factory=list)
    rejected: dict[int, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def build_table(
    raw: Raw,
    source: str,
    *,
    mapping: Mapping[str, str],
    timezone: str = "UTC",
    order: DateOrder | None = None,
) -> Table:
    """Rename, convert, and mark the rows that can't be used; nothing is dropped here.

    Raises
    ------
    InputError
        No rows, a mapped column that is missing, no text in any row, dates that are ambiguous or all unreadable.
    """
    if raw.frame.empty:
        raise InputError(f"{source}: no tickets in it.")
    matched = match_columns(raw.frame.columns, mapping, source)
    if not any(name in matched for name in TEXT_COLUMNS):
        raise InputError(
            f"{source}: expected a column title or description, found {', '.join(raw.frame.columns)}.",
            hint="Map the column with the text: --map description=THEIRS.",
        )
    table = Table(pd.DataFrame(index=raw.frame.index), matched)
    readers = _Readers(raw, table, source, timezone, order)
    columns = {column.name: readers.read(column.name, column.kind) for column in COLUMNS if column.name in matched}
    columns = _with_ids_and_text(columns, table, raw.frame.index)
    for name, theirs in _other_columns(raw, matched, columns).items():
        columns[name] = to_strings(raw.frame[theirs])
        table.others.append(name)
    table.frame = pd.DataFrame(columns, index=raw.frame.index)
    _reject_without_text(table, source)
    return table


@dataclass
class _Readers:
    """Reads one column by its kind; what goes wrong lands in `table`, or is an error where nothing can be read."""

    raw: Raw
    table: Table
    source: str
    timezone: str
    order: DateOrder | None

    def read(self, name: str, kind: str) -> pd.Series:
        values = self.raw.frame[self.table.matched[name]]
        if kind == "time":
            return self._times(name, values)
        if kind == "number":
            return self._partly(name, values, to_minutes(values), "a duration like 90, 1:30, PT1H30M or 1 h 30 m")
        if kind == "count":
            whole = pd.to_numeric(values, errors="coerce")
            whole = whole.where((whole >= 0) & (whole % 1 == 0)).astype("float64").astype(COUNT)
            return self._partly(name, values, whole, "a whole number")
        if kind == "text":
            return values.astype(STRING)
        return to_strings(values)

    def _times(self, name: str, values: pd.Series) -> pd.Series:
        try:
            read = to_times(values, self.timezone, self.order)
        except AmbiguousDatesError:
            raise InputError(
                f"{self.source}, column {self._named(name)}: dates like 03/04/2026 can be day first or month first, "
                "and no row tells which.",
                hint="Say --dayfirst or --monthfirst.",
            ) from None
        if name != "opened_at":
            return self._partly(name, values, read, EXPECTED_TIMES)
        for position in self._unread(name, values, read, EXPECTED_TIMES):
            self.table.rejected[position] = self._complaint(name, values.iloc[position], EXPECTED_TIMES)
        return read

    def _partly(self, name: str, values: pd.Series, read: pd.Series, expected: str) -> pd.Series:
        """Values that can't be read are missing, and counted."""
        if unread := self._unread(name, values, read, expected):
            complaint = self._complaint(name, values.iloc[unread[0]], expected)
            self.table.notes.append(
                f"{self.raw.where(unread[0])}, {complaint}; {len(unread):,} such values were left out."
            )
        return read

    def _unread(self, name: str, values: pd.Series, read: pd.Series, expected: str) -> list[int]:
        """Positions where there was something and nothing came of it; raises where that is so everywhere."""
        there = values.notna()
        if pd.api.types.is_string_dtype(values.dtype):
            there &= values.str.strip().fillna("") != ""
        unread: list[int] = (there & read.isna()).to_numpy().nonzero()[0].tolist()
        if unread and not read.notna().any():
            complaint = self._complaint(name, values.iloc[unread[0]], expected)
            raise InputError(
                f"{self.raw.where(unread[0])}, {complaint}; none of {len(unread):,} values can be read.",
                hint=f"Is another column meant? Map it: --map {name}=THEIRS.",
            )
        return unread

    def _complaint(self, name: str, value: object, expected: str) -> str:
        return f"column {self._named(name)}: expected {expected}, found {shape_of(value)}"

    def _named(self, name: str) -> str:
        theirs = self.table.matched[name]
        return name if theirs == name else f"{theirs!r} ({name})"


def _with_ids_and_text(columns: dict[str, pd.Series], table: Table, index: pd.Index) -> dict[str, pd.Series]:
    """`ticket_id`, `title` and `description` are always there, so that nobody needs to ask."""
    numbered = pd.Series([f"row-{row + 1}" for row in index], index=index, dtype=STRING)
    if "ticket_id" not in columns:
        table.notes.append("No column is mapped to ticket_id: ids are row-1, row-2, … in the order of the rows.")
        columns["ticket_id"] = numbered
    elif columns["ticket_id"].isna().any():
        for position in columns["ticket_id"].isna().to_numpy().nonzero()[0].tolist():
            table.rejected[position] = "column ticket_id: expected an id, found none"
    for name in TEXT_COLUMNS:
        columns.setdefault(name, empty_strings(index))
    return {column.name: columns[column.name] for column in COLUMNS if column.name in columns}


def _other_columns(raw: Raw, matched: Mapping[str, str], columns: Mapping[str, pd.Series]) -> dict[str, str]:
    """Name in the table -> their name, of every column that is not matched; a name of ours gets `source_` before it."""
    used = set(matched.values())
    named = {ours: theirs for ours, theirs in matched.items() if ours not in columns}
    for theirs in raw.frame.columns:
        if theirs not in used:
            named[f"source_{theirs}" if theirs in columns else theirs] = theirs
    return named


def _reject_without_text(table: Table, source: str) -> None:
    blank = ~has_text(table.frame)
    if blank.all():
        raise InputError(
            f"{source}: title and description are empty in all of {len(table.frame):,} rows.",
            hint="Map the column with the text: --map description=THEIRS.",
        )
    for position in blank.to_numpy().nonzero()[0].tolist():
        table.rejected.setdefault(position, "title and description are empty")
