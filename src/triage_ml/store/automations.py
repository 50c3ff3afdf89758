"""What scoring is to answer by itself: the automations in force, after what became of their patterns."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from triage_ml.store.decisions import standings
from triage_ml.store.patterns import merged_patterns

__all__ = ["automations_in_force"]


def automations_in_force(connection: sa.Connection, *, today: date) -> dict[str, dict[str, Any]]:
    """Pattern id -> `candidate`, `reference` and `mode` of its automation, for what is automated today.

    Tickets of a pattern that was merged are recognised as those of the pattern that goes on. If nobody automated that one,
    it has the automation of the merged one, but as `suggest`: nobody decided that it may act on the others' tickets.
    """
    found = {
        pattern_id: {"candidate": pattern_id, "reference": standing.reference, "mode": standing.mode}
        for pattern_id, standing in sorted(standings(connection, today=today).items())
        if standing.status == "automated" and (standing.since is None or standing.since <= today)
    }
    for merged, goes_on in sorted(merged_patterns(connection).items()):
        if merged in found:
            found.setdefault(goes_on, {**found[merged], "mode": "suggest"})
    return found
