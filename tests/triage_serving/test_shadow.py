"""The challenger: asked aside, compared at closure, never in the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from asking import TICKET, wait_until
from fakes import FakeLoader, FakeRegistry
from fastapi.testclient import TestClient

from triage_ml.store import Store, prune, shadows_of


def counted(client: TestClient, line: str) -> bool:
    return f"{line}\n" in client.get("/metrics").text


@pytest.fixture
def with_challenger(client: TestClient, registry: FakeRegistry) -> TestClient:
    registry.register("2", role="challenger")
    wait_until(lambda: client.get("/v1/model").json()["challenger"] is not None)
    return client


def test_the_challenger_is_asked_aside_and_the_champion_answers(with_challenger: TestClient, store: Store) -> None:
    answer = with_challenger.post("/v1/score", json=TICKET).json()
    assert answer["model"]["version"] == "1"
    wait_until(lambda: counted(with_challenger, 'triage_shadow_tickets_total{result="scored"} 1.0'))
    with store.read() as connection:
        (shadow,) = shadows_of(connection, [answer["prediction_id"]])
    assert shadow.model_version == "2"
    assert shadow.targets == {
        "tier": {"value": "L1", "probability": 0.94, "action": "auto", "reason": "confident"},
    }
    assert counted(with_challenger, 'triage_shadow_agreement_total{result="same",target="tier"} 1.0')


@pytest.mark.parametrize(("truth", "result"), [("L1", "right"), ("L3", "wrong")])
def test_both_are_compared_when_the_ticket_closes(with_challenger: TestClient, truth: str, result: str) -> None:
    with_challenger.post("/v1/score", json=TICKET)
    wait_until(lambda: counted(with_challenger, 'triage_shadow_tickets_total{result="scored"} 1.0'))
    report = {"ticket_id": TICKET["ticket_id"], "labels": {"tier": truth}, "source": "person_corrected"}
    assert with_challenger.post("/v1/outcomes", json=report).status_code == 200
    labels = f'{{action="auto",result="{result}",target="tier"}} 1.0'
    wait_until(lambda: counted(with_challenger, f"triage_shadow_checked_total{labels}"))
    assert counted(with_challenger, f"triage_checked_total{labels}")


def test_a_challenger_that_fails_reaches_no_request(with_challenger: TestClient, loader: Callable[..., object]) -> None:
    loader.loaded[-1].broken = True  # type: ignore[attr-defined]
    assert with_challenger.post("/v1/score", json=TICKET).status_code == 200
    wait_until(lambda: counted(with_challenger, 'triage_shadow_tickets_total{result="failed"} 1.0'))


def test_what_is_more_than_may_wait_is_dropped_and_counted(with_challenger: TestClient) -> None:
    services = with_challenger.app.state.services  # type: ignore[attr-defined]
    with_challenger.post("/v1/score", json=TICKET)
    wait_until(lambda: services.shadow.waiting == 0)
    services.worker.waiting += 1  # somebody waits: the shadow stands back
    tickets = [TICKET | {"ticket_id": f"T{number}"} for number in range(700)]
    for _ in range(2):
        assert with_challenger.post("/v1/score/batch", json={"tickets": tickets}).status_code == 200
    assert services.shadow.waiting == 1000
    assert counted(with_challenger, 'triage_shadow_tickets_total{result="dropped"} 400.0')
    assert counted(with_challenger, "triage_shadow_waiting_tickets 1000.0")
    services.worker.waiting -= 1
    wait_until(lambda: services.shadow.waiting == 0, 60)


def standing_back(client: TestClient) -> Any:
    """The shadow while somebody waits, so that it takes no turn by itself."""
    services = client.app.state.services  # type: ignore[attr-defined]
    services.worker.waiting += 1
    return services.shadow


@pytest.mark.parametrize(
    ("characters", "turns"), [(10, [8, 8, 4]), (10_000, [3, 3, 3, 3, 3, 3, 2]), (100_000, [1] * 20)]
)
def test_a_turn_is_bounded_by_tickets_and_by_characters(
    with_challenger: TestClient, loader: FakeLoader, characters: int, turns: list[int]
) -> None:
    shadow = standing_back(with_challenger)
    tickets = [TICKET | {"ticket_id": f"T{number}", "description": "a" * characters} for number in range(20)]
    assert with_challenger.post("/v1/score/batch", json={"tickets": tickets}).status_code == 200
    challenger = loader.loaded[-1]
    challenger.batches.clear()
    while shadow.waiting:
        asyncio.run(shadow.turn())
    assert challenger.batches == turns


def test_what_waits_is_bounded_by_characters_too(with_challenger: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("triage_serving.shadow.WAITING_CHARACTERS", 1000)
    shadow = standing_back(with_challenger)
    tickets = [{"ticket_id": f"T{number}", "title": "a" * 100} for number in range(15)]
    assert with_challenger.post("/v1/score/batch", json={"tickets": tickets}).status_code == 200
    assert [one.ticket["ticket_id"] for one in shadow._waiting] == [f"T{number}" for number in range(5, 15)]
    assert counted(with_challenger, 'triage_shadow_tickets_total{result="dropped"} 5.0')
    asyncio.run(shadow.turn())
    assert with_challenger.post("/v1/score", json={"ticket_id": "new", "title": "b" * 800}).status_code == 200
    assert [one.ticket["ticket_id"] for one in shadow._waiting] == ["T13", "T14", "new"]


def test_a_challenger_without_its_alias_is_dropped(with_challenger: TestClient, registry: FakeRegistry) -> None:
    registry.challenger = None
    wait_until(lambda: with_challenger.get("/v1/model").json()["challenger"] is None)
    assert with_challenger.get("/v1/model").json()["champion"]["version"] == "1"


def test_shadows_are_pruned_with_the_rest(with_challenger: TestClient, store: Store) -> None:
    with_challenger.post("/v1/score", json=TICKET)
    wait_until(lambda: counted(with_challenger, 'triage_shadow_tickets_total{result="scored"} 1.0'))
    with store.begin() as connection:
        assert prune(connection, before=datetime.now(UTC))["shadows"] == 1
