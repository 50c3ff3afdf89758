"""The whole round in one command, fit for cron: export, check, train, compare, challenger.

Safe to run twice: what would be learnt from is fingerprinted before anything is fitted, and a version that was trained on the
same tickets with the same settings is not made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd

from triage_ml import __version__
from triage_ml.errors import InputError
from triage_ml.settings import Settings
from triage_ml.store import Store, open_store
from triage_ml.taxonomy import Taxonomy
from triage_ml.tickets import TEXT_COLUMNS
from triage_training.check_job import check_tickets
from triage_training.gate_job import Judgement, judge
from triage_training.outcomes_job import Exported, export_outcomes
from triage_training.promotion import open_champions
from triage_training.registry import Registry, Version
from triage_training.train import Trained, train
from triage_training.train_job import Extras, check_ready, register_model, resume_alias

__all__ = ["Retrained", "input_fingerprint", "join_history", "retrain"]

#: What an outcome says of its label, beside the label itself.
_OF_THE_LABEL = ("label_source", "label_weight", "label_stands_for", "label_audit_share")

Step = Callable[[str], None]


@dataclass(frozen=True)
class Retrained:
    """What came of it.

    `trained` is None where a version of the same tickets is there already. `judgement` is what the gate would say now; None
    for a first version or one that is not new. `notes` are what a reader should know, the advice of the check among them.
    """

    exported: Exported | None
    trained: Trained | None
    version: Version
    judgement: Judgement | None
    notes: list[str] = field(default_factory=list)

    @property
    def is_new(self) -> bool:
        """Whether a version was registered."""
        return self.trained is not None


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
    AlreadyRunningError
        Another retrain is under way on the same store; this one has done nothing.
    StoreError
        The store can't be used, or its lock was lost during the training; nothing is registered.
    """
    store = open_store(settings.store_url)
    try:
        with store.only_one("retrain") as still_alone:
            return _retrain(store, settings, taxonomy, history, untouched, step, still_alone)
    finally:
        store.close()


def _retrain(
    store: Store,
    settings: Settings,
    taxonomy: Taxonomy,
    history: pd.DataFrame | None,
    untouched: float,
    step: Step,
    still_alone: Callable[[], None],
) -> Retrained:
    registry = Registry(settings)
    notes: list[str] = []
    check_ready(settings, registry, tell=notes.append)
    step("collecting outcomes")
    exported, said = _export(store, settings, history, untouched)
    notes += said
    tickets = join_history(exported, history, targets=settings.train.targets)
    fingerprint = input_fingerprint(tickets, settings, taxonomy)
    same = (version for version in registry.versions() if version.input_sha256 == fingerprint)
    before = next((version for version in same if registry.is_whole(version)), None)
    if before is not None:
        notes.append(f"Version {before.number} was trained on the same tickets: nothing new is registered.")
        return Retrained(exported, None, resume_alias(before, settings, registry), None, notes)
    step("checking labels")
    notes += check_tickets(tickets, settings, taxonomy, curve=False, step=step).advice
    trained = train(tickets, settings, step=step)
    still_alone()
    registered = register_model(
        trained,
        taxonomy,
        settings,
        registry,
        extras=Extras(tags={"input_sha256": fingerprint, "how": "retrain"}),
        step=step,
    )
    judgement, said = _against_champion(registered.version, registry, settings, step)
    return Retrained(exported, trained, registered.version, judgement, [*notes, *said])


def input_fingerprint(tickets: pd.DataFrame, settings: Settings, taxonomy: Taxonomy) -> str:
    """Tells apart what would be made: ids, texts, labels, weights, the taxonomy, settings that training reads, our version.

    The order of tickets does not count.
    """
    columns = [
        *("ticket_id", *TEXT_COLUMNS, "label_weight", "label_stands_for", "label_audit_share", "opened_at"),
        *settings.train.targets,
    ]
    known = tickets.reindex(columns=columns).sort_values("ticket_id", kind="stable").reset_index(drop=True)
    digest = hashlib.sha256(pd.util.hash_pandas_object(known.astype("string"), index=False).to_numpy().tobytes())
    read = {"train": settings.train.model_dump(), "decision": settings.decision.model_dump(), "version": __version__}
    read["taxonomy"] = taxonomy.to_dict()
    digest.update(json.dumps(read, sort_keys=True, default=str).encode())
    return digest.hexdigest()


