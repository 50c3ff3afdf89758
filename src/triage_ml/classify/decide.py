"""From probabilities to decisions: act on it, suggest it, or let a person look.

The promise is about the set of all answers of a target that are decided `auto`: at least `precision` of them are right, on
later tickets too. So the threshold is not where the calibration tickets just reach the promise, but where a one-sided 95 %
Clopper-Pearson bound does. Sets are tested from the surest tickets to the least sure, and the search stops at the first
that fails (fixed-sequence testing, Angelopoulos et al. 2021, "Learn then Test"), so testing many thresholds costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

__all__ = ["REASONS", "Action", "Policy", "choose_policy", "lower_bound"]

Action = Literal["auto", "suggest", "human"]

REASONS = (
    "confident",
    "below_threshold",
    "not_enough_evidence",
    "text_too_short",
    "unfamiliar_text",
    "blocked_by_rule",
    "just_moved_from",
    "automated",
)

_LEVELS = np.linspace(0.05, 1.0, 96)
_FEWEST_IN_CLASS = 10
_FEWEST_TESTED = 30


@dataclass(frozen=True)
class Policy:
    """When one target is answered by itself.

    `threshold` is the least probability for `auto`; above 1 nothing is. `evidence` has shape (K,): whether a class had
    enough calibration tickets to ever be `auto`. `suggest_from` is the least probability that is worth suggesting.
    """

    precision: float
    threshold: float
    evidence: NDArray[np.bool_]
    suggest_from: float = 0.2

    def decide(self, probability: float, index: int) -> tuple[Action, str]:
        """The action for a class's probability, and the reason code."""
        if not self.evidence[index]:
            return "suggest", "not_enough_evidence"
        if probability >= self.threshold:
            return "auto", "confident"
        return ("suggest" if probability >= self.suggest_from else "human"), "below_threshold"


def lower_bound(right: int, total: int, confidence: float = 0.95) -> float:
    """One-sided Clopper-Pearson lower bound of a share (Clopper and Pearson 1934); 0 for no tickets.

    >>> round(lower_bound(29, 29), 3)
    0.902
    """
    if right == 0:
        return 0.0
    return float(beta.ppf(1 - confidence, right, total - right + 1))


def choose_policy(probabilities: NDArray[np.float32], truth: NDArray[np.int64], precision: float) -> Policy:
    """The lowest threshold whose bound keeps the promise on the calibration tickets.

    Parameters
    ----------
    probabilities
        Shape (tickets, K), of tickets that neither the head nor its temperature was fitted on, or cross-fitted.
    truth
        Shape (tickets,), index of the true class; -1 for one that the head does not know.
    """
    evidence = np.bincount(truth[truth >= 0], minlength=probabilities.shape[1]) >= _FEWEST_IN_CLASS
    predicted = probabilities.argmax(axis=1)
    eligible = evidence[predicted]
    confidence = probabilities.max(axis=1)[eligible]
    right = (predicted == truth)[eligible]
    order = np.argsort(-confidence, kind="stable")
    threshold = 2.0
    hits = np.cumsum(right[order])
    for level in _LEVELS:
        tested = int(np.ceil(level * len(order)))
        if tested < _FEWEST_TESTED:
            continue
        if lower_bound(int(hits[tested - 1]), tested) < precision:
            break
        threshold = float(confidence[order[tested - 1]])
    return Policy(precision, threshold, evidence)
