"""What routes hand to the worker thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from triage_ml.store import Once, Outcome

__all__ = ["Job", "OutcomeJob", "Result", "ScoreJob"]


@dataclass(frozen=True)
class ScoreJob:
    """The tickets of one request."""

    tickets: Sequence[dict[str, Any]]
    include_all: bool = False
    once: Once | None = None

    @property
    def size(self) -> int:
        """How much of the queue it takes."""
        return len(self.tickets)


@dataclass(frozen=True)
class OutcomeJob:
    """One reported outcome."""

    outcome: Outcome
    once: Once | None = None

    @property
    def size(self) -> int:
        """How much of the queue it takes."""
        return 1


Job = ScoreJob | OutcomeJob

#: What a request is answered with, one entry a ticket or outcome; or why it can't be.
Result = list[dict[str, Any]] | Exception
