"""Tickets in, answers out: the one place where text, classifier, patterns and automations become an answer.

The service and the batch command both come through here, so they can't disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from triage_ml.answer.model import Model, prepare, read_model
from triage_ml.classify import Action, TargetAnswers, Term, explain
from triage_ml.settings import Decision, Settings
from triage_ml.text import combine

__all__ = ["Answerer", "decide_ticket", "load_answerer"]

_CAUTION: dict[Action, int] = {"auto": 0, "suggest": 1, "human": 2}
_FEW_ALTERNATIVES = 3
_AUTOMATION_TIER = "L0"


class Answerer:
    """Answers tickets with one model.

    Parameters
    ----------
    model
        The model that answers.
    decision
        Which targets route, and whether `auto` is held back to `suggest`.
    """

    def __init__(self, model: Model, decision: Decision) -> None:
        self.model = model
        self.digest = model.digest
        self.targets = model.targets
        self._routing = tuple(target for target in decision.routing if target in model.targets) or model.targets
        self._force_suggest = decision.force_suggest

    def answer(self, tickets: Sequence[Mapping[str, Any]], *, include_all: bool = False) -> list[dict[str, Any]]:
        """One answer a ticket, in order, in the shape of the scoring API without `prediction_id` and `model`.

        A ticket has `ticket_id` and `title` or `description`. With `include_all` every class is an alternative and every
        word is a reason, those that speak against the answer too.
        """
        texts = prepare([combine(ticket.get("title"), ticket.get("description")) for ticket in tickets])
        classifier = self.model.classifier
        vectors, occurrences = classifier.vectors(texts)
        answers = classifier.answers(vectors, occurrences)
        most = None if include_all else 5
        reasons = {
            name: explain(texts, occurrences, classifier.head(name).weights, answer.chosen, most=most)
            for name, answer in answers.items()
        }
        return [
            self._one(ticket["ticket_id"], index, answers, reasons, include_all) for index, ticket in enumerate(tickets)
        ]

    def table(self, ticket_ids: Sequence[str], texts: Sequence[str]) -> pd.DataFrame:
        """The same answers as columns, without reasons and alternatives; see `score_table`."""
        classifier = self.model.classifier
        answers = classifier.answers(*classifier.vectors(prepare(texts)))
        actions = {
            name: [self._action(name, answer, index) for index in range(len(texts))] for name, answer in answers.items()
        }
        decisions = [decide_ticket(row) for row in zip(*(actions[name] for name in self._routing), strict=True)]
        columns: dict[str, Any] = {"ticket_id": list(ticket_ids)}
        columns["action"], columns["reason"] = _unzip(decisions)
        for name, answer in answers.items():
            columns[name] = np.asarray(answer.classes, dtype=object)[answer.chosen]
            columns[f"{name}_probability"] = answer.probabilities.max(axis=1)
            columns[f"{name}_action"], columns[f"{name}_reason"] = _unzip(actions[name])
        return pd.DataFrame(columns)

    def _one(
        self,
        ticket_id: str,
        index: int,
        answers: Mapping[str, TargetAnswers],
        reasons: Mapping[str, list[list[Term]]],
        include_all: bool,
    ) -> dict[str, Any]:
        targets = {
            name: _target(answer, index, reasons[name][index], self._action(name, answer, index), include_all)
            for name, answer in answers.items()
        }
        action, reason = decide_ticket([(targets[name]["action"], targets[name]["reason"]) for name in self._routing])
        return {
            "ticket_id": ticket_id,
            "decision": {"action": action, "reason": reason},
            "targets": targets,
            "pattern": None,
            "automation": None,
        }

    def _action(self, name: str, answer: TargetAnswers, index: int) -> tuple[Action, str]:
        action, reason = answer.decisions[index]
        automation_alone = name == "tier" and answer.classes[answer.chosen[index]] == _AUTOMATION_TIER
        if action == "auto" and (self._force_suggest or automation_alone):
            return "suggest", "below_threshold"
        return action, reason


def decide_ticket(decisions: Sequence[tuple[Action, str]]) -> tuple[Action, str]:
    """The most cautious of the routing targets' decisions, the first of equals."""
    return max(decisions, key=lambda decision: _CAUTION[decision[0]])


def load_answerer(folder: Path, settings: Settings) -> Answerer:
    """Read the model bundle in `folder`, checked, and make it answer under these settings."""
    return Answerer(read_model(folder), settings.decision)


def _unzip(decisions: Sequence[tuple[Action, str]]) -> tuple[list[Action], list[str]]:
    return [action for action, _ in decisions], [reason for _, reason in decisions]


def _target(
    answer: TargetAnswers, index: int, because: list[Term], decision: tuple[Action, str], include_all: bool
) -> dict[str, Any]:
    row = answer.probabilities[index]
    chosen = int(answer.chosen[index])
    ranked = [k for k in (-row).argsort(kind="stable").tolist() if k != chosen]
    shown = ranked if include_all else [k for k in ranked[:_FEW_ALTERNATIVES] if row[k] >= 0.01]
    return {
        "value": answer.classes[chosen],
        "probability": round(float(row[chosen]), 4),
        "threshold": round(answer.threshold, 4) if answer.threshold <= 1 else None,
        "action": decision[0],
        "reason": decision[1],
        "alternatives": [{"value": answer.classes[k], "probability": round(float(row[k]), 4)} for k in shown],
        "because": [{"term": term.term, "weight": round(term.weight, 4)} for term in because],
    }
