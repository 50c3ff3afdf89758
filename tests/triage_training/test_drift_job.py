"""Drift from a file and from the store, week by week in the calendar's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from triage_ml.answer import write_model
from triage_ml.errors import NotEnoughDataError
from triage_ml.settings import Settings
from triage_ml.store import Prediction, Store, add_predictions, new_id, open_store
from triage_ml.taxonomy import Taxonomy
from triage_training.drift_job import drift_of_store, drift_of_tickets
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


def test_a_file_without_weeks_enough_is_refused(desk_tickets: pd.DataFrame, bundle: Path) -> None:
    days = desk_tickets["opened_at"] < desk_tickets["opened_at"].min() + pd.Timedelta(days=10)
    with pytest.raises(NotEnoughDataError, match=r"At least 4 weeks of tickets with a date are needed .* found 2"):
        drift_of_tickets(desk_tickets[days], bundle, Settings(), weeks=3)


def scored(store: Store, *, weeks_ago: float, number: int, title: str) -> None:
    at = NOW - timedelta(weeks=weeks_ago) + timedelta(days=1)
    ticket_id = f"T{weeks_ago}-{number}"
    answer = {"targets": {"tier": {"value": "L1", "probability": 0.9 + number % 10 / 200, "action": "suggest"}}}
    row = Prediction(new_id(at), ticket_id, at, "1", "d", "suggest", "below_threshold", {"title": title}, answer)
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


def test_an_empty_store_is_refused(tmp_path: Path) -> None:
    settings = Settings(paths={"home": tmp_path})
    with pytest.raises(NotEnoughDataError, match="found 0"):
        drift_of_store(settings, weeks=2, now=NOW)
