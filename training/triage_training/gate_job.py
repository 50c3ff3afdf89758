"""The gate's evidence: what a training logs for it, and what `triage promote` judges a version by."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from triage_ml.answer import Answerer, prepare, read_model
from triage_ml.errors import InputError
from triage_ml.evaluate import (
    Check,
    Cost,
    Limits,
    absolute_checks,
    answer_all,
    answer_table,
    join_answers,
    paired_checks,
    slice_columns,
    ticket_keys,
)
from triage_ml.settings import Settings
from triage_ml.text import ticket_text
from triage_training.registry import Registry, Version

__all__ = [
    "ANSWERS",
    "SEEN",
    "Judgement",
    "answers_file",
    "judge",
    "judge_first",
    "limits",
    "measure_cost",
    "tickets_for",
]

SEEN = "gate/seen.parquet"
ANSWERS = "gate/answers.parquet"

_TIMED = 40
_ROUNDS = 3
_FEWEST_TICKETS = 100


@dataclass(frozen=True)
class Judgement:
    """The checks of one version, on how many tickets, against which champion."""

    version: Version
    champion: Version | None
    tickets: int
    checks: list[Check]

    @property
    def passed(self) -> bool:
        """Whether all checks did."""
        return all(check.passed for check in self.checks)


def limits(settings: Settings) -> Limits:
    """The gate's limits as the settings have them."""
    return Limits(**settings.gate.model_dump())


def answers_file(champion: Version) -> str:
    """Where a run keeps the answers of the champion of its day to its own test tickets."""
    return f"gate/champion-{champion.number}.parquet"


def measure_cost(bundle: Path, texts: Sequence[str], settings: Settings) -> Cost:
    """What one answer takes, the best of three medians (a busy machine only ever adds), and the bundle's size."""
    answerer = Answerer(read_model(bundle), settings.decision)
    tickets = [{"ticket_id": "timed", "description": text} for text in texts[:_TIMED]]
    medians = []
    for _ in range(_ROUNDS):
        times = []
        for ticket in tickets:
            begun = time.perf_counter()
            answerer.answer([ticket])
            times.append(time.perf_counter() - begun)
        medians.append(1000 * statistics.median(times))
    size = sum(file.stat().st_size for file in bundle.iterdir())
    return Cost(min(medians), size / 1e6)


def judge_first(answers: pd.DataFrame, cost: Cost, settings: Settings) -> list[Check]:
    """The checks of a version that replaces nobody."""
    return absolute_checks(answers, settings.decision.precision, cost, limits(settings))


def judge(
    version: Version, champion: Version | None, registry: Registry, settings: Settings, *, tickets: pd.DataFrame | None
) -> Judgement:
    """Judge a version against the champion, on `tickets` or on the test tickets of its own training.

    Tickets that either model was trained on don't count.

    Raises
    ------
    InputError
        The training logged no answers of this champion and no tickets are given, or too few tickets are left.
    """
    with tempfile.TemporaryDirectory() as scratch:
        evidence = _Evidence(registry, settings, Path(scratch))
        if tickets is not None:
            mine, theirs, cost = evidence.from_tickets(version, champion, tickets)
        else:
            mine, theirs, cost = evidence.from_training(version, champion)
    checks = absolute_checks(mine, settings.decision.precision, cost, limits(settings))
    if theirs is not None:
        checks = [*paired_checks(join_answers(theirs, mine), limits(settings)), *checks]
    return Judgement(version, champion, len(mine), checks)


class _Evidence:
    """Answers of both models to tickets that neither has seen."""

    def __init__(self, registry: Registry, settings: Settings, scratch: Path) -> None:
        self._registry = registry
        self._settings = settings
        self._scratch = scratch

    def from_training(
        self, version: Version, champion: Version | None
    ) -> tuple[pd.DataFrame, pd.DataFrame | None, Cost]:
        """What the version's training logged."""
        mine = self._read(version, ANSWERS)
        if mine is None:
            raise InputError(
                f"Version {version.number} was registered without answers to judge it by.",
                hint="Name labelled tickets: triage promote --tickets FILE.",
            )
        figures = self._registry.figures(version)
        cost = Cost(figures.get("cost.milliseconds", 0.0), figures.get("cost.megabytes", 0.0))
        if champion is None or champion.number == version.number:
            return mine, None, cost
        theirs = self._read(version, answers_file(champion))
        if theirs is None:
            raise InputError(
                f"Version {version.number} was trained before version {champion.number} became champion, so they were "
                "not measured on the same tickets.",
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
        keys = pd.Series(ticket_keys(tickets, texts))
        for model in models:
            seen = self._read(model, SEEN)
            if seen is not None:
                keys = keys[~keys.isin(seen["ticket"])]
        rows, kept = tickets.iloc[keys.index], [texts[row] for row in keys.index]
        _enough(len(kept))
        tables = [_answers(self._registry.fetch(model), keys.tolist(), kept, rows) for model in models]
        cost = measure_cost(self._registry.fetch(version), kept, self._settings)
        return tables[0], tables[1] if len(tables) > 1 else None, cost

    def _read(self, version: Version, name: str) -> pd.DataFrame | None:
        found = self._registry.file(version, name, self._scratch / str(version.number))
        return None if found is None else pd.read_parquet(found)


def tickets_for(answers: pd.DataFrame, seen: Sequence[str]) -> pd.DataFrame:
    """The rows of an answer table whose tickets are not among those that were seen in training."""
    return answers[~answers["ticket"].isin(set(seen))]


def _answers(bundle: Path, keys: list[str], texts: list[str], tickets: pd.DataFrame) -> pd.DataFrame:
    classifier = read_model(bundle).classifier
    return answer_table(keys, answer_all(classifier, texts), tickets, extra=slice_columns(tickets, texts))


def _enough(tickets: int) -> None:
    if tickets < _FEWEST_TICKETS:
        raise InputError(
            f"Only {tickets} tickets are left that neither model was trained on; at least {_FEWEST_TICKETS} are needed to "
            "compare.",
            hint="Name more or later labelled tickets: triage promote --tickets FILE.",
        )
