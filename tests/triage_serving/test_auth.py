from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from asking import TICKET, wait_until
from fastapi.testclient import TestClient

from triage_ml.errors import StoreError
from triage_ml.store import ApiKey, Store, list_keys, revoke_key, split_key
from triage_serving.auth import KeyRing
from triage_serving.problems import Problem

Headers = dict[str, str]
GUARDED = [
    ("POST", "/v1/score"),
    ("POST", "/v1/score/batch"),
    ("POST", "/v1/outcomes"),
    ("GET", "/v1/model"),
    ("GET", "/v1/tickets/INC1"),
]


def ask(client: TestClient, method: str, path: str, headers: Headers) -> tuple[int, str]:
    response = client.request(method, path, headers={"Authorization": "", **headers}, json={"nothing": "valid"})
    return response.status_code, response.json().get("code", "")


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_without_a_valid_key_there_is_no_answer(
    client: TestClient, new_key: Callable[..., Headers], method: str, path: str
) -> None:
    right = new_key()["Authorization"]
    expired = new_key(expires_at=datetime.now(UTC) - timedelta(seconds=1))["Authorization"]
    wrong = [
        "",
        "Bearer",
        "Bearer nonsense",
        right[:-1] + "x",
        expired,
        "Basic dXNlcjpwYXNz",
        right.replace("Bearer ", ""),
    ]
    for header in wrong:
        assert ask(client, method, path, {"Authorization": header}) == (401, "unauthorised")


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_a_key_opens_the_routes_of_its_scope(
    client: TestClient, new_key: Callable[..., Headers], method: str, path: str
) -> None:
    assert ask(client, method, path, new_key("review")) == (403, "wrong_scope")
    for scope in ("score", "admin"):
        assert ask(client, method, path, new_key(scope))[0] in {200, 404, 422}


def test_a_missing_key_is_told_how_to_send_one(client: TestClient) -> None:
    response = client.get("/v1/model", headers={"Authorization": ""})
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["detail"] == "Send an API key: `Authorization: Bearer <key>`."


def test_the_key_is_checked_before_the_body_is_read(client: TestClient) -> None:
    response = client.post("/v1/score", content=b" " * (3 << 20), headers={"Authorization": ""})
    assert response.status_code == 401


def test_a_revoked_key_is_refused_within_seconds_and_its_use_is_noted(
    client: TestClient, store: Store, new_key: Callable[..., Headers]
) -> None:
    header = new_key()
    assert client.post("/v1/score", json=TICKET, headers=header).status_code == 200
    key_id, _ = split_key(header["Authorization"].removeprefix("Bearer ")) or ("", "")
    with store.begin() as connection:
        revoke_key(connection, key_id, now=datetime.now(UTC))
    wait_until(lambda: client.post("/v1/score", json=TICKET, headers=header).status_code == 401)
    with store.read() as connection:
        (record,) = [key for key in list_keys(connection) if key.key_id == key_id]
    assert record.last_used_at is not None


def test_health_needs_no_key(client: TestClient) -> None:
    for path in ("/livez", "/readyz", "/metrics", "/openapi.json", "/docs"):
        assert client.get(path, headers={"Authorization": ""}).status_code == 200


def test_new_keys_that_come_while_the_store_is_read_wait_for_it(
    store: Store, new_key: Callable[..., Headers], monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = [new_key()["Authorization"] for _ in range(5)]
    read = store.read

    def slow() -> object:
        time.sleep(0.3)
        return read()

    monkeypatch.setattr(store, "read", slow)
    ring = KeyRing(store)

    async def scenario() -> list[ApiKey]:
        async def late(place: int, header: str) -> ApiKey:
            await asyncio.sleep(place * 0.01)
            return await ring.authorise(header, "score")

        return await asyncio.gather(*(late(*one) for one in enumerate(headers)))

    assert len({key.key_id for key in asyncio.run(scenario())}) == 5


def test_a_key_that_cannot_be_looked_up_is_not_called_wrong(
    store: Store, new_key: Callable[..., Headers], monkeypatch: pytest.MonkeyPatch
) -> None:
    header = new_key()["Authorization"]
    ring = KeyRing(store)

    def away() -> object:
        raise StoreError("the store is away")

    async def scenario() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(store, "read", away)
            with pytest.raises(Problem, match="can't be looked up") as caught:
                await ring.authorise(header, "score")
            assert (caught.value.status_code, caught.value.code) == (503, "store_unavailable")
        assert (await ring.authorise(header, "score")).scope == "score"

    asyncio.run(scenario())


def test_a_store_that_hangs_keeps_no_key_waiting_for_ever(
    store: Store, new_key: Callable[..., Headers], monkeypatch: pytest.MonkeyPatch
) -> None:
    header, go, read = new_key()["Authorization"], threading.Event(), store.read
    ring = KeyRing(store)

    def hangs() -> object:
        go.wait(60)
        return read()

    async def scenario() -> None:
        with pytest.raises(Problem, match="can't be looked up"):
            await ring.authorise(header, "score")
        ring.refresh(timeout=0.01)
        go.set()

    monkeypatch.setattr("triage_serving.auth.LOOKUP_SECONDS", 0.05)
    monkeypatch.setattr(store, "read", hangs)
    asyncio.run(scenario())
