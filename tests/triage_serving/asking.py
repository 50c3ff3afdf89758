"""What tests of the service ask, and how they wait for what another thread or process will do."""

from __future__ import annotations

import time
from collections.abc import Callable

TICKET = {"ticket_id": "INC0012345", "title": "Locked out", "description": "My password expired."}


def wait_until(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    """Return when it holds; fail where it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