def _against_champion(
    version: Version, registry: Registry, settings: Settings, step: Step
) -> tuple[Judgement | None, list[str]]:
    """What the gate would say of a version that is not champion itself."""
    step("comparing with the champion")
    with open_champions(settings, registry) as champions:
        champion = champions.current().champion
    if champion is None or champion.number == version.number:
        return None, []
    try:
        return judge(version, champion, registry, settings, tickets=None), []
    except InputError as error:
        return None, [error.message]


def _export(
    store: Store, settings: Settings, history: pd.DataFrame | None, untouched: float
) -> tuple[Exported | None, list[str]]:
    since = datetime.now(UTC) - timedelta(days=settings.train.outcome_days)
    try:
        return export_outcomes(store, since=since, tickets=history, untouched=untouched), []
    except InputError as error:
        if history is None:
            raise
        return None, [error.message]


def join_history(
    exported: Exported | None, history: pd.DataFrame | None, *, targets: Sequence[str] = ("tier", "category")
) -> pd.DataFrame:
    """Outcomes and history as one table, a row a ticket.

    An outcome is later and says who looked, so its labels win over the history's, column by column; but what a person wrote
    into the history wins over an answer that nobody looked at. Who looked and what a ticket weighs is the outcome's to say either
    way; weights of the history are kept for the other tickets, 1 where it has none.
    """
    if exported is None:
        assert history is not None  # noqa: S101 - `_export` raised else
        return history
    if history is None:
        return exported.tickets
    weights = history["label_weight"] if "label_weight" in history else pd.Series(np.nan, history.index)
    history = history.assign(label_weight=pd.to_numeric(weights, errors="coerce").fillna(1.0))
    if "label_stands_for" not in history:
        history = history.assign(label_stands_for=1.0)
    outcomes = exported.tickets
    history = _with_source(history, outcomes.set_index("ticket_id"))
    untouched = outcomes["label_source"].str.endswith("_untouched")
    labelled = history.reindex(columns=list(targets)).notna().any(axis=1)
    replaced = ~untouched | ~outcomes["ticket_id"].isin(history.loc[labelled, "ticket_id"])
    later = _filled(outcomes[replaced], history.drop_duplicates("ticket_id").set_index("ticket_id"))
    return pd.concat([history[~history["ticket_id"].isin(later["ticket_id"])], later], ignore_index=True)


def _with_source(history: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """The history, saying of tickets in `outcomes` (by `ticket_id`) what came back: a re-export knows nothing of who looked."""
    told = history["ticket_id"].isin(outcomes.index)
    columns = {}
    for name in (name for name in _OF_THE_LABEL if name in outcomes):
        theirs = history[name] if name in history else pd.Series(None, history.index, dtype=outcomes[name].dtype)
        columns[name] = theirs.where(~told, history["ticket_id"].map(outcomes[name]))
    return history.assign(**columns)


def _filled(outcomes: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Outcomes, and what they leave open as the history has it; columns that describe the outcome itself stay as they are."""
    rows = outcomes.set_index("ticket_id")
    theirs = history.reindex(rows.index).drop(columns=[*_OF_THE_LABEL], errors="ignore")
    joined = rows.combine_first(theirs).reindex(rows.index).reset_index()
    if "tier" in joined:  # who would have solved what an automation did is not known
        joined["tier"] = joined["tier"].mask((joined["label_source"] == "automation") & (joined["tier"] == "L0"))
    return joined
