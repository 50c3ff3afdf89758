"""Structured logs: one JSON object a line on stderr, ours and those of the libraries. Never ticket text.

Lines about requests are written by a thread, some at a time: a system call for each would cost every request its turn on the
interpreter. What is a warning or worse is written at once, and with it all that came before.
"""

from __future__ import annotations

import atexit
import logging
import sys
import threading
from collections import deque
from typing import Any, BinaryIO

import orjson
import structlog

__all__ = ["LineWriter", "configure_logs"]

FLUSH_SECONDS = 0.2


class LineWriter:
    """Collects lines and writes them to a stream; `flush` writes what is there."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lines: deque[bytes] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def debug(self, line: bytes) -> None:
        """Take a line."""
        self._lines.append(line)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
            self._thread.start()

    info = debug

    def warning(self, line: bytes) -> None:
        """Take a line that must not be lost."""
        self._lines.append(line)
        self.flush()

    error = critical = warning

    def flush(self) -> None:
        """Write the lines so far; a stream that is gone swallows them."""
        with self._lock:
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            if lines:
                try:
                    self._stream.write(b"\n".join(lines) + b"\n")
                    self._stream.flush()
                except (OSError, ValueError):
                    return

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(FLUSH_SECONDS):
            self.flush()


def configure_logs() -> None:
    """Set up structlog and the standard library's logging of this process."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    writer = LineWriter(sys.stderr.buffer)
    atexit.register(writer.flush)
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_line)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: writer,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
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
