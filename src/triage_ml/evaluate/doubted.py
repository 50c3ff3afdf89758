"""Labels that are probably wrong, surest first.

A ticket's label is the true one seen through a desk's habits: a group that closes what others solved, a category that is
left at its default. These habits are estimated from the labels themselves as a matrix of how often each true label is
recorded as each other one (Natarajan et al. 2013, "Learning with Noisy Labels"; one step of the expectation-maximisation of
Dawid and Skene 1979, begun at 2 % that are wrong anyhow: further steps follow the model's own errors). By Bayes' rule the
matrix turns the probabilities of a model that did not see the ticket into its doubt: the probability that the label is wrong.
It ranks well and states too little, because the model learnt from the same labels and shares some of their habits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Doubt", "LabelDoubt", "doubted_labels", "label_doubt"]

_WRONG_ANYHOW = 0.02
_WEIGHT = 50.0
#: Five times what is assumed of any label: 37 % (text alone) to 98 % of what is listed is wrong indeed (experiment 0102).
_LEAST_DOUBT = 0.1


@dataclass(frozen=True)
class Doubt:
    """A ticket (row number) whose label is probably wrong; the larger the doubt (0 to 1), the surer."""

    row: int
    label: str
    suggested: str
    doubt: float


@dataclass(frozen=True)
class LabelDoubt:
    """Shapes (tickets,): how doubtful the label is, 0 to 1, and the label (index of a class) that is likeliest if it is wrong."""

    doubt: NDArray[np.float64]
    suggested: NDArray[np.int64]


def label_doubt(probabilities: NDArray[np.float32], given: NDArray[np.int64]) -> LabelDoubt:
    """How doubtful each label is.

    Parameters
    ----------
    probabilities
        Shape (tickets, K), each row from a model that was not fitted on the ticket.
    given
        Shape (tickets,), index of the recorded label.
    """
    rows, classes = np.arange(len(given)), probabilities.shape[1]
    habits = np.full((classes, classes), _WRONG_ANYHOW / max(classes - 1, 1))
    np.fill_diagonal(habits, 1 - _WRONG_ANYHOW)
    counts = np.zeros((classes, classes))  # recorded label, true label
    np.add.at(counts, given, _posterior(probabilities, habits, given))
    learnt = counts.T + _WEIGHT * habits
    posterior = _posterior(probabilities, learnt / learnt.sum(axis=1, keepdims=True), given)
    doubt = 1 - posterior[rows, given]
    posterior[rows, given] = -1
    return LabelDoubt(doubt, posterior.argmax(axis=1))


def doubted_labels(
    probabilities: NDArray[np.float32],
    classes: Sequence[str],
    labels: NDArray[np.object_],
    *,
    least: float = _LEAST_DOUBT,
) -> list[Doubt]:
    """Tickets whose label is probably wrong, surest first: those with a doubt of `least` or more.

    Parameters
    ----------
    probabilities
        Shape (tickets, K), each row from a model that was not fitted on the ticket.
    labels
        Shape (tickets,); a label that is not among `classes` is not judged.
    """
    column = pd.Index(classes).get_indexer(pd.Index(labels))
    judged = np.flatnonzero(column >= 0)
    if not len(judged):
        return []
    found = label_doubt(probabilities[judged], column[judged])
    listed = np.flatnonzero(found.doubt >= least)
    order = listed[np.argsort(-found.doubt[listed], kind="stable")]
    return [
        Doubt(int(judged[i]), str(labels[judged[i]]), str(classes[found.suggested[i]]), round(float(found.doubt[i]), 4))
        for i in order
    ]


def _posterior(
    probabilities: NDArray[np.float32], habits: NDArray[np.float64], given: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Probability of each true label: what the model says, times how often that label is recorded as the given one."""
    weighed = probabilities * habits[:, given].T
    return np.asarray(weighed / np.maximum(weighed.sum(axis=1, keepdims=True), 1e-300))
