"""Answers of a classifier that says what a test wants, and the decider that works on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from triage_ml.answer.decisions import Asked, Decider
from triage_ml.answer.rules import RuleBook
from triage_ml.answer.verdicts import ACTIONS, REASONS, Verdicts
from triage_ml.classify import Policy, TargetAnswers
from triage_ml.settings import Decision
from triage_ml.taxonomy import Group, Taxonomy

TAXONOMY = Taxonomy(
    groups=(
        Group("Service Desk", "L1", ("SD",)),
        Group("Night Desk", "L1"),
        Group("Field Support", "L2-EUC"),
        Group("Operations", "NOC"),
    ),
    categories={"Access": ("Password", "VPN"), "Hardware": ("Laptop",)},
)
THRESHOLD = 0.7


@dataclass(frozen=True)
class FakeClassifier:
    """Knows classes and policies, and nothing of text."""

    classes_: Mapping[str, Sequence[str]]
    without_evidence: Sequence[str] = ()

    def policies(self, target: str) -> dict[float, Policy]:
        evidence = np.array([name not in self.without_evidence for name in self.classes_[target]])
        return {0.9: Policy(0.9, THRESHOLD, evidence)}


def answers(classes: Sequence[str], probabilities: Sequence[Sequence[float]]) -> TargetAnswers:
    """What a classifier with one threshold answers."""
    given = np.array(probabilities, dtype=np.float32)
    chosen = given.argmax(axis=1)
    sure = given.max(axis=1) >= THRESHOLD
    decisions = [("auto", "confident") if yes else ("suggest", "below_threshold") for yes in sure.tolist()]
    return TargetAnswers(tuple(classes), given, chosen, decisions, np.full(len(given), THRESHOLD))


@dataclass(frozen=True)
class Desk:
    """A decider over fake answers."""

    taxonomy: Taxonomy = TAXONOMY

    def verdicts(
        self,
        given: Mapping[str, TargetAnswers],
        asked: Asked | None = None,
        *,
        rules: RuleBook | None = None,
        decision: Decision | None = None,
        without_evidence: Sequence[str] = (),
    ) -> dict[str, Verdicts]:
        classifier = FakeClassifier({name: answer.classes for name, answer in given.items()}, without_evidence)
        asked = asked or Asked([""] * len(next(iter(given.values())).chosen))
        decider = Decider(
            classifier,  # type: ignore[arg-type]
            self.taxonomy,
            decision or Decision(),
            rules or RuleBook(),
            automated=bool(asked.automations),
        )
        return decider.verdicts(given, asked)


def said(verdict: Verdicts, row: int = 0) -> tuple[str, str, str]:
    """Value, action and reason of one ticket."""
    return verdict.classes[verdict.chosen[row]], ACTIONS[verdict.action[row]], REASONS[verdict.reason[row]]


@pytest.fixture(scope="session")
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="session")
def answered() -> Callable[[Sequence[str], Sequence[Sequence[float]]], TargetAnswers]:
    return answers


@pytest.fixture(scope="session")
def what() -> Callable[..., tuple[str, str, str]]:
    return said
