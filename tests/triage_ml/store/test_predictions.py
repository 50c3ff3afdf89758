from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from triage_ml.store import Prediction, Store, add_predictions, new_id, predictions_of_ticket

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def prediction(ticket_id: str, stored_at: datetime = NOW) -> Prediction:
    return Prediction(
        prediction_id=new_id(stored_at),
        ticket_id=ticket_id,
        stored_at=stored_at,
        model_version="7",
        digest="sha256:0a",
        action="auto",
        reason="confident",
        ticket={"title": "VPN fällt aus 🔥 אין חיבור"},
        answer={"targets": {"tier": {"value": "L1", "probability": 0.94}}},
    )


def test_a_prediction_comes_back_as_it_was_stored(store: Store) -> None:
    row = prediction("INC1")
    with store.begin() as connection:
        add_predictions(connection, [row, prediction("INC2")])
    with store.read() as connection:
        assert predictions_of_ticket(connection, "INC1") == [row]


@pytest.mark.parametrize("bodies", [None, []])
def test_no_prediction_is_nothing_to_store(store: Store, bodies: list[bytes] | None) -> None:
    with store.begin() as connection:
        add_predictions(connection, [], bodies=bodies)
    with store.read() as connection:
        assert predictions_of_ticket(connection, "INC1") == []


def test_the_newest_comes_first_even_when_the_clock_stepped_back(store: Store) -> None:
    with store.begin() as connection:
        first, second = prediction("INC1"), prediction("INC1", NOW - timedelta(hours=1))
        add_predictions(connection, [first])
        add_predictions(connection, [second])
        assert predictions_of_ticket(connection, "INC1") == [second, first]
        assert predictions_of_ticket(connection, "INC1", limit=1) == [second]


def test_no_prediction_is_stored_twice(store: Store) -> None:
    row = prediction("INC1")
    with pytest.raises(sa.exc.IntegrityError, match=r"(?i)unique") as caught, store.begin() as connection:
        add_predictions(connection, [row, row])
    assert "VPN" not in str(caught.value)


def test_adding_none_is_fine(store: Store) -> None:
    with store.begin() as connection:
        add_predictions(connection, [])
        assert predictions_of_ticket(connection, "INC1") == []


def test_prediction_ids_are_uuids_that_sort_by_time() -> None:
    early, late = new_id(NOW), new_id(NOW + timedelta(milliseconds=1))
    assert UUID(early).version == UUID(late).version == 7
    assert early < late
