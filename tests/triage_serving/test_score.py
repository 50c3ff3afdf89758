from __future__ import annotations

from typing import Any

import pytest
from asking import TICKET
from fakes import FakeLoader, FakeRegistry
from fastapi.testclient import TestClient

from triage_ml.errors import StoreError
from triage_ml.settings import Settings
from triage_ml.store import Store, predictions_of_ticket
from triage_serving.app import create_app


def stored(store: Store, ticket_id: str = "INC0012345") -> list[Any]:
    with store.read() as connection:
        return predictions_of_ticket(connection, ticket_id)


def test_an_answer_is_stored_as_it_left(client: TestClient, store: Store, registry: FakeRegistry) -> None:
    response = client.post("/v1/score", json=TICKET)
    assert response.status_code == 200
    answer = response.json()
    (row,) = stored(store)
    assert row.answer == answer
    assert row.prediction_id == answer["prediction_id"]
    assert list(answer) == ["ticket_id", "prediction_id", "model", "decision", "targets", "pattern", "automation"]
    assert registry.promoted is not None
    assert answer["model"] == {"name": "triage", "version": "1", "digest": registry.promoted.digest}


def test_the_store_keeps_text_redacted_and_no_requester(client: TestClient, store: Store) -> None:
    client.post(
        "/v1/score",
        json=TICKET | {"description": "mail mira@example.org", "requester_id": "mira", "channel": "email"},
    )
    (row,) = stored(store)
    assert row.ticket == {"channel": "email", "title": "Locked out", "description": "mail <email>"}


def test_the_store_keeps_no_text_where_the_setting_says_so(
    store: Store, registry: FakeRegistry, loader: FakeLoader, settings: Settings, new_key: Any
) -> None:
    quiet = settings.model_copy(update={"store": settings.store.model_copy(update={"text": "none"})})
    with TestClient(create_app(quiet, store=store, registry=registry, load_answerer=loader)) as client:
        _until_ready(client)
        answer = client.post("/v1/score", json=TICKET, headers=new_key()).json()
    (row,) = stored(store)
    assert row.ticket == {}
    assert answer["targets"]["tier"].pop("because") == [{"term": "password", "weight": 1.31}]
    assert row.answer["targets"]["tier"].pop("because") == [], "these are words of the ticket"
    assert row.answer == answer


def _until_ready(client: TestClient) -> None:
    from asking import wait_until

    wait_until(lambda: client.get("/readyz").status_code == 200)


def test_a_batch_is_answered_in_its_order(client: TestClient, store: Store) -> None:
    tickets = [{"ticket_id": f"INC{number}", "title": "VPN"} for number in range(300)]
    answers = client.post("/v1/score/batch", json={"tickets": tickets}).json()["answers"]
    assert [answer["ticket_id"] for answer in answers] == [ticket["ticket_id"] for ticket in tickets]
    assert len({answer["prediction_id"] for answer in answers}) == 300
    assert stored(store, "INC299")[0].answer == answers[299]


def test_all_classes_come_where_they_are_asked_for(client: TestClient) -> None:
    few = client.post("/v1/score", json=TICKET).json()
    every = client.post("/v1/score?include=all", json=TICKET).json()
    assert [len(answer["targets"]["tier"]["alternatives"]) for answer in (few, every)] == [1, 2]


def test_nothing_is_acknowledged_that_is_not_stored(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise StoreError("sqlite:////secret/place: database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(store, "begin", full)
        response = client.post("/v1/score", json=TICKET)
        assert (response.status_code, response.json()["code"]) == (503, "store_unavailable")
        assert response.headers["retry-after"] == "5"
        assert "secret" not in response.text
    assert stored(store) == []


def test_a_model_that_fails_says_nothing_of_the_ticket(client: TestClient, store: Store) -> None:
    response = client.post("/v1/score", json=TICKET | {"title": "poison"})
    assert (response.status_code, response.json()["code"]) == (500, "answer_failed")
    assert "secret" not in response.text
    assert stored(store) == []


@pytest.mark.parametrize(
    "text",
    ["🔥🔥🔥 printer", "אין חיבור לרשת", "كلمة المرور لا تعمل", "x\x00y", "a" * 1_000, "‮evil", "\t \n."],
    ids=["emoji", "hebrew", "arabic", "NUL", "longest", "override", "blank and a dot"],
)
def test_text_of_every_script_is_answered_and_stored(client: TestClient, store: Store, text: str) -> None:
    response = client.post("/v1/score", json=TICKET | {"title": text})
    assert response.status_code == 200
    assert stored(store)[0].ticket["title"] == text.replace("\x00", "")


def test_a_ticket_shows_its_predictions_newest_first(client: TestClient) -> None:
    first, second = (client.post("/v1/score", json=TICKET | {"ticket_id": "A/1"}).json() for _ in range(2))
    history = client.get("/v1/tickets/A/1").json()
    assert [row["answer"] for row in history["predictions"]] == [second, first]


def test_an_unknown_ticket_is_not_found(client: TestClient) -> None:
    response = client.get("/v1/tickets/INC404")
    assert (response.status_code, response.json()["code"]) == (404, "unknown_ticket")
