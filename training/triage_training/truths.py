"""What is known of a closed ticket, for all who learn from outcomes, judge by them or watch them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triage_ml.store import ClosedTicket

__all__ = ["LOOKED_AT", "given_answers", "known_labels"]

#: Sources of outcomes that say that a person saw the answer.
LOOKED_AT = ("person_corrected", "person_confirmed")
_STOOD = ("person_confirmed", "closed_untouched")


def given_answers(closed: ClosedTicket) -> Mapping[str, Mapping[str, Any]]:
    """The answers that the ticket was given, by target; empty where it was never scored."""
    found: Mapping[str, Mapping[str, Any]] = closed.prediction.answer.get("targets", {}) if closed.prediction else {}
    return found


def known_labels(closed: ClosedTicket) -> dict[str, Any]:
    """Labels by target: those that were reported and, where the answer stood, what was answered for targets not named.

    A correction says nothing of the targets that it does not name.
    """
    reported = dict(closed.outcome.labels)
    if closed.outcome.source not in _STOOD:
        return reported
    return {name: answer.get("value") for name, answer in given_answers(closed).items()} | reported
