"""Clients that are slow, stop half-way, or send what is no plain JSON: each has its answer, and nobody else waits for them."""

from __future__ import annotations

import gzip
import json
import socket
import time
import zlib
from collections.abc import Callable, Iterator

import pytest
from asking import TICKET, wait_until
from fakes import FakeLoader, FakeRegistry
from fastapi import FastAPI
from live import Address, exchange, listening, post

from triage_ml.settings import Settings
from triage_ml.store import Store, predictions_of_ticket
from triage_serving import bodies
from triage_serving.app import create_app

BODY = json.dumps(TICKET).encode()
Headers = dict[str, str]


@pytest.fixture
def app(settings: Settings, store: Store, registry: FakeRegistry, loader: FakeLoader) -> FastAPI:
    return create_app(settings, store=store, registry=registry, load_answerer=loader)


@pytest.fixture
def address(app: FastAPI) -> Iterator[Address]:
    with listening(app) as address:
        yield address


@pytest.fixture
def key(new_key: Callable[..., Headers]) -> Headers:
    return new_key()


def stored(store: Store) -> int:
    with store.read() as connection:
        return len(predictions_of_ticket(connection, TICKET["ticket_id"]))


def test_a_whole_request_is_answered(address: Address, key: Headers, store: Store) -> None:
    assert exchange(address, post("/v1/score", BODY, key))[0] == 200
    assert stored(store) == 1


def test_a_body_in_single_bytes_is_answered(address: Address, key: Headers) -> None:
    request = post("/v1/score", BODY, key)
    assert exchange(address, *(request[place : place + 1] for place in range(len(request))))[0] == 200


def test_a_body_that_does_not_come_is_given_up_on(
    address: Address, key: Headers, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.3)
    status, problem = exchange(address, post("/v1/score", BODY[:20], key, length=len(BODY)))
    assert (status, problem["code"]) == (408, "body_too_slow")
    assert stored(store) == 0


def test_who_hangs_up_half_way_leaves_nothing_behind(
    address: Address, app: FastAPI, key: Headers, store: Store
) -> None:
    with socket.create_connection(address) as client:
        client.sendall(post("/v1/score", BODY[:20], key, length=len(BODY)))
        time.sleep(0.1)
    page = app.state.services.metrics.page
    wait_until(lambda: b'triage_requests_total{method="POST",route="/v1/score",status="499"} 1.0' in page())
    assert stored(store) == 0
    assert exchange(address, post("/v1/score", BODY, key))[0] == 200


def test_who_hangs_up_before_the_answer_costs_nobody_anything(address: Address, key: Headers) -> None:
    for _ in range(20):
        with socket.create_connection(address) as client:
            client.sendall(post("/v1/score", BODY, key))
    assert exchange(address, post("/v1/score", BODY, key))[0] == 200


def test_many_slow_clients_keep_nobody_waiting(address: Address, key: Headers) -> None:
    slow = [socket.create_connection(address) for _ in range(200)]
    try:
        for client in slow:
            client.sendall(post("/v1/score", BODY[:20], key, length=len(BODY)))
        begun = time.monotonic()
        assert exchange(address, post("/v1/score", BODY, key))[0] == 200
        assert time.monotonic() - begun < 5
    finally:
        for client in slow:
            client.close()


def test_who_does_not_read_the_answer_keeps_nobody_waiting(address: Address, key: Headers) -> None:
    batch = json.dumps({"tickets": [TICKET] * 1000}).encode()
    with socket.create_connection(address) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(post("/v1/score/batch", batch, key))
        for _ in range(5):
            assert exchange(address, post("/v1/score", BODY, key))[0] == 200


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(BODY)),
        ("deflate", zlib.compress(BODY)),
        ("GZIP", gzip.compress(b" " * 50_000_000)),
        ("br", b"\x0b\x02\x80"),
    ],
    ids=["gzip", "deflate", "a bomb", "br"],
)
@pytest.mark.parametrize("path", ["/v1/score", "/v1/similar"])
def test_nothing_is_decompressed(address: Address, key: Headers, path: str, encoding: str, body: bytes) -> None:
    status, problem = exchange(address, post(path, body, key | {"Content-Encoding": encoding}))
    assert (status, problem["code"]) == (415, "compressed_body")


def test_a_body_that_says_it_is_plain_is_read(address: Address, key: Headers) -> None:
    assert exchange(address, post("/v1/score", BODY, key | {"Content-Encoding": "identity"}))[0] == 200


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")], ids=["lists", "objects"])
@pytest.mark.parametrize("depth", [200, 20_000])
def test_a_body_that_is_nested_deeply(
    address: Address, key: Headers, opening: bytes, closing: bytes, depth: int
) -> None:
    nested = b'{"ticket_id":"A","title":' + opening * depth + b"1" + closing * depth + b"}"
    status, problem = exchange(address, post("/v1/score", nested, key))
    assert (status, problem["code"]) in {(400, "invalid_json"), (422, "invalid_request")}


@pytest.mark.parametrize(
    "head",
    [
        b"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /v1/score HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["negative length", "two lengths", "no chunk", "TLS"],
)
def test_what_is_no_http_ends_the_connection(address: Address, head: bytes) -> None:
    with socket.create_connection(address, timeout=60) as client:
        client.sendall(head)
        client.shutdown(socket.SHUT_WR)
        said = b"".join(iter(lambda: client.recv(65_536), b""))
    assert said.startswith(b"HTTP/1.1 4") or said == b""


def test_connections_beyond_the_limit_are_told_so(app: FastAPI, key: Headers) -> None:
    with listening(app, limit_concurrency=5) as address:
        idle = [socket.create_connection(address) for _ in range(10)]
        wait_until(lambda: exchange(address, post("/v1/score", BODY, key))[0] == 503)
        status, problem = exchange(address, post("/v1/score", BODY, key))
        assert (status, problem["code"]) == (503, "too_many_connections")
        for client in idle:
            client.close()
        wait_until(lambda: exchange(address, post("/v1/score", BODY, key))[0] == 200)
