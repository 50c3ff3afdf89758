from __future__ import annotations

from collections.abc import Callable

import pytest
from asking import TICKET
from fakes import FakeLoader, FakeRegistry
from fastapi.testclient import TestClient

from triage_ml.settings import Settings
from triage_ml.store import Store
from triage_serving.app import create_app
from triage_serving.problems import Problem
from triage_serving.rates import RateLimit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_key_has_a_burst_of_two_seconds_and_then_its_rate() -> None:
    clock = Clock()
    limit = RateLimit(5, clock=clock)
    for _ in range(10):
        limit.take("a")
    with pytest.raises(Problem, match="may send 5 requests a second to each worker") as caught:
        limit.take("a")
    assert (caught.value.status_code, caught.value.headers) == (429, {"Retry-After": "1"})
    limit.take("b")
    clock.now = 0.2
    limit.take("a")
    with pytest.raises(Problem, match="may send 5 requests a second"):
        limit.take("a")


def test_a_slow_rate_says_how_long_to_wait() -> None:
    limit = RateLimit(0.1, clock=Clock())
    limit.take("a")
    with pytest.raises(Problem, match=r"may send 0\.1 requests a second") as caught:
        limit.take("a")
    assert caught.value.headers == {"Retry-After": "10"}


def test_without_a_limit_there_is_none(client: TestClient) -> None:
    statuses = [client.get("/v1/tickets/unknown").status_code for _ in range(300)]
    assert set(statuses) == {404}


def test_the_service_says_429(
    settings: Settings,
    store: Store,
    registry: FakeRegistry,
    loader: FakeLoader,
    new_key: Callable[..., dict[str, str]],
) -> None:
    slow = settings.model_copy(update={"serving": settings.serving.model_copy(update={"requests_per_second": 0.001})})
    app = create_app(slow, store=store, registry=registry, load_answerer=loader)
    with TestClient(app, headers=new_key()) as client:
        assert client.get("/v1/model").status_code == 200
        for response in (client.post("/v1/score", json=TICKET), client.get("/v1/model")):
            assert (response.status_code, response.json()["code"]) == (429, "too_many_requests")
        assert client.get("/livez").status_code == 200
        assert client.get("/v1/model", headers=new_key()).status_code == 200
