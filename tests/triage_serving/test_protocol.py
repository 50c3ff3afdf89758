"""Heads that never end, over a real socket."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from asking import comes_true, wait_until

from triage_serving import protocol
from triage_serving.server import bind

LONG = 20_000_000


async def hello(scope: Any, _receive: object, send: Any) -> None:
    """`hi`, and at `/long` very much of it; the body is never read."""
    body = b"h" * LONG if scope["path"] == "/long" else b"hi"
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[uvicorn.Server]:
    """A server that waits half a second for a head, and as long for a client to take what was written."""
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(protocol, "WRITE_SECONDS", 0.5)
    listener = bind("127.0.0.1", 0)
    config = uvicorn.Config(hello, http=protocol.LimitedProtocol, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    wait_until(lambda: server.started, 60)
    yield server
    server.should_exit = True
    thread.join()


@pytest.fixture
def address(server: uvicorn.Server) -> tuple[str, int]:
    address: tuple[str, int] = server.servers[0].sockets[0].getsockname()
    return address


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
    [(), (b"\r\n",), (b"GET / HT",), (b"GET / HTTP/1.1\r\nHost: a\r\nX-Half: ",)],
    ids=["nothing", "a blank line", "half a line", "half a head"],
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


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"


@pytest.mark.parametrize(
    ("first", "then"),
    [(GET, b"\r\n"), (GET, b"G"), (POST + b"ab", b"c"), (POST, b"c" * 1000)],
    ids=["a blank line", "half a line", "more of a body that nobody reads", "the rest of it"],
)
def test_a_second_head_that_does_not_come_ends_the_connection(
    address: tuple[str, int], first: bytes, then: bytes
) -> None:
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(first)
        assert client.recv(4096).endswith(b"hi")
        client.sendall(then)
        assert client.recv(4096) == b""


def test_blank_lines_again_and_again_end_the_connection(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=10) as client:

        def is_cut() -> bool:
            try:
                client.sendall(b"\r\n")
            except OSError:
                return True
            return False

        assert comes_true(is_cut, 10)


def test_a_connection_that_is_kept_is_answered_again(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=10) as client:
        for part in (GET, b"\r\n" + GET, POST + b"c" * 1000, GET):
            client.sendall(part)
            assert client.recv(4096).endswith(b"hi")


@pytest.mark.parametrize(
    "asked",
    [
        b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /long HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n" * 3,
    ],
    ids=["kept", "closed", "several at once"],
)
def test_who_does_not_read_the_answer_loses_the_connection(
    server: uvicorn.Server, address: tuple[str, int], asked: bytes
) -> None:
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(asked)
        assert comes_true(lambda: len(server.server_state.connections) == 1)
        assert comes_true(lambda: not server.server_state.connections, 10)


def test_who_reads_slowly_gets_all(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(b"GET /long HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        read = 0
        while data := client.recv(LONG // 20):
            read += len(data)
            time.sleep(0.05)
    assert read > LONG


class Pipe:
    """A transport whose client takes nothing until it is told to."""

    def __init__(self) -> None:
        self.unwritten = 0
        self.is_cut = False

    def get_write_buffer_size(self) -> int:
        return self.unwritten

    def abort(self) -> None:
        self.is_cut = True


@pytest.mark.parametrize(
    ("sizes", "is_cut"),
    [
        ([1000, 0], False),
        ([1000, 1000], True),
        ([1_000_000, 800_000, 600_000, 400_000, 200_000, 0], False),
        ([1_000_000, 800_000, 790_000], True),
    ],
    ids=["taken", "not taken", "taken slowly", "taken too slowly"],
)
def test_an_answer_must_be_taken_in_time(sizes: list[int], is_cut: bool) -> None:
    async def scenario() -> bool:
        watched = object.__new__(protocol.LimitedProtocol)
        watched.loop, watched.transport = asyncio.get_running_loop(), (pipe := Pipe())  # type: ignore[assignment]
        pipe.unwritten = sizes[0]
        watched._watch_writing()
        for pipe.unwritten in sizes[1:]:
            assert watched._write_timer is not None
            watched._look_at_writing()
        watched._stop_write_timer()
        return pipe.is_cut

    assert asyncio.run(scenario()) is is_cut


def test_what_was_just_written_has_its_own_time() -> None:
    async def scenario() -> None:
        watched = object.__new__(protocol.LimitedProtocol)
        watched.loop, watched.transport = asyncio.get_running_loop(), (pipe := Pipe())  # type: ignore[assignment]
        pipe.unwritten = 10
        watched._watch_writing()
        first = watched._write_timer
        assert first is not None
        pipe.unwritten = 1_000_000
        watched._watch_writing()
        assert first.cancelled()
        watched._stop_write_timer()

    asyncio.run(scenario())
