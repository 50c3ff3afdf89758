"""Drift from a file and from the store, week by week in the calendar's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from triage_ml.answer import write_model
from triage_ml.errors import NotEnoughDataError
from triage_ml.settings import Settings
from triage_ml.store import (
    Outcome,
    Prediction,
    Source,
    Store,
    add_outcome,
    add_predictions,
    latest_drift,
    new_id,
    open_store,
)
from triage_ml.taxonomy import Taxonomy
from triage_training.drift_job import drift_of_store, drift_of_tickets, keep_drift
from triage_training.train import Trained

NOW = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)  # a Monday


@pytest.fixture(scope="module")
def bundle(trained: Trained, taxonomy: Taxonomy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle") / "model"
    write_model(folder, trained.classifier, taxonomy)
    return folder


def test_the_last_weeks_of_a_file_are_watched(desk_tickets: pd.DataFrame, bundle: Path) -> None:
    found = drift_of_tickets(desk_tickets, bundle, Settings(), weeks=3)
    assert [week.week for week in found.weeks] == ["2026-W44", "2026-W45", "2026-W46"]
    assert sum(week.tickets for week in found.weeks) < len(desk_tickets)
    assert set(found.weeks[0].psi) == {"tier", "category"}


def test_the_week_of_a_file_that_is_not_over_is_not_judged(desk_tickets: pd.DataFrame, bundle: Path) -> None:
    tickets = desk_tickets[desk_tickets["opened_at"] < pd.Timestamp("2026-11-11", tz="UTC")].drop(columns="resolved_at")
    found = drift_of_tickets(tickets, bundle, Settings(), weeks=2, now=datetime(2026, 11, 11, tzinfo=UTC))
    assert [week.week for week in found.weeks] == ["2026-W44", "2026-W45"]


def test_a_file_without_weeks_enough_is_refused(desk_tickets: pd.DataFrame, bundle: Path) -> None:
    days = desk_tickets["opened_at"] < desk_tickets["opened_at"].min() + pd.Timedelta(days=10)
    with pytest.raises(
        NotEnoughDataError, match=r"At least 4 whole weeks of tickets with a date are needed .* found 1"
    ):
        drift_of_tickets(desk_tickets[days], bundle, Settings(), weeks=3)


def scored(store: Store, *, weeks_ago: float, number: int, title: str, action: str = "suggest") -> None:
    at = NOW - timedelta(weeks=weeks_ago) + timedelta(days=1)
    ticket_id = f"T{weeks_ago}-{number}"
    answer = {"targets": {"tier": {"value": "L1", "probability": 0.9 + number % 10 / 200, "action": action}}}
    row = Prediction(new_id(at), ticket_id, at, "1", "d", action, "below_threshold", {"title": title}, answer)
    with store.begin() as connection:
        add_predictions(connection, [row])


def test_what_the_service_answered_is_watched_from_the_store(tmp_path: Path) -> None:
    settings = Settings(paths={"home": tmp_path})
    store = open_store(settings.store_url)
    for week in range(6, 0, -1):
        for number in range(40):
            new = week == 1 and number < 20
            scored(store, weeks_ago=week, number=number, title="hologram flickers" if new else "password expired again")
    store.close()
    found = drift_of_store(settings, weeks=2, now=NOW)
    assert [week.week for week in found.weeks] == ["2026-W46", "2026-W47"]
    assert [week.verdict for week in found.weeks] == ["nothing to do", "retrain"]
    assert any("of words were never seen before" in reason for reason in found.reasons)
    assert any("hologram" in reason for reason in found.reasons)
    keep_drift(settings, found, now=NOW)
    store = open_store(settings.store_url)
    with store.read() as connection:
        kept = latest_drift(connection)
    store.close()
    assert kept is not None
    assert (kept.week, kept.verdict, kept.figures["tickets"]) == ("2026-W47", "retrain", 40)
    assert "hologram" not in str(kept.figures)


@pytest.mark.parametrize("source", ["person_confirmed", "closed_untouched"])
def test_an_answer_that_stood_without_labels_counts_as_right(source: Source, tmp_path: Path) -> None:
    settings = Settings(paths={"home": tmp_path})
    store = open_store(settings.store_url)
    for week in range(6, 0, -1):
        for number in range(60):
            scored(store, weeks_ago=week, number=number, title="password expired again", action="auto")
            wrong = number < 3
            at = NOW - timedelta(weeks=week) + timedelta(days=2)
            labels = {"tier": "L3"} if wrong else {}
            said = Outcome(new_id(at), f"T{week}-{number}", labels, "person_corrected" if wrong else source, at)
            with store.begin() as connection:
                add_outcome(connection, said)
    store.close()
    found = drift_of_store(settings, weeks=2, now=NOW)
    assert [week.precision["tier"].value for week in found.weeks] == [pytest.approx(0.95)] * 2
    assert found.verdict == "nothing to do"


def test_the_week_that_is_not_over_is_not_judged(tmp_path: Path) -> None:
    settings = Settings(paths={"home": tmp_path})
    store = open_store(settings.store_url)
    for week in range(6, 0, -1):
        for number in range(40):
            scored(store, weeks_ago=week, number=number, title="password expired again")
    store.close()
    inside = drift_of_store(settings, weeks=2, now=NOW - timedelta(days=2))
    assert [week.week for week in inside.weeks] == ["2026-W45", "2026-W46"]


def test_a_group_that_took_over_the_work_of_one_that_ended_is_told(desk_tickets: pd.DataFrame, bundle: Path) -> None:
    tickets = desk_tickets.copy()
    late = tickets["opened_at"] > tickets["opened_at"].max() - pd.Timedelta(weeks=4)
    usual = tickets["assignment_group"].value_counts().idxmax()
    tickets.loc[late & (tickets["assignment_group"] == usual), "assignment_group"] = "Desk of Tomorrow"
    found = drift_of_tickets(tickets, bundle, Settings(), weeks=5)
    pairs = [(row.other, row.kept) for row in found.renamed["assignment_group"]]
    assert (usual, "Desk of Tomorrow") in pairs
    assert drift_of_tickets(desk_tickets, bundle, Settings(), weeks=2).renamed == {}


def test_an_empty_store_is_refused(tmp_path: Path) -> None:
    settings = Settings(paths={"home": tmp_path})
    with pytest.raises(NotEnoughDataError, match="found 0"):
        drift_of_store(settings, weeks=2, now=NOW)
