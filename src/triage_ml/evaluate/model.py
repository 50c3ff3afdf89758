"""A classifier's figures on labelled tickets: every target, and the ticket as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.classify import TriageClassifier
from triage_ml.evaluate.metrics import Coverage, TargetFigures, measure

__all__ = ["Evaluation", "evaluate"]

_CHUNK = 4096


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
    answers = _answers(classifier, texts)
    figures, automatic, right = {}, {}, {}
    for name, (predicted, confidence, chosen) in answers.items():
        if name not in labels:
            continue
        truth = labels[name].to_numpy(dtype=object)
        present = labels[name].notna().to_numpy()
        if not present.any():
            continue
        figures[name] = measure(
            truth[present],
            predicted[present],
            confidence[present],
            automatic={promise: mask[present] for promise, mask in chosen.items()},
            seed=seed,
        )
        automatic[name], right[name] = chosen, (predicted == truth) | ~present
    return Evaluation(
        figures, _whole_ticket([name for name in routing if name in figures] or [*figures], automatic, right)
    )


def _answers(
    classifier: TriageClassifier, texts: Sequence[str]
) -> dict[str, tuple[NDArray[Any], NDArray[np.float32], dict[str, NDArray[np.bool_]]]]:
    """For each target: predicted labels, their probability, and which are `auto` under each promise."""
    parts: dict[str, list[tuple[NDArray[Any], NDArray[np.float32], dict[str, NDArray[np.bool_]]]]] = {}
    for begin in range(0, len(texts), _CHUNK):
        vectors, occurrences = classifier.vectors(texts[begin : begin + _CHUNK])
        for name, answer in classifier.answers(vectors, occurrences).items():
            confidence = answer.probabilities[np.arange(len(answer.chosen)), answer.chosen]
            readable = np.array([reason not in ("text_too_short", "unfamiliar_text") for _, reason in answer.decisions])
            automatic = {
                f"{promise:.2f}": readable & policy.evidence[answer.chosen] & (confidence >= policy.threshold)
                for promise, policy in classifier.policies(name).items()
            }
            labels = np.asarray(answer.classes, dtype=object)[answer.chosen]
            parts.setdefault(name, []).append((labels, confidence, automatic))
    return {
        name: (
            np.concatenate([row[0] for row in rows]),
            np.concatenate([row[1] for row in rows]),
            {promise: np.concatenate([row[2][promise] for row in rows]) for promise in rows[0][2]},
        )
        for name, rows in parts.items()
    }


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
