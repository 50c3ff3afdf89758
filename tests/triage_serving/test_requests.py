"""Wrong input: a clear problem, and never a word of what came in."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from typing import Any

import pytest
from asking import TICKET
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SECRET = "MySecretTicketText"


def problem(response: Any) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert body["type"] == f"urn:triage-ml:problem:{body['code']}"
    assert body["request_id"] == response.headers["x-request-id"]
    return response.status_code, body["code"]


@pytest.mark.parametrize(
    ("change", "location", "message"),
    [
        ({"ticket_id": ""}, "ticket_id", "at least 1 character"),
        ({"ticket_id": "x" * 201}, "ticket_id", "at most 200 characters"),
        ({"ticket_id": "a\x00b"}, "ticket_id", "must not contain NUL"),
        ({"ticket_id": 12345}, "ticket_id", "valid string"),
        ({"title": SECRET * 100}, "title", "at most 1000 characters"),
        ({"description": SECRET * 6000}, "description", "at most 100000 characters"),
        ({"title": " ", "description": "\x00"}, "body", "title or description must not be blank"),
        ({"title": None, "description": None}, "body", "title or description must not be blank"),
        ({"title": [SECRET]}, "title", "valid string"),
        ({"opened_at": "2026-11-22T09:30:00"}, "opened_at", "RFC 3339 time with an offset"),
        ({"opened_at": "2026-02-30T09:30:00Z"}, "opened_at", "no such time in the calendar"),
        ({"opened_at": 1_700_000_000}, "opened_at", "RFC 3339 time with an offset"),
        ({"previous_groups": SECRET}, "previous_groups", "valid list"),
        ({"previous_groups": ["a", ""]}, "previous_groups.1", "at least 1 character"),
        ({"priorty": SECRET}, "priorty", "Extra inputs are not permitted"),
        ({f"{SECRET} as a key": 1}, "?", "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_value_is_named_and_not_repeated(
    client: TestClient, change: dict[str, Any], location: str, message: str
) -> None:
    response = client.post("/v1/score", json=TICKET | change)
    assert problem(response) == (422, "invalid_request")
    (error,) = response.json()["errors"]
    assert error["location"] == location
    assert message in error["message"]
    assert SECRET not in response.text


def test_one_wrong_item_refuses_the_batch_with_its_index(client: TestClient) -> None:
    response = client.post("/v1/score/batch", json={"tickets": [TICKET, TICKET | {"title": 1}, TICKET]})
    assert problem(response) == (422, "invalid_request")
    assert [error["location"] for error in response.json()["errors"]] == ["tickets.1.title"]


@pytest.mark.parametrize("count", [0, 1001])
def test_a_batch_has_1_to_1000_tickets(client: TestClient, count: int) -> None:
    response = client.post("/v1/score/batch", json={"tickets": [TICKET] * count})
    assert problem(response) == (422, "invalid_request")


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b'{"ticket_id": "A", "title": "half',
        b'{"ticket_id": "A", "title": "\xff\xfe"}',
        b'{"ticket_id": "A", "title": "\\ud800"}',
        b'{"ticket_id": "A", "title": NaN}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=["text", "half", "not UTF-8", "lone surrogate", "NaN", "deep lists", "deep objects"],
)
def test_a_body_that_is_no_json(client: TestClient, body: bytes) -> None:
    response = client.post("/v1/score", content=body, headers={"Content-Type": "application/json"})
    assert problem(response) == (400, "invalid_json")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_is_not_called_json(client: TestClient, content_type: str) -> None:
    response = client.post("/v1/score", content=json.dumps(TICKET), headers={"Content-Type": content_type})
    assert problem(response)[0] == 422


def test_no_body_at_all(client: TestClient) -> None:
    assert problem(client.post("/v1/score")) == (422, "invalid_request")


def in_chunks(size: int) -> Iterator[bytes]:
    for _ in range(0, size, 65_536):
        yield b" " * 65_536


@pytest.mark.parametrize("chunked", [False, True], ids=["with its length", "chunked"])
@pytest.mark.parametrize(("path", "limit"), [("/v1/score", 2 << 20), ("/v1/score/batch", 16 << 20)])
def test_a_body_that_is_too_large(client: TestClient, path: str, limit: int, chunked: bool) -> None:
    size = limit + 65_536
    content = in_chunks(size) if chunked else b" " * size
    response = client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert problem(response) == (413, "body_too_large")
    assert f"at most {limit} bytes" in response.json()["detail"]


def test_a_batch_may_be_larger_than_one_ticket(client: TestClient) -> None:
    tickets = [TICKET | {"description": "a" * 100_000}] * 40
    assert client.post("/v1/score/batch", json={"tickets": tickets}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nowhere", (404, "not_found")),
        ("GET", "/v1/score", (405, "method_not_allowed")),
        ("DELETE", "/v1/model", (405, "method_not_allowed")),
    ],
)
def test_an_address_that_is_not_there(client: TestClient, method: str, path: str, expected: tuple[int, str]) -> None:
    assert problem(client.request(method, path)) == expected


def test_an_unknown_query_value(client: TestClient) -> None:
    response = client.post("/v1/score?include=everything", json=TICKET)
    assert problem(response) == (422, "invalid_request")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
fields = st.sampled_from(["ticket_id", "title", "description", "opened_at", "previous_groups", "channel", "else"])


bodies = st.dictionaries(fields, json_values, max_size=6) | json_values
#: Nearly a ticket, so that some are answered.
nearly = st.fixed_dictionaries({"ticket_id": st.text(), "title": st.text()}, optional={"channel": json_values})
routes = st.sampled_from(["/v1/score", "/v1/score/batch", "/v1/outcomes", "/v1/similar"])
many = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=100, **many)
@given(path=routes, body=bodies)
def test_whatever_json_comes_the_answer_is_a_status_and_a_known_shape(client: TestClient, path: str, body: Any) -> None:
    response = client.post(path, json=body)
    assert is_answer(response) or problem(response)[0] in {400, 409, 422}


@pytest.mark.slow
@settings(max_examples=10_000, **many)
@given(
    path=routes,
    body=bodies | nearly | st.fixed_dictionaries({"tickets": st.lists(nearly, max_size=3)}),
)
def test_ten_thousand_payloads(client: TestClient, path: str, body: Any) -> None:
    response = client.post(path, json=body)
    assert is_answer(response) or problem(response)[0] in {400, 409, 422}


def is_answer(response: Any) -> bool:
    """A 200 that speaks of the tickets that were sent."""
    if response.status_code != 200:
        return False
    sent, given = json.loads(response.request.content), response.json()
    asked, answered = sent.get("tickets", [sent]), given.get("answers", [given])
    return [one["ticket_id"] for one in asked] == [one["ticket_id"] for one in answered]


@pytest.mark.parametrize("path", ["/v1/tickets/a%00b", "/v1/tickets/" + "x" * 201])
def test_an_id_in_a_path_is_held_to_the_same_limits(client: TestClient, path: str) -> None:
    assert problem(client.get(path)) == (422, "invalid_request")


def test_an_id_of_a_pattern_is_held_to_them_too(client: TestClient, new_key: Callable[..., dict[str, str]]) -> None:
    assert problem(client.get("/v1/candidates/p%001", headers=new_key("review"))) == (422, "invalid_request")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked where the system can")
def test_forked_workers_make_request_ids_of_their_own() -> None:
    from triage_serving import edge

    def made(pipe: Any) -> None:
        pipe.send(edge._request_id({"headers": []}))

    fork, ids = get_context("fork"), []
    for _ in range(2):
        here, there = fork.Pipe()
        process = fork.Process(target=made, args=(there,))
        process.start()
        ids.append(here.recv())
        process.join()
    assert len({*ids, edge._request_id({"headers": []})}) == 3
