"""The whole round in one command, fit for cron: export, check, train, compare, challenger.

Safe to run twice: the same tickets make the same model, and a model that is registered already is not registered again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from triage_ml.errors import InputError
from triage_ml.settings import Settings
from triage_ml.store import open_store
from triage_ml.taxonomy import Taxonomy
from triage_training.gate_job import Judgement, judge
from triage_training.outcomes_job import Exported, export_outcomes
from triage_training.promotion import open_champions
from triage_training.registry import Registry, Version
from triage_training.train import Trained, train
from triage_training.train_job import check_ready, register_model

__all__ = ["Retrained", "retrain"]

Step = Callable[[str], None]


@dataclass(frozen=True)
class Retrained:
    """What came of it. `judgement` is what the gate would say now; None for a first version or one that is not new."""

    exported: Exported | None
    trained: Trained
    version: Version
    is_new: bool
    judgement: Judgement | None
    notes: list[str] = field(default_factory=list)


def retrain(
    settings: Settings,
    taxonomy: Taxonomy,
    *,
    history: pd.DataFrame | None = None,
    untouched: float = 0.25,
    step: Step = lambda _: None,
) -> Retrained:
    """Train on what came back, together with `history` (an export of tickets labelled elsewhere), and judge the result.

    Raises
    ------
    InputError
        Nothing came back, and there is no history either.
    """
    registry = Registry(settings)
    check_ready(settings, registry)
    step("collecting outcomes")
    exported, notes = _export(settings, history, untouched)
    tickets = _together(exported, history)
    trained = train(tickets, settings, step=step)
    known = {version.data_sha256: version for version in registry.versions()}
    before = known.get(trained.profile["sha256"])
    if before is not None:
        notes.append(f"Version {before.number} was trained on the same tickets: nothing new is registered.")
        return Retrained(exported, trained, before, False, None, notes)
    registered = register_model(trained, taxonomy, settings, registry, step=step)
    step("comparing with the champion")
    with open_champions(settings, registry) as champions:
        champion = champions.current().champion
    if champion is None or champion.number == registered.version.number:
        return Retrained(exported, trained, registered.version, True, None, notes)
    try:
        judgement = judge(registered.version, champion, registry, settings, tickets=None)
    except InputError as error:
        return Retrained(exported, trained, registered.version, True, None, [*notes, error.message])
    return Retrained(exported, trained, registered.version, True, judgement, notes)


def _export(settings: Settings, history: pd.DataFrame | None, untouched: float) -> tuple[Exported | None, list[str]]:
    store = open_store(settings.store_url)
    try:
        return export_outcomes(store, tickets=history, untouched=untouched), []
    except InputError as error:
        if history is None:
            raise
        return None, [error.message]
    finally:
        store.close()


def _together(exported: Exported | None, history: pd.DataFrame | None) -> pd.DataFrame:
    """Outcomes win over the history's row of the same ticket: they are later, and say who looked."""
    if exported is None:
        assert history is not None  # noqa: S101 - `_export` raised else
        return history
    if history is None:
        return exported.tickets
    kept = history[~history["ticket_id"].isin(exported.tickets["ticket_id"])].assign(label_weight=1.0)
    return pd.concat([kept, exported.tickets], ignore_index=True)
