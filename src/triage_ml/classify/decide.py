"""From probabilities to decisions: act on it, suggest it, or let a person look.

The promise is about the set of all answers of a target that are decided `auto`: at least `precision` of them are right, on
later tickets too. So the threshold is not where the calibration tickets just reach the promise, but where a one-sided
Clopper-Pearson bound does, at 95 % for all tests together (Angelopoulos et al. 2021, "Learn then Test"). Sets are tested in
four fixed sequences, each from the surest tickets towards the least sure and each with a quarter of the error: a sequence
ends at its first failure, so testing many thresholds within it costs nothing, and one that begins with many tickets is not
ended by the few errors among the very surest.
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

_STARTS = (0.08, 0.25, 0.5, 0.75)
_STEP = 0.01
_ERROR = 0.05
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
    kept = max(_longest(np.cumsum(right[order]), start, precision) for start in _STARTS)
    threshold = float(confidence[order[kept - 1]]) if kept else 2.0
    return Policy(precision, threshold, evidence)


def _longest(hits: NDArray[np.int64], start: float, precision: float) -> int:
    """Of the sets that begin with the surest tickets, the largest in the sequence from `start` before one fails; 0 for none.

    `hits` counts the right answers among the first tickets, shape (tickets,).
    """
    longest = 0
    for level in np.arange(start, 1 + _STEP / 2, _STEP):
        tested = min(int(np.ceil(level * len(hits))), len(hits))
        if tested < _FEWEST_TESTED:
            continue
        if lower_bound(int(hits[tested - 1]), tested, 1 - _ERROR / len(_STARTS)) < precision:
            break
        longest = tested
    return longest
