"""What uvicorn leaves open: a client that never finishes its head, or never reads its answer, would hold its connection for ever.

A head must be there within `HEAD_SECONDS` and `HEAD_BYTES`, also where blank lines or the rest of a body that nobody reads come
first; else the connection is closed without an answer. Bodies have limits of their own, see `bodies`. Of an answer the client
must take `WRITE_BYTES` every `WRITE_SECONDS`, or the connection is cut.

Who comes when there are too many connections is told so in the words of this API, not in uvicorn's.
"""

from __future__ import annotations

import asyncio

from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from triage_serving.problems import Problem

__all__ = ["LimitedProtocol"]

HEAD_SECONDS = 10.0
HEAD_BYTES = 64 * 1024
WRITE_SECONDS = 30.0
WRITE_BYTES = 64 * 1024


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 with limits on the head of a request, and on how long its answer may lie here."""

    _in_head = False
    _head_bytes = 0
    _head_timer: asyncio.TimerHandle | None = None
    _unwritten = 0
    _write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first head is due."""
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        self._stop_timer()
        self._stop_write_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is complete, and its request begins."""
        self._in_head = False
        self._stop_timer()
        limit, app = self.limit_concurrency, self.app
        if limit is not None and (len(self.connections) >= limit or len(self.tasks) >= limit):
            self.app = _refuse
        self.limit_concurrency = None
        try:
            super().on_headers_complete()
        finally:
            self.limit_concurrency, self.app = limit, app

    def data_received(self, data: bytes) -> None:
        """Nearly always a whole head, and then there is nothing to watch."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._give_up()
        elif self.cycle is not None and not self.cycle.response_complete:
            return
        if self._head_timer is None:
            self._start_timer()

    def pause_writing(self) -> None:
        """Much is written that the client did not take."""
        super().pause_writing()
        self._watch_writing()

    def resume_writing(self) -> None:
        """The client takes it."""
        super().resume_writing()
        self._stop_write_timer()

    def on_response_complete(self) -> None:
        """An answer is written, as far as the app is concerned."""
        super().on_response_complete()
        self._watch_writing()

    def _start_timer(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _watch_writing(self) -> None:
        """From the last write on: who has just been given something has time again, and nothing more is written while it lies."""
        self._stop_write_timer()
        self._unwritten = self.transport.get_write_buffer_size()
        if self._unwritten:
            self._write_timer = self.loop.call_later(WRITE_SECONDS, self._look_at_writing)

    def _look_at_writing(self) -> None:
        self._write_timer = None
        left = self.transport.get_write_buffer_size()
        if left and left > self._unwritten - WRITE_BYTES:
            self.transport.abort()
        else:
            self._watch_writing()

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _give_up(self) -> None:
        self._stop_timer()
        if not self.transport.is_closing():
            self.transport.close()


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    detail = "Too many connections are open; try again shortly."
    problem = Problem(503, "too_many_connections", detail, headers={"Retry-After": "1", "Connection": "close"})
    await problem.response("")(scope, receive, send)
