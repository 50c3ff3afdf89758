"""ISO weeks in the calendar's time zone: which week a ticket belongs to, and which weeks are complete."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd

from triage_ml.errors import InputError

__all__ = ["complete_weeks", "monday", "parse_week", "week_name", "weeks_back", "weeks_of"]

_WEEK = re.compile(r"(\d{4})-?W(\d{2})")
#: A file whose last ticket was opened this shortly before the end of a week holds that week.
NEAR_END = timedelta(days=2)


def week_name(day: date) -> str:
    """The ISO week of a day.

    >>> week_name(date(2027, 1, 3))
    '2026-W53'
    """
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def monday(week: str) -> date:
    """The first day of a week such as `2026-W47`."""
    return date.fromisocalendar(int(week[:4]), int(week[-2:]), 1)


def parse_week(text: str) -> str:
    """A week as somebody typed it, in its usual form.

    Raises
    ------
    InputError
        It is no ISO week.
    """
    match = _WEEK.fullmatch(text.strip().upper())
    try:
        return week_name(date.fromisocalendar(int(match[1]), int(match[2]), 1)) if match else _no_week(text)
    except ValueError:
        return _no_week(text)


def weeks_back(week: str, count: int) -> list[str]:
    """The `count` weeks that end with `week`, oldest first."""
    last = monday(week)
    return [week_name(last - timedelta(weeks=back)) for back in range(count - 1, -1, -1)]


def weeks_of(opened_at: pd.Series, timezone: str) -> pd.Series:
    """The week of each ticket, shape (n,); missing where its time is."""
    local = opened_at.dt.tz_convert(timezone)
    parts = local.dt.isocalendar()
    names = parts["year"].astype("string") + "-W" + parts["week"].astype("string").str.zfill(2)
    weeks: pd.Series = names.where(opened_at.notna())
    return weeks


def complete_weeks(frame: pd.DataFrame, timezone: str, now: datetime) -> list[str]:
    """Weeks between the first and the last ticket that the table holds to their end, oldest first.

    A week is complete if something in the table happened after it; or, if it is over by the clock and the last ticket was
    opened within its last two days. Weeks without tickets in between are weeks.
    """
    opened = frame["opened_at"].dropna()
    if opened.empty:
        return []
    zone = ZoneInfo(timezone)
    first, last = opened.min().astimezone(zone).date(), opened.max().astimezone(zone).date()
    latest = max(frame[column].max() for column in ("opened_at", "resolved_at") if _has_times(frame, column))
    weeks, day = [], first - timedelta(days=first.weekday())
    while day <= last:
        end = datetime.combine(day + timedelta(weeks=1), datetime.min.time(), zone).astimezone(UTC)
        if latest >= end or (now >= end and opened.max() >= end - NEAR_END):
            weeks.append(week_name(day))
        day += timedelta(weeks=1)
    return weeks


def _has_times(frame: pd.DataFrame, column: str) -> bool:
    return column in frame and bool(frame[column].notna().any())


def _no_week(text: str) -> str:
    raise InputError(f"{text!r} is no ISO week.", hint="Expected a week like 2026-W47.")
