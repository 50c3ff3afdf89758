"""The gate: what `triage promote` judges a version by."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from triage_ml.errors import InputError
from triage_ml.evaluate import (
    Check,
    Cost,
    Limits,
    absolute_checks,
    answered_targets,
    fair_rows,
    join_answers,
    paired_checks,
    shadow_checks,
)
from triage_ml.settings import Settings
from triage_training.gate_evidence import FEWEST_TICKETS, Evidence
from triage_training.registry import Registry, Version
from triage_training.shadow_evidence import shadow_answers

__all__ = ["Judgement", "judge", "judge_first", "limits"]


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
        evidence = Evidence(registry, settings, Path(scratch))
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
    checks = shadow_checks(join_answers(theirs, mine), limits(settings), fewest=FEWEST_TICKETS)
    return [replace(check, name=f"shadow {check.name}") for check in checks]


def _enough_fair(joined: pd.DataFrame) -> None:
    """Labels that came back from the service must not be the champion's own answers, or nothing is compared."""
    if "label_source" not in joined:
        return
    shared = [target for target in answered_targets(joined) if f"before.{target}" in joined]
    fair = max((len(fair_rows(joined, target)) for target in shared), default=0)
    if fair < FEWEST_TICKETS:
        raise InputError(
            f"Only {fair} tickets are left that have a label of their own; at least {FEWEST_TICKETS} are needed to compare. "
            "The others were labelled by an answer that nobody looked at, or were seen only because it was wrong.",
            hint="Name tickets that people labelled: triage promote --tickets FILE.",
        )
