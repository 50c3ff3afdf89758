"""The app with fakes on a real socket in this process, and raw connections to it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import uvicorn
from asking import wait_until
from fastapi import FastAPI

from triage_serving.protocol import LimitedProtocol
from triage_serving.server import bind

__all__ = ["Address", "exchange", "listening", "post"]

Address = tuple[str, int]


@contextmanager
def listening(app: FastAPI, **more: Any) -> Iterator[Address]:
    """Where the app answers; `more` is for uvicorn."""
    listener = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, http=LimitedProtocol, log_config=None, access_log=False, **more))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        wait_until(lambda: server.started and app.state.services.champion.current is not None, 60)
        yield listener.getsockname()
    finally:
        server.should_exit = True
        thread.join()


def post(path: str, body: bytes, headers: Mapping[str, str], *, length: int | None = None) -> bytes:
    """A whole POST request as it goes over the wire; `length` claims another length than the body has."""
    lines = {
        "Host": "test",
        "Content-Type": "application/json",
        "Content-Length": str(len(body) if length is None else length),
        "Connection": "close",
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def exchange(address: Address, *parts: bytes) -> tuple[int, dict[str, object]]:
    """Send the parts, read until the server closes; status 0 where it closes without an answer."""
    with socket.create_connection(address, timeout=60) as client:
        for part in parts:
            client.sendall(part)
        said = b"".join(iter(lambda: client.recv(65_536), b""))
    if not said:
        return 0, {}
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)
