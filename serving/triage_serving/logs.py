"""Structured logs: one JSON object a line on stderr, ours and those of the libraries. Never ticket text.

All lines are written by a thread, some at a time: a system call for each would cost every request its turn on the interpreter,
and a reader of stderr that is stuck would stop the service. What is a warning or worse is written without delay, and with it all
that came before.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections import deque
from multiprocessing.util import Finalize
from typing import Any, BinaryIO

import orjson
import structlog

__all__ = ["LineWriter", "WriterHandler", "configure_logs"]

FLUSH_SECONDS = 0.2
MOST_LINES = 10_000


class LineWriter:
    """Collects lines; a thread writes them to a stream. Who logs never waits for who reads.

    Of lines that nobody takes the newest `MOST_LINES` are kept, and the others counted in a line of their own.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lines: deque[bytes] = deque(maxlen=MOST_LINES)
        self._dropped = 0
        self._lock = threading.Lock()
        self._hurry = threading.Event()
        self._thread: threading.Thread | None = None

    def debug(self, line: bytes) -> None:
        """Take a line."""
        if len(self._lines) == MOST_LINES:
            self._dropped += 1
        self._lines.append(line)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
            self._thread.start()

    info = debug

    def warning(self, line: bytes) -> None:
        """Take a line that is written at once."""
        self.debug(line)
        self._hurry.set()

    error = critical = warning

    def flush(self, timeout: float = FLUSH_SECONDS) -> None:
        """Write the lines so far; a stream that is gone swallows them, one that is stuck is given up on."""
        if not self._lock.acquire(timeout=timeout):
            return
        try:
            self._write()
        finally:
            self._lock.release()

    def _write(self) -> None:
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        if self._dropped:
            lines.append(_line({"event": "log_lines_dropped", "level": "warning", "lines": self._dropped}))
            self._dropped = 0
        if lines:
            try:
                self._stream.write(b"\n".join(lines) + b"\n")
                self._stream.flush()
            except (OSError, ValueError):
                return

    def _run(self) -> None:
        while True:
            self._hurry.wait(FLUSH_SECONDS)
            self._hurry.clear()
            self.flush()


class WriterHandler(logging.Handler):
    """Lines of the standard library's logging, through the same writer."""

    def __init__(self, writer: LineWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        try:
            line = self.format(record).encode()
        except Exception:  # noqa: BLE001 - as in the standard library, a line that can't be made fails nobody
            self.handleError(record)
        else:
            (self._writer.warning if record.levelno >= logging.WARNING else self._writer.info)(line)


def configure_logs() -> None:
    """Set up structlog and the standard library's logging of this process."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    writer = LineWriter(sys.stderr.buffer)
    Finalize(None, writer.flush, exitpriority=0)  # also at the end of a forked worker, where atexit is not heeded
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_line)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: writer,
        cache_logger_on_first_use=True,
    )
    handler = WriterHandler(writer)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=lambda event, **_: _line(event).decode()),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(True)  # MLflow warns a lot, and every line must be JSON
    logging.getLogger("uvicorn.error").setLevel(logging.INFO)


def _line(event: dict[str, Any], **_: Any) -> bytes:
    return orjson.dumps(event, default=str)
