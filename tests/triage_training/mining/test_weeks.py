from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from triage_ml.errors import InputError
from triage_training.weeks import ahead, astray, complete_weeks, parse_week, weeks_back, weeks_of

LATER = datetime(2030, 1, 1, tzinfo=UTC)


def opened(*times: str) -> pd.DataFrame:
    return pd.DataFrame({"opened_at": pd.to_datetime(list(times), utc=True)})


@pytest.mark.parametrize(
    ("moment", "zone", "week"),
    [
        ("2026-11-22T23:30:00Z", "UTC", "2026-W47"),
        ("2026-11-22T23:30:00Z", "Europe/Berlin", "2026-W48"),
        ("2027-01-03T12:00:00Z", "UTC", "2026-W53"),
        ("2026-03-29T22:30:00Z", "Europe/Berlin", "2026-W14"),
    ],
    ids=["Sunday night", "Monday in Berlin", "last week of the year", "the night the clock changes"],
)
def test_the_week_is_that_of_the_calendars_zone(moment: str, zone: str, week: str) -> None:
    assert weeks_of(opened(moment)["opened_at"], zone).tolist() == [week]


def test_a_ticket_without_a_time_has_no_week() -> None:
    times = pd.Series(pd.to_datetime(["2026-11-22", None], utc=True))

    assert weeks_of(times, "UTC").isna().tolist() == [False, True]


def test_a_week_is_complete_when_something_happened_after_it() -> None:
    frame = opened("2026-11-03T09:00Z", "2026-11-11T09:00Z", "2026-11-17T09:00Z")

    assert complete_weeks(frame, "UTC", LATER) == ["2026-W45", "2026-W46"]


def test_a_week_is_complete_when_a_ticket_of_it_was_closed_after_it() -> None:
    frame = opened("2026-11-03T09:00Z").assign(resolved_at=pd.to_datetime(["2026-11-09T08:00Z"], utc=True))

    assert complete_weeks(frame, "UTC", LATER) == ["2026-W45"]


@pytest.mark.parametrize(("now", "weeks"), [(LATER, ["2026-W45"]), (datetime(2026, 11, 8, 12, tzinfo=UTC), [])])
def test_a_file_that_ends_on_the_weekend_holds_its_week_once_that_is_over(now: datetime, weeks: list[str]) -> None:
    assert complete_weeks(opened("2026-11-03T09:00Z", "2026-11-08T11:00Z"), "UTC", now) == weeks


def test_one_date_in_the_future_completes_no_week() -> None:
    frame = opened(*["2026-11-03T09:00Z"] * 200, *["2026-11-17T09:00Z"] * 5, "2031-05-01T09:00Z")
    now = datetime(2026, 11, 18, 12, tzinfo=UTC)

    assert complete_weeks(frame, "UTC", now) == ["2026-W45", "2026-W46"]
    assert complete_weeks(frame.assign(resolved_at=frame["opened_at"]), "UTC", now) == ["2026-W45", "2026-W46"]
    assert ahead(frame["opened_at"], now) == 1


def test_a_desk_with_another_clock_is_right_by_that() -> None:
    frame = opened("2026-11-03T09:00Z", "2026-11-11T09:00Z", "2026-11-17T09:00Z")
    now = datetime(2026, 11, 4, tzinfo=UTC)

    assert complete_weeks(frame, "UTC", now) == ["2026-W45", "2026-W46"]
    assert ahead(frame["opened_at"], now) == ahead(frame["opened_at"].head(0), now) == 0


def test_weeks_without_tickets_in_between_are_weeks() -> None:
    frame = opened("2026-11-03T09:00Z", "2026-11-24T09:00Z")

    assert complete_weeks(frame, "UTC", LATER) == ["2026-W45", "2026-W46", "2026-W47"]


def test_no_tickets_no_weeks() -> None:
    assert complete_weeks(opened(), "UTC", LATER) == []


def test_weeks_back_run_over_the_turn_of_the_year() -> None:
    assert weeks_back("2027-W01", 3) == ["2026-W52", "2026-W53", "2027-W01"]


def test_a_week_may_be_typed_in_small_letters_or_without_the_hyphen() -> None:
    assert parse_week("2026-w47") == parse_week("2026W47") == "2026-W47"


@pytest.mark.parametrize("text", ["47", "2026-W54", "2026-W00", "2025-W53", "yesterday"])
def test_what_is_no_week(text: str) -> None:
    with pytest.raises(InputError, match=r"is no ISO week\.\nExpected a week like 2026-W47"):
        parse_week(text)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "UTC"])
def test_a_clock_change_makes_no_week_and_loses_none(zone: str) -> None:
    hours = pd.date_range("2026-03-01", "2026-04-12", freq="h", tz="UTC")
    local = hours.tz_convert(zone)

    weeks = weeks_of(pd.Series(hours), zone)
    complete = complete_weeks(pd.DataFrame({"opened_at": hours}), zone, datetime(2026, 5, 1, tzinfo=UTC))

    assert weeks.tolist() == [f"{at.isocalendar().year}-W{at.isocalendar().week:02d}" for at in local]
    assert complete == sorted(set(complete))
    assert set(weeks) - set(complete) <= {weeks.iloc[-1]}
    assert {len(group) for week, group in weeks.groupby(weeks) if week in complete[1:-1]} <= {167, 168, 169}


def test_a_clock_that_was_never_set_makes_no_thousand_weeks() -> None:
    frame = opened("1970-01-01T00:00Z", *["2026-11-03T09:00Z"] * 5, "2026-11-17T09:00Z")

    assert complete_weeks(frame, "UTC", LATER) == ["2026-W45", "2026-W46"]
    assert astray(frame["opened_at"]).tolist() == [True, *[False] * 6]
    assert weeks_of(frame["opened_at"], "UTC").isna().tolist() == [True, *[False] * 6]


def test_a_table_with_years_between_its_tickets_keeps_them_all() -> None:
    frame = opened(*["2019-03-04T09:00Z"] * 5, *["2026-11-03T09:00Z"] * 5)

    assert not astray(frame["opened_at"]).any()
    assert not astray(opened("1970-01-01T00:00Z", "2026-11-03T09:00Z", "2026-11-04T09:00Z")["opened_at"].head(2)).any()


def test_two_clocks_that_were_never_set_are_both_astray() -> None:
    frame = opened("1970-01-01T00:00Z", "1999-12-31T00:00Z", *["2026-11-03T09:00Z"] * 5)

    assert astray(frame["opened_at"]).tolist() == [True, True, *[False] * 5]


def test_a_ticket_that_was_open_for_years_belongs_to_its_week() -> None:
    frame = opened("2023-05-02T09:00Z", *["2026-11-03T09:00Z"] * 5, "2026-11-17T09:00Z")

    assert not astray(frame["opened_at"]).any()
    assert weeks_of(frame["opened_at"], "UTC").iloc[0] == "2023-W18"
    assert complete_weeks(frame, "UTC", LATER) == ["2023-W18", "2026-W45", "2026-W46"]  # and not the years in between


def test_beside_a_clock_that_was_never_set_an_old_ticket_keeps_its_week() -> None:
    frame = opened("2000-01-01T00:00Z", "2023-05-02T09:00Z", *["2026-11-03T09:00Z"] * 5)

    assert astray(frame["opened_at"]).tolist() == [True, *[False] * 6]
