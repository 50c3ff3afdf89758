"""Touch time as people write it -> minutes."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from triage_ml.tickets.dtypes import NUMBER

__all__ = ["minutes", "to_minutes"]

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_CLOCK = re.compile(r"(\d+):([0-5]\d)(?::([0-5]\d))?")
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.IGNORECASE)
_SINCE_1970 = re.compile(r"1970-01-(\d\d) (\d\d):(\d\d):(\d\d)")
_PART = re.compile(r"(\d+(?:[.,]\d+)?)\s*([a-z]+)[\s,]*", re.IGNORECASE)
_UNITS = {"s": 1 / 60, "m": 1.0, "h": 60.0, "d": 1440.0}
_UNIT_WORDS = re.compile(
    r"s(?:ecs?|econds?|ek)?|m(?:ins?|inutes?|inuten)?|h(?:rs?|ours?)?|std|stunden?|d(?:ays?)?|tage?", re.IGNORECASE
)


def minutes(text: str) -> float | None:
    """One duration in minutes, or None where it can't be read.

    Plain numbers are minutes, `1:30` is hours and minutes. ServiceNow writes a duration as a date since 1970; a day is
    24 hours there.

    >>> [minutes(text) for text in ("90", "1:30", "PT1H30M", "1 h 30 m", "1970-01-01 01:30:00", "soon")]
    [90.0, 90.0, 90.0, 90.0, 90.0, None]
    """
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return _float(text)
    if clock := _CLOCK.fullmatch(text):
        hours, mins, seconds = (int(part or 0) for part in clock.groups())
        return hours * 60 + mins + seconds / 60
    if since := _SINCE_1970.fullmatch(text):
        day, hours, mins, seconds = (int(part) for part in since.groups())
        return (day - 1) * 1440 + hours * 60 + mins + seconds / 60
    if (iso := _ISO.fullmatch(text)) and any(iso.groups()):
        return sum(float(part or 0) * unit for part, unit in zip(iso.groups(), (1440, 60, 1, 1 / 60), strict=True))
    return _in_words(text)


def _in_words(text: str) -> float | None:
    parts = list(_PART.finditer(text))
    if not parts or "".join(part[0] for part in parts) != text:
        return None
    if not all(_UNIT_WORDS.fullmatch(part[2]) for part in parts):
        return None
    return sum(_float(part[1]) * _unit(part[2]) for part in parts)


def _unit(word: str) -> float:
    first = word[0].lower()
    if word.lower().startswith("st"):
        first = "h"
    return _UNITS["d" if first == "t" else first]


def _float(text: str) -> float:
    return float(text.replace(",", "."))


def to_minutes(values: pd.Series) -> pd.Series:
    """A column of numbers (minutes) or of durations as text; NaN where it can't be read or is negative."""
    if pd.api.types.is_timedelta64_dtype(values.dtype):
        read: pd.Series = values.dt.total_seconds() / 60
    elif pd.api.types.is_numeric_dtype(values.dtype):
        read = values.astype(NUMBER)
    else:
        distinct = {text: minutes(text) for text in values.dropna().astype(str).unique()}
        read = values.astype(object).map(distinct).astype(NUMBER)
    return read.where((read >= 0) & np.isfinite(read))
