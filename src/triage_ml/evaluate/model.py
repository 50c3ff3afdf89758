"""A classifier's figures on labelled tickets: every target, and the ticket as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.classify import TriageClassifier
from triage_ml.evaluate.answers import Answered, answer_all
from triage_ml.evaluate.metrics import Coverage, TargetFigures, measure

__all__ = ["Evaluation", "evaluate", "evaluate_answers"]


@dataclass(frozen=True)
class Evaluation:
    """Figures by target; `tickets` is the coverage of the ticket as a whole for each promise.

    A ticket as a whole is decided `auto` when all its routing targets are, and right when all of them are.
    """

    targets: dict[str, TargetFigures]
    ticket: dict[str, Coverage]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values: `targets` and `ticket`."""
        return {
            "targets": {name: figures.to_dict() for name, figures in self.targets.items()},
            "ticket": {
                promise: {"coverage": round(row.coverage, 4), "precision": row.precision and round(row.precision, 4)}
                for promise, row in self.ticket.items()
            },
        }


def evaluate(
    classifier: TriageClassifier,
    texts: Sequence[str],
    labels: pd.DataFrame,
    *,
    routing: Sequence[str] = (),
    seed: int = 0,
) -> Evaluation:
    """Measure the classifier on prepared texts and their labels; a target is measured where its label is there."""
    return evaluate_answers(answer_all(classifier, texts), labels, routing=routing, seed=seed)


def evaluate_answers(
    answers: Mapping[str, Answered], labels: pd.DataFrame, *, routing: Sequence[str] = (), seed: int = 0
) -> Evaluation:
    """The same from answers that were given already."""
    figures, automatic, right = {}, {}, {}
    for name, answer in answers.items():
        if name not in labels:
            continue
        truth = labels[name].to_numpy(dtype=object)
        present = labels[name].notna().to_numpy()
        if not present.any():
            continue
        figures[name] = measure(
            truth[present],
            answer.predicted[present],
            answer.probability[present],
            automatic={promise: mask[present] for promise, mask in answer.automatic.items()},
            seed=seed,
        )
        automatic[name], right[name] = answer.automatic, (answer.predicted == truth) | ~present
    return Evaluation(
        figures, _whole_ticket([name for name in routing if name in figures] or [*figures], automatic, right)
    )


def _whole_ticket(
    routing: Sequence[str], automatic: dict[str, dict[str, NDArray[np.bool_]]], right: dict[str, NDArray[np.bool_]]
) -> dict[str, Coverage]:
    if not routing:
        return {}
    all_right = np.logical_and.reduce([right[name] for name in routing])
    whole = {}
    for promise in automatic[routing[0]]:
        chosen = np.logical_and.reduce([automatic[name][promise] for name in routing])
        precision = float(all_right[chosen].mean()) if chosen.any() else None
        whole[promise] = Coverage(float(chosen.mean()), precision, int(chosen.sum()))
    return whole
