"""What is asked for again and again is sent once, and what changed is sent again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from asking import TICKET, wait_until
from fakes import FakeRegistry
from fastapi.testclient import TestClient
from listed import put_list

from triage_ml.store import Store


@pytest.fixture
def admin(store: Store, new_key: Callable[..., dict[str, str]]) -> dict[str, str]:
    put_list(store)
    return new_key("admin")


@pytest.mark.parametrize("path", ["/v1/model", "/v1/candidates"])
@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"], ids=["strong", "weak", "one of two", "any"])
def test_who_has_it_gets_no_body(client: TestClient, admin: dict[str, str], path: str, form: str) -> None:
    first = client.get(path, headers=admin)
    assert first.headers["cache-control"] == "private, no-cache"
    again = client.get(path, headers=admin | {"If-None-Match": form.format(first.headers["etag"])})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])


def test_another_model_is_sent_again(client: TestClient, registry: FakeRegistry) -> None:
    first = client.get("/v1/model")
    registry.register("2")
    asked = {"If-None-Match": first.headers["etag"]}
    wait_until(lambda: client.get("/v1/model", headers=asked).status_code == 200)
    assert client.get("/v1/model", headers=asked).json()["champion"]["version"] == "2"


def test_a_decision_makes_it_another_list(client: TestClient, admin: dict[str, str]) -> None:
    first = client.get("/v1/candidates", headers=admin)
    decided = client.post("/v1/candidates/p1/decisions", json={"action": "accept"}, headers=admin | {"If-Match": '"0"'})
    assert decided.status_code == 201
    assert client.get("/v1/candidates", headers=admin | {"If-None-Match": first.headers["etag"]}).status_code == 200


def test_an_answer_about_a_ticket_is_kept_by_nobody(client: TestClient) -> None:
    assert client.post("/v1/score", json=TICKET).headers.get_list("cache-control") == ["no-store"]
