"""The whole round: what came back joins the history, and a second run changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from triage_ml.errors import InputError
from triage_ml.settings import Settings
from triage_ml.store import Outcome, Prediction, add_outcome, add_predictions, new_id, open_store
from triage_ml.taxonomy import Taxonomy
from triage_training.registry import Registry
from triage_training.retrain_job import retrain

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def corrections(settings: Settings, tickets: pd.DataFrame) -> None:
    """The service answered these tickets L1, and people put right what they really are."""
    store = open_store(settings.store_url)
    with store.begin() as connection:
        for row in tickets.to_dict("records"):
            ticket = {name: row[name] for name in ("ticket_id", "title", "description")}
            ticket["opened_at"] = row["opened_at"].isoformat()
            answer = {"targets": {"tier": {"value": "L1"}, "category": {"value": row["category"]}}}
            stored = Prediction(
                new_id(NOW), row["ticket_id"], NOW, "1", "d", "suggest", "below_threshold", ticket, answer
            )
            add_predictions(connection, [stored])
            at = NOW + timedelta(hours=1)
            labels = {"tier": row["tier"], "category": row["category"]}
            add_outcome(connection, Outcome(new_id(at), row["ticket_id"], labels, "person_corrected", at))
    store.close()


def test_a_second_run_registers_nothing_new(settings: Settings, taxonomy: Taxonomy, desk_tickets: pd.DataFrame) -> None:
    history, later = desk_tickets.iloc[:2000], desk_tickets.iloc[2000:2300]
    corrections(settings, later)
    first = retrain(settings, taxonomy, history=history)
    assert first.is_new
    assert first.version.role == "champion"
    assert first.trained.profile["tickets"] == 2300
    assert first.exported is not None
    assert first.exported.sources == {"corrected": 300}
    again = retrain(settings, taxonomy, history=history)
    assert not again.is_new
    assert again.version.number == first.version.number
    assert any("trained on the same tickets" in note for note in again.notes)
    assert len(Registry(settings).versions()) == 1


def test_without_anything_that_came_back_history_alone_is_trained_on(
    settings: Settings, taxonomy: Taxonomy, desk_tickets: pd.DataFrame
) -> None:
    done = retrain(settings, taxonomy, history=desk_tickets.iloc[:1500])
    assert done.exported is None
    assert any("No outcome has come back yet" in note for note in done.notes)


def test_with_neither_it_says_where_outcomes_come_from(settings: Settings, taxonomy: Taxonomy) -> None:
    with pytest.raises(InputError, match=r"No outcome has come back yet\.\nOutcomes are reported"):
        retrain(settings, taxonomy)
