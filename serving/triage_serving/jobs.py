"""What routes hand to the worker, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from triage_ml.store import Once, Outcome

__all__ = ["Answered", "Job", "OutcomeJob", "Part", "Result", "ScoreJob", "Scored", "characters_of"]


@dataclass(frozen=True, slots=True)
class ScoreJob:
    """The tickets of one request."""

    tickets: Sequence[dict[str, Any]]
    include_all: bool = False
    once: Once | None = None

    @property
    def size(self) -> int:
        """How much of the queue it takes."""
        return len(self.tickets)


@dataclass(frozen=True, slots=True)
class OutcomeJob:
    """One reported outcome."""

    outcome: Outcome
    once: Once | None = None

    @property
    def size(self) -> int:
        """How much of the queue it takes."""
        return 1


@dataclass(slots=True)
class Part:
    """Some tickets of a job, to be scored in one turn. `model` answered the earlier parts; None where this is the first."""

    tickets: Sequence[dict[str, Any]]
    include_all: bool
    model: Any
    characters: int


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer, and the bytes of it that are stored and sent."""

    answer: dict[str, Any]
    body: bytes


Job = ScoreJob | OutcomeJob

#: Answers that are not durable yet, one a ticket (none for an outcome); or why there are none.
Scored = list[Answered] | Exception

#: What a request is answered with, JSON, one entry a ticket or outcome; or why it can't be.
Result = list[bytes] | Exception


def characters_of(ticket: Mapping[str, Any]) -> int:
    """How long the text of a ticket is: what scoring it takes goes with that."""
    return len(ticket.get("title", "")) + len(ticket.get("description", ""))
