"""Touch time as people write it."""

from __future__ import annotations

import pandas as pd
import pytest

from triage_ml.tickets.durations import minutes, to_minutes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90", 90.0),
        ("12,5", 12.5),
        ("1:30", 90.0),
        ("0:01:30", 1.5),
        ("PT1H30M", 90.0),
        ("P1DT1M", 1441.0),
        ("1 h 30 m", 90.0),
        ("2.5h", 150.0),
        ("25 Days 21 Hours 1 Minute", 37261.0),
        ("2 Std 5 Min", 125.0),
        ("45 seconds", 0.75),
        ("1970-01-02 04:23:17", 1703 + 17 / 60),
        ("1:75", None),
        ("P", None),
        ("3 bananas", None),
        ("about 2 h", None),
        ("", None),
    ],
)
def test_minutes(text: str, expected: float | None) -> None:
    assert minutes(text) == (None if expected is None else pytest.approx(expected))


def test_a_column_of_any_type() -> None:
    assert to_minutes(pd.Series(["1:00", None, "x"])).tolist()[0] == 60
    assert to_minutes(pd.Series([5, 7])).tolist() == [5, 7]
    assert to_minutes(pd.Series(pd.to_timedelta(["90s"]))).tolist() == [1.5]
    assert to_minutes(pd.Series([-1.0, float("inf")])).isna().all()
