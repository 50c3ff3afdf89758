"""What tests of the service ask, and how they wait for what another thread or process will do."""

from __future__ import annotations

import time
from collections.abc import Callable

TICKET = {"ticket_id": "INC0012345", "title": "Locked out", "description": "My password expired."}


def comes_true(holds: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Whether it holds, now or within so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def wait_until(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    """Return when it holds; fail where it does not in time."""
    assert comes_true(holds, seconds), "it did not happen in time"
