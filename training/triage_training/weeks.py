"""ISO weeks in the calendar's time zone: which week a ticket belongs to, and which weeks are complete."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pandas as pd

from triage_ml.errors import InputError
from triage_ml.weeks import monday, week_name

__all__ = ["ahead", "astray", "complete_weeks", "monday", "parse_week", "week_name", "weeks_back", "weeks_of"]

_WEEK = re.compile(r"(\d{4})-?W(\d{2})")
#: A file whose last ticket was opened this shortly before the end of a week holds that week.
NEAR_END = timedelta(days=2)
#: Share of tickets with a date in the future that are taken for mistakes; where there are more, our clock is not theirs.
MISTAKEN = 0.01
#: A ticket this long before the next one was dated by a clock that was never set, if there are few like it.
ASTRAY, FEW = timedelta(days=365), 3
#: Such clocks begin in 1900, 1970, 1980, 2000 or 2001; a later date is that of a ticket that was open for long.
CLOCKS_BEGIN_BEFORE = pd.Timestamp("2002-01-01", tz="UTC")


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
    """The week of each ticket, shape (n,); missing where its time is, or is `astray`."""
    local = opened_at.dt.tz_convert(timezone)
    parts = local.dt.isocalendar()
    names = parts["year"].astype("string") + "-W" + parts["week"].astype("string").str.zfill(2)
    weeks: pd.Series = names.where(opened_at.notna() & ~astray(opened_at))
    return weeks


def complete_weeks(frame: pd.DataFrame, timezone: str, now: datetime) -> list[str]:
    """Weeks between the first and the last ticket that the table holds to their end, oldest first.

    A week is complete if something in the table happened after it; or, if it is over by the clock and the last ticket was
    opened within its last two days. Weeks without tickets in between are weeks, but for a gap of more than a year. Times that
    are `ahead` of the clock are mistakes and say nothing.
    """
    opened = frame["opened_at"][~astray(frame["opened_at"])].dropna()
    clock = _clock(opened, now)
    opened = opened[opened <= clock]
    if opened.empty:
        return []
    zone = ZoneInfo(timezone)
    times = [frame[column].dropna() for column in ("opened_at", "resolved_at") if column in frame]
    latest = max(one.max() for one in (own[own <= clock] for own in times) if len(one))
    weeks = []
    for day in _mondays(opened, timezone):
        end = datetime.combine(day + timedelta(weeks=1), datetime.min.time(), zone).astimezone(UTC)
        if latest >= end or (now >= end and opened.max() >= end - NEAR_END):
            weeks.append(week_name(day))
    return weeks


def ahead(opened_at: pd.Series, now: datetime) -> int:
    """How many tickets have a date in the future, and belong to no week until it has come.

    A table with more than a few of them (one in a hundred) was made by another clock, a simulated one perhaps, and is right
    by that.
    """
    opened = opened_at.dropna()
    return int((opened > _clock(opened, now)).sum())


def astray(opened_at: pd.Series) -> pd.Series:
    """Which tickets have a date at which clocks begin (1970, say), more than a year before all others, shape (n,).

    They belong to no week. A table with more than a few of them (three, or one in a hundred) is an old one.
    """
    ordered = opened_at.dropna().sort_values()
    most = max(FEW, int(MISTAKEN * len(ordered)))
    gaps = ordered.diff().iloc[1 : min(most, (len(ordered) - 1) // 2) + 1]
    far = ordered.iloc[1 : len(gaps) + 1][(gaps > ASTRAY).to_numpy()]
    return opened_at < min(far.iloc[-1], CLOCKS_BEGIN_BEFORE) if len(far) else pd.Series(False, index=opened_at.index)


def _mondays(opened: pd.Series, timezone: str) -> list[date]:
    """The Mondays from the first ticket's to the last one's; gaps of more than a year are left out."""
    local = opened.dt.tz_convert(timezone).dt.tz_localize(None)
    with_tickets = sorted(week.start_time.date() for week in local.dt.to_period("W-SUN").unique())
    days = with_tickets[:1]
    for before, day in pairwise(with_tickets):
        if day - before <= ASTRAY:
            days += [before + timedelta(weeks=week) for week in range(1, (day - before).days // 7)]
        days.append(day)
    return days


def _clock(opened: pd.Series, now: datetime) -> pd.Timestamp:
    """What time it is for a table of tickets."""
    clock = pd.Timestamp(now)
    is_mistaken = (opened > clock).mean() <= MISTAKEN if len(opened) else True
    return clock if is_mistaken else opened.max()


def _no_week(text: str) -> str:
    raise InputError(f"{text!r} is no ISO week.", hint="Expected a week like 2026-W47.")
