from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import pytest
from asking import TICKET
from fastapi.testclient import TestClient

from triage_ml.store import ClosedTicket, Outcome, Prediction, Store, closed_tickets, new_id
from triage_serving.metrics import Metrics

REPORT = {
    "ticket_id": "INC0012345",
    "labels": {"tier": "L1"},
    "resolved_at": "2100-01-01T10:00:00+01:00",
    "effort_minutes": 6,
    "source": "person_confirmed",
}


def test_an_outcome_is_stored_and_joins_its_prediction(client: TestClient, store: Store) -> None:
    answer = client.post("/v1/score", json=TICKET).json()
    response = client.post("/v1/outcomes", json=REPORT)
    assert response.status_code == 200
    assert response.json()["prediction_id"] == answer["prediction_id"]
    with store.read() as connection:
        (closed,) = closed_tickets(connection)
    assert closed.outcome.outcome_id == response.json()["outcome_id"]
    assert (closed.outcome.effort_minutes, closed.outcome.labels) == (6.0, {"tier": "L1"})
    (shown,) = client.get("/v1/tickets/INC0012345").json()["outcomes"]
    assert shown["resolved_at"] == "2100-01-01T09:00:00Z"


def test_the_same_outcome_twice_is_one(client: TestClient, store: Store) -> None:
    first, second = (client.post("/v1/outcomes", json=REPORT).json() for _ in range(2))
    assert first == second
    with store.read() as connection:
        assert len(closed_tickets(connection)) == 1
    assert 'triage_outcomes_total{source="person_confirmed"} 1.0' in client.get("/metrics").text


def test_an_outcome_of_an_unknown_ticket_is_kept(client: TestClient) -> None:
    assert client.post("/v1/outcomes", json=REPORT).json()["prediction_id"] is None
    assert client.get("/v1/tickets/INC0012345").json()["predictions"] == []


@pytest.mark.parametrize("hours", [-3, 3], ids=["back", "ahead"])
def test_a_clock_that_steps_changes_no_order(client: TestClient, monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    class Stepped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(hours=hours)

    first = client.post("/v1/score", json=TICKET).json()["prediction_id"]
    for module in ("recording", "scoring", "auth", "routes.outcomes"):
        monkeypatch.setattr(f"triage_serving.{module}.datetime", Stepped)
    second = client.post("/v1/score", json=TICKET, headers={"Idempotency-Key": "k"}).json()["prediction_id"]
    report = {name: value for name, value in REPORT.items() if name != "resolved_at"}
    assert client.post("/v1/outcomes", json=report).json()["prediction_id"] == second
    assert client.post("/v1/score", json=TICKET, headers={"Idempotency-Key": "k"}).json()["prediction_id"] == second
    history = client.get("/v1/tickets/INC0012345").json()["predictions"]
    assert [one["answer"]["prediction_id"] for one in history] == [second, first]


def test_an_outcome_that_comes_before_its_prediction_is_kept_and_joins_none(client: TestClient, store: Store) -> None:
    """Somebody routed it by hand; that it is scored afterwards does not make that answer right or wrong."""
    report = {name: value for name, value in REPORT.items() if name != "resolved_at"}
    assert client.post("/v1/outcomes", json=report).json()["prediction_id"] is None
    client.post("/v1/score", json=TICKET)
    assert client.post("/v1/outcomes", json=report).json()["prediction_id"] is None
    with store.read() as connection:
        (closed,) = closed_tickets(connection)
    assert closed.prediction is None


def test_precision_is_counted_at_closure(client: TestClient) -> None:
    client.post("/v1/score", json=TICKET)
    client.post("/v1/outcomes", json=REPORT | {"labels": {"tier": "L3", "colour": "red"}})
    page = client.get("/metrics").text
    assert 'triage_checked_total{action="auto",result="wrong",target="tier"} 1.0' in page
    assert 'target="colour"' not in page


def test_what_was_picked_for_an_audit_is_counted_apart_from_what_was_only_suggested() -> None:
    metrics, now = Metrics(), datetime.now(UTC)
    for number, reason in enumerate(("picked_for_audit", "below_threshold")):
        answer = {"targets": {"tier": {"value": "L1", "action": "suggest", "reason": reason}}}
        given = Prediction(new_id(now), str(number), now, "1", "sha256:0a", "suggest", reason, {}, answer)
        outcome = Outcome(new_id(now), str(number), {"tier": "L2"}, "person_corrected", now)
        metrics.closed([ClosedTicket(outcome, given)])
    page = metrics.page().decode()
    for action in ("audit", "suggest"):
        assert f'triage_checked_total{{action="{action}",result="wrong",target="tier"}} 1.0' in page


def test_outcomes_are_taken_without_a_champion(client: TestClient) -> None:
    client.app.state.services.champion.current = None  # type: ignore[attr-defined]
    client.app.state.services.champion.poll = lambda: None  # type: ignore[attr-defined]
    assert client.post("/v1/outcomes", json=REPORT).status_code == 200


@pytest.mark.parametrize(
    ("change", "location"),
    [
        ({"source": "somebody"}, "source"),
        ({"labels": {"tier": 3}}, "labels.tier"),
        ({"labels": None}, "labels"),
        ({"effort_minutes": -1}, "effort_minutes"),
        ({"effort_minutes": "6"}, "effort_minutes"),
        ({"resolved_at": "yesterday"}, "resolved_at"),
        ({"resolved_at": "0001-01-01T00:00:00+14:00"}, "resolved_at"),  # no moment in UTC
        ({"resolved_at": "9999-12-31T23:59:59-14:00"}, "resolved_at"),
        ({"note": "x"}, "note"),
    ],
)
def test_a_wrong_outcome_is_refused(client: TestClient, change: dict[str, Any], location: str) -> None:
    response = client.post("/v1/outcomes", json=REPORT | change)
    assert response.status_code == 422
    assert [error["location"] for error in response.json()["errors"]] == [location]
