"""Log lines: all that can be written is, and a reader that is stuck holds up nobody."""

from __future__ import annotations

import logging
import threading
import time

import orjson
from asking import wait_until

from triage_serving.logs import MOST_LINES, LineWriter, WriterHandler


class Stream:
    """Keeps what is written; while `go` is cleared a write takes for ever."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.written = b""

    def write(self, data: bytes) -> None:
        self.go.wait(60)
        self.written += data

    def flush(self) -> None:
        pass

    @property
    def lines(self) -> list[bytes]:
        return self.written.splitlines()


def test_lines_come_in_their_order() -> None:
    stream = Stream()
    writer = LineWriter(stream)  # type: ignore[arg-type]
    writer.info(b"1")
    writer.warning(b"2")
    writer.info(b"3")
    writer.flush(timeout=60)
    assert stream.lines == [b"1", b"2", b"3"]


def test_a_reader_that_is_stuck_holds_up_nobody_and_what_it_missed_is_counted() -> None:
    stream = Stream()
    writer = LineWriter(stream)  # type: ignore[arg-type]
    stream.go.clear()
    begun = time.monotonic()
    writer.error(b"first")
    wait_until(lambda: not writer._lines)
    for number in range(MOST_LINES + 7):
        writer.info(b"%d" % number)
    writer.warning(b"last")
    writer.flush(timeout=0.01)
    assert time.monotonic() - begun < 30
    stream.go.set()
    wait_until(lambda: b"last" in stream.lines)
    wait_until(lambda: b"log_lines_dropped" in stream.written)
    (said,) = [orjson.loads(line) for line in stream.lines if b"dropped" in line]
    assert (said["event"], said["lines"]) == ("log_lines_dropped", 8)
    assert len(stream.lines) == 1 + MOST_LINES + 1


def test_lines_of_libraries_go_the_same_way() -> None:
    stream = Stream()
    writer = LineWriter(stream)  # type: ignore[arg-type]
    WriterHandler(writer).emit(logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, "no %s", ("HTTP",), None))
    writer.flush(timeout=60)
    assert stream.lines == [b"no HTTP"]
