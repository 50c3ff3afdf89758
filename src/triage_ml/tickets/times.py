"""Dates in the usual formats -> UTC.

The formats are told apart by shape, a whole column at a time. The patterns know no look-ahead: Arrow, which matches the
strings of older pandas, has none. Whether `03/04/2026` is in March or in April is decided over
the column: one value that fits only one order settles it. Where none does, the answer is an error and not a guess.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from triage_ml.tickets.dtypes import STRING, TIME

__all__ = ["AmbiguousDatesError", "DateOrder", "shape_of", "to_times"]

DateOrder = Literal["day", "month"]

_NUMERIC_DATE = (
    r"^(\d{1,2})([./-])(\d{1,2})[./-](\d{4}|\d{2})"
    r"(?:[T ,]+(\d{1,2})(:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*([AaPp]\.?[Mm]\.?)?)?$"
)
_LIKE_A_DATE = _NUMERIC_DATE.replace("(?:", "(").replace("(", "(?:")
_EPOCH = r"^\d{9,10}(?:\.\d+)?$|^\d{12,13}$"
_COMPACT = r"^\d{8}(?:[T ]?\d{6})?$"
_YEAR_FIRST = r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:\D|$)"
_WITH_MONTH_NAME = r"(?i)^(?:[a-z]{3,9},?\s+)?(?:\d{1,2}[\s.-]+[a-z]{3,9}|[a-z]{3,9}\s+\d{1,2})[\s.,-]"
_HAS_OFFSET = r"(?:[Zz]|[+-]\d{2}:?\d{2}|\s(?:UTC|GMT))$"


class AmbiguousDatesError(ValueError):
    """Every date of the column fits day first and month first."""


@dataclass(frozen=True)
class _Context:
    timezone: str
    order: DateOrder | None


def to_times(values: pd.Series, timezone: str = "UTC", order: DateOrder | None = None) -> pd.Series:
    """Read a column of times.

    Parameters
    ----------
    values
        Datetimes, epoch seconds or milliseconds, or text.
    timezone
        Zone of times that name none. The hour that autumn repeats is read as the first one, the hour that spring skips
        as the first moment after it.
    order
        What comes first in dates like `03/04/2026`; by default the column decides.

    Returns
    -------
    Series of datetime64[us, UTC]
        NaT where the value is missing or can't be read.

    Raises
    ------
    AmbiguousDatesError
        The column doesn't decide and `order` is None.
    """
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _localise(values, timezone)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return _epoch(values.astype("float64"), _Context(timezone, order))
    text = values.astype(STRING).str.strip()
    context = _Context(timezone, order)
    read = pd.Series(pd.NaT, index=values.index, dtype=TIME)
    left = text.notna() & (text != "")
    for pattern, parse in _SHAPES:
        mine = left & text.str.contains(pattern, regex=True, na=False)
        if mine.any():
            read[mine] = parse(text[mine], context)
            left &= ~mine
    return read


def shape_of(value: object, longest: int = 30) -> str:
    """How a value looks without what it says, for messages: digits as 9, letters as x.

    >>> shape_of("22. Nov 2026")
    '99. xxx 9999'
    """
    text = "".join("9" if char.isdigit() else "x" if char.isalpha() else char for char in str(value))
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _localise(values: pd.Series, timezone: str) -> pd.Series:
    if values.dt.tz is None:
        first = np.ones(len(values), dtype=bool)
        values = values.dt.tz_localize(timezone, ambiguous=first, nonexistent="shift_forward")
    read: pd.Series = values.dt.tz_convert("UTC").astype(TIME)
    return read


def _epoch(values: pd.Series, _: _Context) -> pd.Series:
    seconds = values.astype("float64")
    seconds = seconds.where(seconds.abs() < 1e11, seconds / 1000)
    seconds = seconds.where(seconds.abs() < 1e11)
    return pd.to_datetime((seconds * 1e6).round().astype("Int64"), unit="us", utc=True).astype(TIME)


def _epoch_text(text: pd.Series, context: _Context) -> pd.Series:
    return _epoch(pd.to_numeric(text), context)


def _compact(text: pd.Series, context: _Context) -> pd.Series:
    digits = text.str.replace(r"[T ]", "", regex=True).str.pad(14, side="right", fillchar="0")
    return _localise(pd.to_datetime(digits, format="%Y%m%d%H%M%S", errors="coerce"), context.timezone)


def _year_first(text: pd.Series, context: _Context) -> pd.Series:
    text = text.str.replace(r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})", r"\1-\2-\3", regex=True)
    text = text.str.replace(r"^(\d{4})-(\d)-", r"\1-0\2-", regex=True)
    text = text.str.replace(r"^(\d{4}-\d\d)-(\d)(\D|$)", r"\1-0\2\3", regex=True)
    text = text.str.replace(r"(\d)\s+(UTC|GMT|[Zz]|[+-]\d{2}:?\d{2})$", r"\1\2", regex=True)
    text = text.str.replace(r"(?:UTC|GMT|z)$", "Z", regex=True)
    return _by_offset(text, context, lambda part, utc: pd.to_datetime(part, format="ISO8601", errors="coerce", utc=utc))


def _month_name(text: pd.Series, context: _Context) -> pd.Series:
    return _by_offset(
        text, context, lambda part, utc: pd.to_datetime(part, format="mixed", dayfirst=True, errors="coerce", utc=utc)
    )


def _by_offset(text: pd.Series, context: _Context, parse: Callable[[pd.Series, bool], pd.Series]) -> pd.Series:
    """Times that name their offset keep it; the others are local."""
    aware = text.str.contains(_HAS_OFFSET, regex=True)
    read = pd.Series(pd.NaT, index=text.index, dtype=TIME)
    if aware.any():
        read[aware] = parse(text[aware], True).astype(TIME)
    if not aware.all():
        read[~aware] = _localise(parse(text[~aware], False), context.timezone)
    return read


def _numeric_date(text: pd.Series, context: _Context) -> pd.Series:
    parts = text.str.extract(_NUMERIC_DATE)
    parts.columns = ["first", "separator", "second", "year", "hour", "rest", "half"]
    first, second = parts["first"].astype(int), parts["second"].astype(int)
    day_first = _day_comes_first(first, second, parts["separator"], context.order)
    day, month = (first, second) if day_first else (second, first)
    year = parts["year"].where(parts["year"].str.len() == 4, "20" + parts["year"])
    hour = _hour(parts["hour"].fillna("0").astype(int), parts["half"].str[0].str.upper())
    stamp = year + "-" + _two(month) + "-" + _two(day) + "T" + _two(hour) + parts["rest"].fillna(":00")
    return _localise(pd.to_datetime(stamp, format="ISO8601", errors="coerce"), context.timezone)


def _hour(hour: pd.Series, half: pd.Series) -> pd.Series:
    """12 AM is midnight, 12 PM is noon; an hour that no half of the day has stays wrong, and is not read."""
    right = half.isna() | hour.between(1, 12)
    return hour.where(half.isna(), hour % 12 + 12 * (half == "P")).where(right, 99)


def _two(numbers: pd.Series) -> pd.Series:
    return numbers.astype(STRING).str.zfill(2)


def _day_comes_first(first: pd.Series, second: pd.Series, separator: pd.Series, order: DateOrder | None) -> bool:
    if order is not None:
        return order == "day"
    day_first, month_first = bool((first > 12).any()), bool((second > 12).any())
    if day_first != month_first:
        return day_first
    if (separator == ".").all() or (first == second).all():
        return True
    raise AmbiguousDatesError


_SHAPES: tuple[tuple[str, Callable[[pd.Series, _Context], pd.Series]], ...] = (
    (_YEAR_FIRST, _year_first),
    (_LIKE_A_DATE, _numeric_date),
    (_COMPACT, _compact),
    (_EPOCH, _epoch_text),
    (_WITH_MONTH_NAME, _month_name),
)
