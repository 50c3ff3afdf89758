"""ISO weeks by name, such as `2026-W47`."""

from __future__ import annotations

from datetime import date

__all__ = ["monday", "week_name"]


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
