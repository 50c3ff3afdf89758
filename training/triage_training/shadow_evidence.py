"""What the service saw: the challenger's answers in the champion's shadow, on tickets that people have looked at since.

Only tickets that the champion did not decide by itself count: a person saw each of them, whoever was right. Of those that it
decided `auto`, people see the ones that went wrong, and the label of the rest is its own answer: to count them would hold the
champion's mistakes against it and nothing for it, or the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd

from triage_ml.settings import Settings
from triage_ml.store import ClosedTicket, closed_tickets, open_store, shadows_of
from triage_training.truths import LOOKED_AT, given_answers, known_labels
from triage_training.versions import Version

__all__ = ["shadow_answers"]

#: MLflow and the store may be on machines whose clocks differ.
_CLOCKS = timedelta(hours=1)


def shadow_answers(version: Version, champion: Version, settings: Settings) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """Answer tables of the version and of the champion on the same live tickets; None where there are none."""
    since = datetime.fromtimestamp(version.created, UTC) - _CLOCKS  # it had no shadow before
    store = open_store(settings.store_url)
    try:
        with store.read() as connection:
            closed = {
                one.prediction.prediction_id: one
                for one in closed_tickets(connection, since=since)
                if one.prediction is not None
                and one.prediction.action != "auto"
                and one.outcome.source in LOOKED_AT
                and one.prediction.model_version == str(champion.number)
            }
            shadows = [one for one in shadows_of(connection, closed) if one.model_version == str(version.number)]
    finally:
        store.close()
    if not shadows:
        return None
    pairs = [(shadow, closed[shadow.prediction_id]) for shadow in shadows]
    targets = sorted({name for shadow, _ in pairs for name in shadow.targets})
    mine = [_row(one, shadow.targets, targets) for shadow, one in pairs]
    theirs = [_row(one, given_answers(one), targets) for _, one in pairs]
    return pd.DataFrame(mine), pd.DataFrame(theirs)


def _row(closed: ClosedTicket, answers: Mapping[str, Mapping[str, Any]], targets: list[str]) -> dict[str, Any]:
    """One row of an answer table."""
    labels = known_labels(closed)
    row: dict[str, Any] = {"ticket": closed.outcome.ticket_id}
    for name in targets:
        answer = answers.get(name, {})
        row |= {
            f"{name}_truth": labels.get(name),
            name: answer.get("value"),
            f"{name}_probability": answer.get("probability", float("nan")),
            f"{name}_auto": answer.get("action") == "auto",
        }
    return row
