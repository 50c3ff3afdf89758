"""What every ticket table must satisfy, checked once, at the boundary."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from triage_ml.errors import InputError
from triage_ml.tickets.columns import COLUMNS, TEXT_COLUMNS
from triage_ml.tickets.raw import short_of

__all__ = ["check_table", "has_text", "require_columns"]

_KINDS = {"time": "UTC times", "number": "numbers", "count": "whole numbers"}


def check_table(frame: pd.DataFrame, *, source: str = "The ticket table") -> None:
    """Check that this is a ticket table as DESIGN says.

    Raises
    ------
    InputError
        No rows, no `ticket_id`, an id that is missing or there twice, no text column, a row without text, or a column of
        times or numbers that holds something else.
    """
    if frame.empty:
        raise InputError(f"{source}: no tickets in it.")
    require_columns(frame, ["ticket_id"], source)
    _check_ids(frame["ticket_id"], source)
    _check_text(frame, source)
    for column in COLUMNS:
        if column.kind in _KINDS and column.name in frame:
            _check_kind(frame[column.name], column.kind, source)


def require_columns(frame: pd.DataFrame, names: Iterable[str], source: str) -> None:
    """Raise InputError where a column is not there or has no value at all."""
    for name in names:
        if name not in frame:
            raise InputError(
                f"{source}: column {name} is missing; found {', '.join(map(str, frame.columns))}.",
                hint=f"Map a column to it: --map {name}=THEIRS.",
            )
        if frame[name].isna().all():
            raise InputError(f"{source}: column {name} holds no value in any of {len(frame):,} rows.")


def has_text(frame: pd.DataFrame) -> pd.Series:
    """Whether each row has a title or a description that is not blank."""
    found = pd.Series(False, index=frame.index)
    for name in TEXT_COLUMNS:
        if name in frame:
            found |= frame[name].fillna("").str.contains(r"\S", regex=True)
    return found


def _check_ids(ids: pd.Series, source: str) -> None:
    if ids.isna().any():
        raise InputError(f"{source}, row {_first(ids.isna())}, column ticket_id: expected an id, found none.")
    repeated = ids.duplicated(keep=False)
    if repeated.any():
        first = ids[repeated].iloc[0]
        raise InputError(
            f"{source}, column ticket_id: expected every id once, found {short_of(first)} {int((ids == first).sum())} times "
            f"({int(ids.duplicated().sum()):,} rows too many in all).",
            hint="`triage import` keeps the last delivery of each ticket.",
        )


def _check_text(frame: pd.DataFrame, source: str) -> None:
    if not any(name in frame for name in TEXT_COLUMNS):
        raise InputError(
            f"{source}: expected a column title or description, found {', '.join(map(str, frame.columns))}.",
            hint="Map the column with the text: --map description=THEIRS.",
        )
    blank = ~has_text(frame)
    if blank.all():
        raise InputError(f"{source}: title and description are empty in all of {len(frame):,} rows.")
    if blank.any():
        raise InputError(
            f"{source}, row {_first(blank)}: expected a title or a description, found neither ({int(blank.sum()):,} such rows).",
            hint="`triage import` puts them aside.",
        )


def _check_kind(values: pd.Series, kind: str, source: str) -> None:
    if kind == "time":
        right = isinstance(values.dtype, pd.DatetimeTZDtype) and str(values.dtype.tz) == "UTC"
    else:
        right = pd.api.types.is_numeric_dtype(values.dtype)
    if not right:
        raise InputError(
            f"{source}, column {values.name}: expected {_KINDS[kind]}, found values of type {values.dtype}."
        )


def _first(mask: pd.Series) -> int:
    """Row number, from 1, of the first True."""
    return int(mask.to_numpy().argmax()) + 1
