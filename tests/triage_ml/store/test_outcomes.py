from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from triage_ml.store import (
    ClosedTicket,
    Connection,
    Outcome,
    Prediction,
    Store,
    add_outcome,
    add_predictions,
    closed_tickets,
    new_id,
    outcomes_of_ticket,
    prune,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def prediction(stored_at: datetime, ticket_id: str = "INC1") -> Prediction:
    return Prediction(new_id(stored_at), ticket_id, stored_at, "7", "sha256:0a", "auto", "confident", {}, {})


def joined(connection: Connection, outcome: Outcome) -> Prediction | None:
    """Store an outcome; the prediction that it speaks about."""
    return add_outcome(connection, outcome)[0].prediction


def outcome(received_at: datetime = NOON, ticket_id: str = "INC1", **more: object) -> Outcome:
    base = Outcome(new_id(received_at), ticket_id, {"tier": "L1"}, "person_confirmed", received_at)
    return replace(base, **more)


@pytest.fixture
def other() -> Prediction:
    return prediction(NOON - HOUR, "INC2")


@pytest.fixture
def morning(store: Store, other: Prediction) -> list[Prediction]:
    """Predictions of INC1 at 9, 10 and 11, and one of another ticket at 11."""
    rows = [prediction(NOON - hours * HOUR) for hours in (3, 2, 1)]
    with store.begin() as connection:
        add_predictions(connection, [*rows, other])
    return rows


def test_the_same_report_twice_is_one_outcome(store: Store) -> None:
    first = outcome(resolved_at=NOON - HOUR)
    berlin = timezone(timedelta(hours=1))
    again = outcome(NOON + HOUR, resolved_at=first.closed_at.astimezone(berlin))
    with store.begin() as connection:
        assert add_outcome(connection, first) == (ClosedTicket(first, None), True)
        assert add_outcome(connection, again) == (ClosedTicket(first, None), False)
        assert outcomes_of_ticket(connection, "INC1") == [first]


@pytest.mark.parametrize(
    "change", [{"labels": {"tier": "L2"}}, {"effort_minutes": 5.0}, {"source": "automation"}, {"resolved_at": NOON}]
)
def test_a_report_that_says_something_else_is_another_outcome(store: Store, change: dict[str, object]) -> None:
    with store.begin() as connection:
        add_outcome(connection, outcome())
        assert add_outcome(connection, outcome(**change))[1]


def test_it_joins_the_last_prediction_before_the_ticket_was_resolved(store: Store, morning: list[Prediction]) -> None:
    with store.begin() as connection:
        assert joined(connection, outcome(resolved_at=NOON - 1.5 * HOUR)) == morning[1]


def test_it_joins_the_last_prediction_before_it_was_received(store: Store, morning: list[Prediction]) -> None:
    with store.begin() as connection:
        assert joined(connection, outcome()) == morning[2]


def test_it_joins_the_prediction_that_it_names(store: Store, morning: list[Prediction], other: Prediction) -> None:
    named = outcome(prediction_id=morning[0].prediction_id)
    with store.begin() as connection:
        assert joined(connection, named) == morning[0]
        assert joined(connection, outcome(ticket_id="INC2", prediction_id=named.prediction_id)) == other


def test_it_joins_no_prediction_that_comes_later(store: Store, morning: list[Prediction]) -> None:
    """A ticket that is reopened and scored again, a minute after it was closed."""
    closed, ahead = outcome(), outcome(resolved_at=NOON + HOUR)
    with store.begin() as connection:
        add_outcome(connection, closed)
        add_outcome(connection, ahead)
        add_predictions(connection, [prediction(NOON + timedelta(minutes=1))])
        assert add_outcome(connection, replace(closed, outcome_id="again")) == (ClosedTicket(closed, morning[2]), False)
        assert closed_tickets(connection) == [ClosedTicket(ahead, morning[2])]


def test_it_speaks_about_nothing_where_the_prediction_was_forgotten(store: Store, morning: list[Prediction]) -> None:
    said = outcome()
    with store.begin() as connection:
        add_outcome(connection, said)
        prune(connection, before=NOON - timedelta(minutes=1))
        assert closed_tickets(connection) == [ClosedTicket(said, None)]


def test_an_outcome_before_any_prediction_joins_none_and_is_kept(store: Store, morning: list[Prediction]) -> None:
    early, unknown = outcome(resolved_at=NOON - 9 * HOUR), outcome(ticket_id="INC9")
    with store.begin() as connection:
        for each in (early, unknown):
            assert joined(connection, each) is None
        assert len(closed_tickets(connection)) == 2


def test_the_newest_resolution_holds_whenever_it_arrived(store: Store, morning: list[Prediction]) -> None:
    late = outcome(resolved_at=NOON, labels={"tier": "L3"})
    early = outcome(NOON + HOUR, resolved_at=NOON - 1.5 * HOUR)
    with store.begin() as connection:
        add_outcome(connection, late)
        add_outcome(connection, early)
        (closed,) = closed_tickets(connection)
        assert closed.outcome == late
        assert closed.prediction == morning[2]
        assert outcomes_of_ticket(connection, "INC1") == [late, early]


def test_closed_tickets_since_a_moment(store: Store) -> None:
    with store.begin() as connection:
        add_outcome(connection, outcome(NOON, "A"))
        add_outcome(connection, outcome(NOON + HOUR, "B"))
        assert [each.outcome.ticket_id for each in closed_tickets(connection, since=NOON + HOUR)] == ["B"]


def test_a_clock_that_stepped_back_parts_no_outcome_from_its_prediction(
    store: Store, morning: list[Prediction]
) -> None:
    last = morning[-1]
    stepped_back = outcome(last.stored_at - timedelta(hours=1))
    with store.begin() as connection:
        assert joined(connection, stepped_back) == last
