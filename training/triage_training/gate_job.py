"""The gate's evidence: what a training logs for it, and what `triage promote` judges a version by."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    answered_targets,
    fair_rows,
    join_answers,
    paired_checks,
    shadow_checks,
    slice_columns,
    ticket_keys,
)
from triage_ml.settings import Settings
from triage_ml.text import ticket_text
from triage_training.registry import Registry, Version
from triage_training.shadow_evidence import shadow_answers

__all__ = [
    "ANSWERS",
    "SEEN",
    "Judgement",
    "answers_file",
    "judge",
    "judge_first",
    "limits",
    "measure_cost",
    "read_evidence",
    "tickets_for",
]

SEEN = "gate/seen.parquet"
ANSWERS = "gate/answers.parquet"

_TIMED = 40
_ROUNDS, _MOST_ROUNDS = 3, 12
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
    """What one answer takes, and the bundle's size.

    The best of three medians, and of up to twelve while they are over the budget: a busy machine only ever adds.
    """
    answerer = Answerer(read_model(bundle), settings.decision)
    tickets = [{"ticket_id": "timed", "description": text} for text in texts[:_TIMED]]
    medians: list[float] = []
    while len(medians) < _ROUNDS or (len(medians) < _MOST_ROUNDS and min(medians) > settings.gate.milliseconds):
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
    if theirs is None:
        return Judgement(version, champion, len(mine), judge_first(mine, cost, settings))
    checks = absolute_checks(mine, settings.decision.precision, cost, limits(settings), champion=theirs)
    joined = join_answers(theirs, mine)
    _enough_fair(joined)
    checks = [*paired_checks(joined, limits(settings)), *checks]
    if champion is not None:
        checks += _on_shadow_traffic(version, champion, settings)
    return Judgement(version, champion, len(mine), checks)


def _on_shadow_traffic(version: Version, champion: Version, settings: Settings) -> list[Check]:
    """Whether the version is surely worse on live tickets that both answered and a person looked at, where they are enough."""
    found = shadow_answers(version, champion, settings)
    if found is None:
        return []
    mine, theirs = found
    checks = shadow_checks(join_answers(theirs, mine), limits(settings), fewest=_FEWEST_TICKETS)
    return [replace(check, name=f"shadow {check.name}") for check in checks]


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
        evidence = read_evidence(version, self._registry, self._scratch)
        if evidence is None:
            raise InputError(
                f"Version {version.number} was registered without answers to judge it by.",
                hint="Name labelled tickets: triage promote --tickets FILE.",
            )
        mine, cost = evidence
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
        tickets = _that_vote(tickets)
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


def tickets_for(answers: pd.DataFrame, seen: Sequence[str]) -> pd.DataFrame:
    """The rows of an answer table whose tickets are not among those that were seen in training."""
    return answers[~answers["ticket"].isin(set(seen))]


def _answers(bundle: Path, keys: list[str], texts: list[str], tickets: pd.DataFrame) -> pd.DataFrame:
    classifier = read_model(bundle).classifier
    return answer_table(keys, answer_all(classifier, texts), tickets, extra=slice_columns(tickets, texts))


def _that_vote(tickets: pd.DataFrame) -> pd.DataFrame:
    """Without the outcomes that weigh nothing: those that stay stand for them (`label_share`)."""
    if "label_weight" not in tickets:
        return tickets
    weighs_nothing = pd.to_numeric(tickets["label_weight"], errors="coerce") == 0
    return tickets[~weighs_nothing].reset_index(drop=True)


def _enough_fair(joined: pd.DataFrame) -> None:
    """Labels that came back from the service must not be the champion's own answers, or nothing is compared."""
    if "label_source" not in joined:
        return
    shared = [target for target in answered_targets(joined) if f"before.{target}" in joined]
    fair = max((len(fair_rows(joined, target)) for target in shared), default=0)
    if fair < _FEWEST_TICKETS:
        raise InputError(
            f"Only {fair} tickets are left that have a label of their own; at least {_FEWEST_TICKETS} are needed to compare. "
            "The others were labelled by an answer that nobody looked at, or were seen only because it was wrong.",
            hint="Name tickets that people labelled: triage promote --tickets FILE.",
        )


def _enough(tickets: int) -> None:
    if tickets < _FEWEST_TICKETS:
        raise InputError(
            f"Only {tickets} tickets are left that neither model was trained on; at least {_FEWEST_TICKETS} are needed to "
            "compare.",
            hint="Name more or later labelled tickets: triage promote --tickets FILE.",
        )
