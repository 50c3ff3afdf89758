"""Heads that never end, over a real socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from asking import wait_until

from triage_serving import protocol
from triage_serving.server import bind


async def hello(_scope: object, _receive: object, send: object) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})  # type: ignore[operator]
    await send({"type": "http.response.body", "body": b"hi"})  # type: ignore[operator]


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """A server that waits half a second for a head."""
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.5)
    listener = bind("127.0.0.1", 0)
    config = uvicorn.Config(hello, http=protocol.LimitedProtocol, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    wait_until(lambda: server.started, 60)
    yield listener.getsockname()
    server.should_exit = True
    thread.join()


def said(address: tuple[str, int], *parts: bytes) -> bytes:
    """All that comes back until the server closes."""
    with socket.create_connection(address, timeout=60) as client:
        try:
            for part in parts:
                client.sendall(part)
            return b"".join(iter(lambda: client.recv(4096), b""))
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize(
    "parts",
    [(), (b"GET / HT",), (b"GET / HTTP/1.1\r\nHost: a\r\nX-Half: ",)],
    ids=["nothing", "half a line", "half a head"],
)
def test_a_head_that_does_not_come_ends_the_connection(address: tuple[str, int], parts: tuple[bytes, ...]) -> None:
    assert said(address, *parts) == b""


def test_a_head_that_is_too_long_ends_the_connection(address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 3600)
    assert said(address, b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 1_000_000) == b""


def test_a_head_in_two_parts_is_answered(address: tuple[str, int]) -> None:
    answer = said(address, b"GET / HTTP/1.1\r\nHost: a\r\n", b"Connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"hi")
