"""Tickets that would be answered `auto` and are shown to a person all the same: how many of them are right is known by these.

Whether a ticket is picked has nothing to do with what it is: a hash of its id and of the model decides. So it is picked however
often it is asked, and another model picks others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from triage_ml.answer.verdicts import AUTO, Verdicts, reason_code

__all__ = ["PICKED_FOR_AUDIT", "is_picked", "pick_for_audit", "up_for_audit"]

#: Reason code of the tickets that are picked.
PICKED_FOR_AUDIT = "picked_for_audit"


def pick_for_audit(routing: Sequence[Verdicts], ticket_ids: Sequence[str], digest: str, share: float) -> None:
    """Make `share` of the tickets on which all routing targets are `auto` a suggestion; what an automation takes is left to it.

    Parameters
    ----------
    routing
        The verdicts of the routing targets, n tickets each; changed in place.
    ticket_ids
        Shape (n,).
    digest
        Of the model.
    """
    rows = np.flatnonzero(up_for_audit(routing))
    picked = rows[[is_picked(ticket_ids[row], digest, share) for row in rows.tolist()]] if len(rows) else rows
    for verdict in routing:
        verdict.cap(picked, PICKED_FOR_AUDIT)


def up_for_audit(routing: Sequence[Verdicts]) -> NDArray[np.bool_]:
    """The tickets of which a share is picked, before they are picked and after. Shape (n,)."""
    code = reason_code(PICKED_FOR_AUDIT)
    auto = np.logical_and.reduce([(verdict.action == AUTO) | (verdict.reason == code) for verdict in routing])
    automated = np.logical_or.reduce([verdict.reason == reason_code("automated") for verdict in routing])
    up: NDArray[np.bool_] = auto & ~automated
    return up


def is_picked(ticket_id: str, digest: str, share: float) -> bool:
    """Whether this ticket is one of the share, if the model with this digest would answer it `auto`."""
    drawn = hashlib.blake2b(f"{digest} {ticket_id}".encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(drawn, "big") < share * 2**64
