"""Before a stopping service closes its socket it says so: `/readyz` falls, and who shares out requests sends no more.

uvicorn closes the socket as soon as SIGTERM comes; a load balancer that asks every few seconds would then send requests into
nothing. So SIGTERM first makes the service unready, and reaches uvicorn a moment later. A second one changes nothing: systemd
sends it to every process, and the supervisor once more to its workers. Ctrl-C ends it at once.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import structlog

from triage_serving.readiness import Readiness

__all__ = ["announced"]

log = structlog.get_logger("triage.draining")


@contextmanager
def announced(readiness: Readiness, seconds: float) -> Iterator[None]:
    """Within it SIGTERM makes the service unready for `seconds`, then does what it did before; for the event loop's thread."""
    before = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or not callable(before) or seconds <= 0:
        yield
        return
    loop = asyncio.get_running_loop()

    def end(number: int, frame: FrameType | None) -> None:
        if readiness.draining:
            return
        readiness.draining = True
        loop.call_soon_threadsafe(_later, loop, seconds, lambda: before(number, frame))

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _later(loop: asyncio.AbstractEventLoop, seconds: float, end: Callable[[], object]) -> None:
    log.info("draining", socket_closes_in_seconds=seconds)
    loop.call_later(seconds, end)
