from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import pytest

from triage_ml.store import (
    Connection,
    Once,
    Outcome,
    Prediction,
    Store,
    add_outcome,
    add_predictions,
    answers_by_id,
    claim,
    forget_requests,
    new_id,
    outcomes_of_ticket,
    predictions_of_ticket,
    prune,
    prune_store,
    retention,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ONCE = Once("key", "abc", "0f" * 32)


def test_a_key_is_claimed_once_and_tells_who_had_it(store: Store) -> None:
    with store.begin() as connection:
        assert claim(connection, ONCE, ["p1", "p2"], now=NOW) is None
        assert claim(connection, ONCE, ["p3"], now=NOW) == (ONCE.fingerprint, ["p1", "p2"])
        assert claim(connection, Once("other", "abc", "0e"), ["p3"], now=NOW) is None
    with store.begin() as connection:
        assert claim(connection, Once("key", "abc", "another body"), [], now=NOW) == (ONCE.fingerprint, ["p1", "p2"])
        assert forget_requests(connection, before=NOW + timedelta(1)) == 2
        assert claim(connection, ONCE, [], now=NOW) is None


def test_answers_come_by_id_and_unknown_ids_are_left_out(store: Store) -> None:
    rows = [
        Prediction(new_id(NOW), "A", NOW, "7", "d", "auto", "confident", {}, {"place": place}) for place in range(5)
    ]
    with store.begin() as connection:
        add_predictions(connection, rows)
        ids = [rows[place].prediction_id for place in (3, 0, 4)]
        found = answers_by_id(connection, [*ids, "nobody's"])
    assert {prediction_id: answer["place"] for prediction_id, answer in found.items()} == dict(
        zip(ids, (3, 0, 4), strict=True)
    )


def test_pruning_forgets_what_is_older_and_nothing_else(store: Store) -> None:
    old, new = NOW - timedelta(days=31), NOW - timedelta(days=29)
    with store.begin() as connection:
        for moment in (old, new):
            add_predictions(
                connection, [Prediction(new_id(moment), "A", moment, "7", "d", "auto", "confident", {}, {})]
            )
            add_outcome(
                connection, Outcome(new_id(moment), "A", {"tier": "L1"}, "automation", moment, resolved_at=moment)
            )
            claim(connection, Once("key", str(moment), ""), [], now=moment)
        counts = prune(connection, before=NOW - timedelta(days=30))
        assert counts == {"predictions": 1, "shadows": 0, "outcomes": 1, "idempotency": 1}
        assert [row.stored_at for row in predictions_of_ticket(connection, "A")] == [new]
        assert [row.received_at for row in outcomes_of_ticket(connection, "A")] == [new]


def test_much_is_forgotten_in_short_transactions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ROWS", 10)
    old = NOW - timedelta(days=31)
    rows = [Prediction(new_id(old), f"T{place}", old, "7", "d", "auto", "confident", {}, {}) for place in range(25)]
    with store.begin() as connection:
        add_predictions(connection, rows)
        for place in range(12):
            claim(connection, Once("key", str(place), ""), [], now=old)
    transactions = 0
    begin = store.begin

    def counted() -> AbstractContextManager[Connection]:
        nonlocal transactions
        transactions += 1
        return begin()

    monkeypatch.setattr(store, "begin", counted)
    counts = prune_store(store, before=NOW - timedelta(days=30))
    assert counts == {"predictions": 25, "shadows": 0, "outcomes": 0, "idempotency": 12}
    assert transactions == 4  # ten, ten, five, and one that finds nothing
