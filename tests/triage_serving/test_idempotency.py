from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asking import TICKET
from fakes import FakeLoader, FakeRegistry
from fastapi import FastAPI
from fastapi.testclient import TestClient

from triage_ml.settings import Settings
from triage_ml.store import Once, Store, create_key, open_store, predictions_of_ticket
from triage_serving.app import create_app
from triage_serving.jobs import Part, Result, ScoreJob


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    sqlite = request.param == "sqlite"
    store = open_store(f"sqlite:///{tmp_path / 'once.db'}" if sqlite else request.getfixturevalue("postgres_url"))
    yield store
    store.close()


def stored(store: Store) -> int:
    with store.read() as connection:
        return len(predictions_of_ticket(connection, TICKET["ticket_id"]))


def test_a_request_that_comes_twice_is_answered_twice_and_stored_once(client: TestClient, store: Store) -> None:
    header = {"Idempotency-Key": "7f1c"}
    first, second = (client.post("/v1/score", json=TICKET, headers=header) for _ in range(2))
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert stored(store) == 1


def test_a_batch_that_comes_twice(client: TestClient, store: Store) -> None:
    body = {"tickets": [TICKET, TICKET | {"ticket_id": "INC2"}]}
    first, second = (client.post("/v1/score/batch", json=body, headers={"Idempotency-Key": "b"}) for _ in range(2))
    assert first.json() == second.json()
    assert stored(store) == 1


@pytest.mark.parametrize("other", ["body", "route", "query"])
def test_the_same_key_for_another_request_is_a_conflict(client: TestClient, store: Store, other: str) -> None:
    header = {"Idempotency-Key": "7f1c"}
    client.post("/v1/score", json=TICKET, headers=header)
    path = {"body": "/v1/score", "route": "/v1/score/batch", "query": "/v1/score?include=all"}[other]
    body = {"body": TICKET | {"title": "VPN"}, "route": {"tickets": [TICKET]}, "query": TICKET}[other]
    response = client.post(path, json=body, headers=header)
    assert (response.status_code, response.json()["code"]) == (409, "idempotency_conflict")
    assert stored(store) == 1


def test_a_key_whose_answer_was_deleted_is_refused_alone(client: TestClient, store: Store) -> None:
    client.post("/v1/score", json=TICKET, headers={"Idempotency-Key": "7f1c"})
    with store.begin() as connection:
        connection.exec_driver_sql("DELETE FROM predictions")
    again = client.post("/v1/score", json=TICKET, headers={"Idempotency-Key": "7f1c"})
    assert (again.status_code, again.json()["code"]) == (410, "answer_forgotten")
    assert client.post("/v1/score", json=TICKET, headers={"Idempotency-Key": "another"}).status_code == 200
    assert stored(store) == 1


def without_champion(client: TestClient) -> None:
    champion = client.app.state.services.champion  # type: ignore[attr-defined]
    champion.poll = lambda: None
    champion.current = None


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/score", TICKET), ("/v1/score/batch", {"tickets": [TICKET]})], ids=["one", "batch"]
)
def test_a_repeat_is_answered_while_there_is_no_champion(client: TestClient, path: str, body: object) -> None:
    header = {"Idempotency-Key": "7f1c"}
    first = client.post(path, json=body, headers=header)
    without_champion(client)
    again = client.post(path, json=body, headers=header)
    assert (again.status_code, again.json()) == (200, first.json())
    other = client.post("/v1/score", json=TICKET | {"title": "VPN"}, headers=header)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


def test_a_key_that_was_refused_for_want_of_a_champion_can_be_used_later(client: TestClient, store: Store) -> None:
    champion = client.app.state.services.champion  # type: ignore[attr-defined]
    kept, poll = champion.current, champion.poll
    without_champion(client)
    header = {"Idempotency-Key": "7f1c"}
    refused = client.post("/v1/score", json=TICKET, headers=header)
    assert (refused.status_code, refused.json()["code"]) == (503, "no_champion")
    champion.current, champion.poll = kept, poll
    assert client.post("/v1/score", json=TICKET, headers=header).status_code == 200
    assert stored(store) == 1


def test_two_callers_may_use_the_same_key(
    client: TestClient, store: Store, new_key: Callable[..., dict[str, str]]
) -> None:
    for headers in (new_key(), new_key()):
        client.post("/v1/score", json=TICKET, headers={"Idempotency-Key": "1", **headers})
    assert stored(store) == 2


@pytest.mark.parametrize("key", ["", " ", "x" * 201, "ü"])
def test_a_key_that_is_none(client: TestClient, key: str) -> None:
    response = client.post("/v1/score", json=TICKET, headers={"Idempotency-Key": key.encode("latin-1")})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


def test_an_outcome_with_a_key(client: TestClient) -> None:
    report = {"ticket_id": "A", "labels": {"tier": "L1"}, "source": "automation"}
    header = {"Idempotency-Key": "o1"}
    first, second = (client.post("/v1/outcomes", json=report, headers=header) for _ in range(2))
    assert first.json() == second.json()
    other = client.post("/v1/outcomes", json=report | {"ticket_id": "B"}, headers=header)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


def test_two_workers_at_once_store_one_answer_a_key(
    settings: Settings, store: Store, registry: FakeRegistry, loader: FakeLoader
) -> None:
    """The same 20 requests reach two services in opposite order at the same moment."""
    apps = [create_app(settings, store=store, registry=registry, load_answerer=loader) for _ in range(2)]
    for app in apps:
        app.state.services.champion.poll()
    jobs = [ScoreJob([dict(TICKET)], once=Once("key", f"k{number}", "f")) for number in range(20)]

    def work(app: FastAPI, way: list[ScoreJob]) -> list[Result]:
        worker = app.state.services.worker
        return worker._store(way, worker._score([Part(job.tickets, False, None, 0) for job in way]))

    async def both() -> list[list[Result]]:
        ways = (jobs, jobs[::-1])
        return await asyncio.gather(*(asyncio.to_thread(work, *one) for one in zip(apps, ways, strict=True)))

    ahead, backwards = asyncio.run(both())
    assert ahead == backwards[::-1]
    assert stored(store) == 20


def test_what_is_old_is_forgotten(client: TestClient, store: Store) -> None:
    from triage_ml.store import claim
    from triage_serving.idempotency import forget_old_requests

    once = Once("key", "old", "f")
    with store.begin() as connection:
        create_key(connection, "score", now=datetime.now(UTC))
        claim(connection, once, [], now=datetime(2026, 1, 1, tzinfo=UTC))
    forget_old_requests(store)
    with store.begin() as connection:
        assert claim(connection, once, [], now=datetime.now(UTC)) is None


def test_much_that_is_old_is_forgotten_in_short_transactions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from triage_ml.store import claim
    from triage_serving.idempotency import forget_old_requests

    monkeypatch.setattr("triage_serving.idempotency.ROWS", 2)
    with store.begin() as connection:
        for number in range(5):
            claim(connection, Once("key", str(number), "f"), [], now=datetime(2026, 1, 1, tzinfo=UTC))
    begin, begun = store.begin, []
    monkeypatch.setattr(store, "begin", lambda: begun.append(1) or begin())
    forget_old_requests(store)
    assert len(begun) == 3
    with store.begin() as connection:
        assert claim(connection, Once("key", "4", "f"), [], now=datetime.now(UTC)) is None
