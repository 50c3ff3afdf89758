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
from triage_ml.evaluate.metrics import Coverage, TargetFigures, coverage_of, measure

__all__ = ["Evaluation", "evaluate", "evaluate_answers"]


@dataclass(frozen=True)
class Evaluation:
    """Figures by target; `tickets` is the coverage of the ticket as a whole for each promise.

    A ticket as a whole is decided `auto` when all its routing targets are, and right when all of them are; only tickets that
    have the labels of all of them are counted.
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
    stands_for: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> Evaluation:
    """Measure the classifier on prepared texts and their labels; a target is measured where its label is there."""
    return evaluate_answers(answer_all(classifier, texts), labels, routing=routing, stands_for=stands_for, seed=seed)


def evaluate_answers(
    answers: Mapping[str, Answered],
    labels: pd.DataFrame,
    *,
    routing: Sequence[str] = (),
    stands_for: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> Evaluation:
    """The same from answers that were given already.

    `stands_for` has shape (tickets,): for how many tickets each one stands (`triage_ml.evaluate.stands_for`); one that stands for
    none is not measured on. By default each stands for itself.
    """
    figures, automatic, right = {}, {}, {}
    weights = np.ones(len(labels)) if stands_for is None else stands_for
    for name, answer in answers.items():
        if name not in labels:
            continue
        present = labels[name].notna().to_numpy() & (weights > 0)
        truth = labels[name].astype(object).mask(~present, "").to_numpy()
        if not present.any():
            continue
        figures[name] = measure(
            truth[present],
            answer.predicted[present],
            answer.probability[present],
            automatic={promise: mask[present] for promise, mask in answer.automatic.items()},
            weights=weights[present],
            seed=seed,
        )
        automatic[name], right[name] = answer.automatic, np.where(present, answer.predicted == truth, np.nan)
    judged = [name for name in routing if name in figures] or [*figures]
    return Evaluation(figures, _whole_ticket(judged, automatic, right, weights))


def _whole_ticket(
    routing: Sequence[str],
    automatic: dict[str, dict[str, NDArray[np.bool_]]],
    right: dict[str, NDArray[np.float64]],
    weights: NDArray[np.float64],
) -> dict[str, Coverage]:
    """Coverage and precision of tickets on which every routing target can be judged; `right` is NaN where it can't."""
    all_right = np.minimum.reduce([right[name] for name in routing]) if routing else np.zeros(0)
    judged = ~np.isnan(all_right)
    if not judged.any():
        return {}
    whole = {}
    for promise in automatic[routing[0]]:
        chosen = np.logical_and.reduce([automatic[name][promise][judged] for name in routing])
        whole[promise] = coverage_of(chosen, all_right[judged], weights[judged])
    return whole
