"""Dates in the usual formats, and the honesty to ask."""

from __future__ import annotations

import pandas as pd
import pytest

from triage_ml.tickets.times import AmbiguousDatesError, shape_of, to_times


def as_text(times: pd.Series) -> list[str | None]:
    return [None if pd.isna(time) else time.strftime("%Y-%m-%d %H:%M:%S") for time in times]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22", "2026-11-22 00:00:00"),
        ("2026-11-22 03:04:05", "2026-11-22 03:04:05"),
        ("2026-11-22T03:04:05Z", "2026-11-22 03:04:05"),
        ("2026-11-22T03:04:05.123+0100", "2026-11-22 02:04:05"),
        ("2026-11-22 03:04:05 +01:00", "2026-11-22 02:04:05"),
        ("2026/1/2 3:04", "2026-01-02 03:04:00"),
        ("22.11.2026 03:04", "2026-11-22 03:04:00"),
        ("1.2.26", "2026-02-01 00:00:00"),
        ("22-11-2026 03:04", "2026-11-22 03:04:00"),
        ("11/22/2026 3:04 PM", "2026-11-22 15:04:00"),
        ("11/22/2026 12:00 AM", "2026-11-22 00:00:00"),
        ("22 Nov 2026 03:04", "2026-11-22 03:04:00"),
        ("Nov 22, 2026 3:04 PM", "2026-11-22 15:04:00"),
        ("Sun, 22 Nov 2026 03:04:05 +0100", "2026-11-22 02:04:05"),
        ("20261122T030405", "2026-11-22 03:04:05"),
        ("1763780645", "2025-11-22 03:04:05"),
        ("1763780645000", "2025-11-22 03:04:05"),
        ("2026-13-01", None),
        ("13/13/2026", None),
        ("11/22/2026 13:00 PM", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_time(text: str, expected: str | None) -> None:
    assert as_text(to_times(pd.Series([text]))) == [expected]


def test_formats_may_be_mixed_in_a_column() -> None:
    mixed = pd.Series(["2026-11-22", "22.11.2026 03:04", None, "1763780645"])
    assert as_text(to_times(mixed)) == ["2026-11-22 00:00:00", "2026-11-22 03:04:00", None, "2025-11-22 03:04:05"]


@pytest.mark.parametrize(("decider", "month"), [("13/01/2026", 4), ("01/13/2026", 3)], ids=["day first", "month first"])
def test_one_row_decides_for_the_column(decider: str, month: int) -> None:
    assert to_times(pd.Series(["03/04/2026", decider])).dt.month.tolist() == [month, 1]


def test_a_column_that_does_not_decide_is_not_guessed() -> None:
    with pytest.raises(AmbiguousDatesError, match=r"^$"):
        to_times(pd.Series(["03/04/2026", "05/06/2026"]))
    assert to_times(pd.Series(["03/04/2026"]), order="day").dt.month.tolist() == [4]
    assert to_times(pd.Series(["03/04/2026"]), order="month").dt.month.tolist() == [3]


def test_naive_times_are_of_the_zone() -> None:
    naive = pd.Series(["2026-07-01 12:00", "2026-07-01T12:00Z"])
    assert as_text(to_times(naive, "Europe/Berlin")) == ["2026-07-01 10:00:00", "2026-07-01 12:00:00"]


def test_the_hour_that_autumn_repeats_and_the_hour_that_spring_skips() -> None:
    times = to_times(pd.Series(["2026-10-25 02:30", "2026-03-29 02:30"]), "Europe/Berlin")
    assert as_text(times) == ["2026-10-25 00:30:00", "2026-03-29 01:00:00"]


def test_columns_that_are_times_or_numbers_already() -> None:
    assert as_text(to_times(pd.Series(pd.to_datetime(["2026-11-22 03:04"])), "Europe/Berlin")) == [
        "2026-11-22 02:04:00"
    ]
    assert as_text(to_times(pd.Series([1763780645.0, None]))) == ["2025-11-22 03:04:05", None]


def test_shape_tells_nothing_but_the_shape() -> None:
    assert shape_of("22. November 2026") == "99. xxxxxxxx 9999"
    assert shape_of("a" * 99) == "x" * 29 + "…"
