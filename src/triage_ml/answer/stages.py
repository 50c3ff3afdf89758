"""How long each step of batch scoring takes, so that the slow one can be seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

__all__ = ["STAGES", "Stages"]

#: In the order in which a ticket goes through them.
STAGES = ("read", "clean", "redact", "features", "heads", "decide", "write")

Result = TypeVar("Result")


class Stages:
    """Seconds by stage; those of several processes add up."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = dict.fromkeys(STAGES, 0.0)

    def timed(self, stage: str, work: Callable[[], Result]) -> Result:
        """Do it, and add its time to the stage."""
        begin = time.perf_counter()
        result = work()
        self.seconds[stage] += time.perf_counter() - begin
        return result

    def add(self, seconds: Mapping[str, float]) -> None:
        """What another process measured."""
        for stage, spent in seconds.items():
            self.seconds[stage] += spent
