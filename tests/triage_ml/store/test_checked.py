"""The evidence on one version: what it answered, and what it would have answered in another's shadow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from triage_ml.store import (
    CheckedAnswer,
    Outcome,
    Prediction,
    Shadow,
    Store,
    add_outcome,
    add_predictions,
    add_shadows,
    checked_answers,
    count_closed,
    new_id,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=9)


def targets(value: str) -> dict[str, Any]:
    return {"tier": {"value": value, "reason": "confident"}}


def close(store: Store, ticket_id: str, version: str, said: str, *, shadow: dict[str, str] | None = None) -> None:
    """One ticket that a version answered and that ended as L1."""
    row = Prediction(
        new_id(NOON), ticket_id, NOON, version, "sha256:0a", "auto", "confident", {}, {"targets": targets(said)}
    )
    with store.begin() as connection:
        add_predictions(connection, [row])
        add_shadows(
            connection,
            [Shadow(row.prediction_id, other, NOON, targets(tier)) for other, tier in (shadow or {}).items()],
        )
        add_outcome(connection, Outcome(new_id(NOON), ticket_id, {"tier": "L1"}, "person_confirmed", NOON))


@pytest.fixture
def closed(store: Store) -> Store:
    close(store, "A", "1", "L1")
    close(store, "B", "1", "L3", shadow={"2": "L2", "9": "L1"})
    close(store, "C", "2", "L1", shadow={"1": "L3"})
    return store


def test_a_version_is_judged_by_its_own_answers_given_or_in_the_shadow(closed: Store) -> None:
    with closed.read() as connection:
        assert checked_answers(connection, "2", since=LONG_AGO, last=10) == [
            CheckedAnswer({"tier": "L1"}, targets("L2"), in_shadow=True),
            CheckedAnswer({"tier": "L1"}, targets("L1"), in_shadow=False),
        ]
        assert [one.targets for one in checked_answers(connection, "1", since=LONG_AGO, last=2)] == [
            targets("L3"),
            targets("L3"),
        ]
        assert checked_answers(connection, "3", since=LONG_AGO, last=10) == []
        assert checked_answers(connection, "2", since=NOON + timedelta(seconds=1), last=10) == []


def test_a_ticket_with_two_outcomes_is_judged_by_the_one_that_holds(closed: Store) -> None:
    again = Outcome(new_id(NOON), "C", {"tier": "L2"}, "person_corrected", NOON, resolved_at=NOON + timedelta(hours=1))
    with closed.begin() as connection:
        add_outcome(connection, again)
        assert checked_answers(connection, "2", since=LONG_AGO, last=1)[0].labels == {"tier": "L2"}
        assert count_closed(connection, since=LONG_AGO) == 3


def test_the_evidence_on_a_version_is_one_query(closed: Store) -> None:
    asked: list[str] = []
    with closed.read() as connection:
        sa.event.listen(connection, "before_cursor_execute", lambda *said: asked.append(said[2]))
        assert len(checked_answers(connection, "1", since=LONG_AGO, last=10)) == 3
    assert len(asked) == 1
