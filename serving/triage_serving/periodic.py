"""Something done again and again in a background thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

__all__ = ["Periodic"]

log = structlog.get_logger("triage.periodic")


class Periodic:
    """Runs `task` at once and then every `seconds`, in a thread of its own, until `stop`."""

    def __init__(self, name: str, seconds: float, task: Callable[[], object]) -> None:
        self._name = name
        self._seconds = seconds
        self._task = task
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout: float = 1.0) -> None:
        """Ask it to end, and wait a moment; a call that hangs is left to the end of the process."""
        self._stopped.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._task()
            except Exception as error:  # noqa: BLE001 - the next round may work; a thread that ended never would
                log.error("periodic_task_failed", task=self._name, kind=type(error).__name__)
            self._stopped.wait(self._seconds)
