"""The gate's evidence: answers of champion and challenger to tickets that neither was trained on.

A training logs them with its version; where it could not, or the champion has changed since, both models are asked the
tickets of `triage promote --tickets`. A ticket counts as trained on where it was, or where one of its template was: the same
text but for what varies (`triage_ml.evaluate.template_fingerprints`). Runs hold ids and fingerprints of it, and no text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.answer import prepare, read_model
from triage_ml.errors import InputError
from triage_ml.evaluate import (
    Cost,
    answer_all,
    answer_table,
    slice_columns,
    stands_for,
    template_fingerprints,
    ticket_keys,
)
from triage_ml.settings import Settings
from triage_ml.text import ticket_text
from triage_training.gate_cost import measure_cost
from triage_training.registry import Registry, Version

__all__ = [
    "ANSWERS",
    "FEWEST_TICKETS",
    "SEEN",
    "Evidence",
    "answers_file",
    "are_unseen",
    "read_evidence",
    "seen_table",
]

SEEN = "gate/seen.parquet"
ANSWERS = "gate/answers.parquet"

#: Two models are compared on at least so many tickets.
FEWEST_TICKETS = 100


def answers_file(champion: Version) -> str:
    """Where a run keeps the answers of the champion of its day to its own test tickets."""
    return f"gate/champion-{champion.number}.parquet"


def seen_table(keys: Sequence[str], fingerprints: NDArray[np.uint64]) -> pd.DataFrame:
    """Tickets as runs keep those that were trained on: `ticket` (its key) and `template` (its fingerprint)."""
    return pd.DataFrame({"ticket": pd.array(list(keys), dtype="string"), "template": fingerprints})


def are_unseen(tickets: pd.DataFrame, seen: pd.DataFrame | None) -> NDArray[np.bool_]:
    """Which of `tickets` a training has not seen, neither them nor their template; shape (tickets,).

    Both are tables of `seen_table`; no training is known to have seen anything where `seen` is None, and nothing of templates
    where it has none.
    """
    if seen is None:
        return np.ones(len(tickets), dtype=bool)
    known = [name for name in ("ticket", "template") if name in seen]
    hits = [tickets[name].isin(seen[name]).to_numpy(dtype=bool) for name in known]
    unseen: NDArray[np.bool_] = ~np.logical_or.reduce(hits)
    return unseen


class Evidence:
    """Answers of both models to tickets that neither has seen."""

    def __init__(self, registry: Registry, settings: Settings, scratch: Path) -> None:
        self._registry = registry
        self._settings = settings
        self._scratch = scratch

    def from_training(
        self, version: Version, champion: Version | None
    ) -> tuple[pd.DataFrame, pd.DataFrame | None, Cost]:
        """What the version's training logged."""
        evidence = read_evidence(version, self._registry, self._scratch)
        if evidence is None:
            raise InputError(
                f"Version {version.number} was registered without answers to judge it by.",
                hint="Name labelled tickets: triage promote --tickets FILE.",
            )
        mine, cost = evidence
        mine = mine[stands_for(mine) > 0]  # others stand for those that stand for none
        if champion is None or champion.number == version.number:
            return mine, None, cost
        theirs = self._read(version, answers_file(champion))
        if theirs is None:
            raise InputError(
                f"Version {version.number} was trained before version {champion.number} became champion, or could not have its "
                "bundle, so they were not measured on the same tickets.",
                hint="Name labelled tickets that are later than both trainings: triage promote --tickets FILE.",
            )
        shared = mine[mine["ticket"].isin(theirs["ticket"])]
        _enough(len(shared))
        return shared, theirs, cost

    def from_tickets(
        self, version: Version, champion: Version | None, tickets: pd.DataFrame
    ) -> tuple[pd.DataFrame, pd.DataFrame | None, Cost]:
        """Both models asked now."""
        models = [version] if champion is None or champion.number == version.number else [version, champion]
        texts = prepare(ticket_text(tickets))
        asked = seen_table(ticket_keys(tickets, texts), template_fingerprints(texts))
        unseen = np.logical_and.reduce([are_unseen(asked, self._read(model, SEEN)) for model in models])
        kept = np.flatnonzero(unseen)
        kept = kept[stands_for(tickets.iloc[kept]) > 0].tolist()
        _enough(len(kept))
        rows, keys, texts = tickets.iloc[kept], asked["ticket"].iloc[kept].tolist(), [texts[row] for row in kept]
        tables = [_answers(self._registry.fetch(model), keys, texts, rows) for model in models]
        cost = measure_cost(self._registry.fetch(version), texts, self._settings)
        return tables[0], tables[1] if len(tables) > 1 else None, cost

    def _read(self, version: Version, name: str) -> pd.DataFrame | None:
        return _read(version, name, self._registry, self._scratch)


def read_evidence(version: Version, registry: Registry, scratch: Path) -> tuple[pd.DataFrame, Cost] | None:
    """What a training logged of its own version: answers to its test tickets, and the cost; None where it logged none."""
    answers = _read(version, ANSWERS, registry, scratch)
    if answers is None:
        return None
    figures = registry.figures(version)
    return answers, Cost(figures.get("cost.milliseconds", 0.0), figures.get("cost.megabytes", 0.0))


def _read(version: Version, name: str, registry: Registry, scratch: Path) -> pd.DataFrame | None:
    found = registry.file(version, name, scratch / str(version.number))
    return None if found is None else pd.read_parquet(found)


def _answers(bundle: Path, keys: list[str], texts: list[str], tickets: pd.DataFrame) -> pd.DataFrame:
    classifier = read_model(bundle).classifier
    return answer_table(keys, answer_all(classifier, texts), tickets, extra=slice_columns(tickets, texts))


def _enough(tickets: int) -> None:
    if tickets < FEWEST_TICKETS:
        raise InputError(
            f"Only {tickets} tickets are left that neither model was trained on, nor on one written like it; at least "
            f"{FEWEST_TICKETS} are needed to compare.",
            hint="Name more or later labelled tickets: triage promote --tickets FILE.",
        )
