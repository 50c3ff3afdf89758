"""From probabilities to decisions: act on it, suggest it, or let a person look.

The promise is about the set of all answers of a target that are decided `auto`: at least `precision` of them are right, on
later tickets too. So the threshold is not where the calibration tickets just reach the promise, but where a one-sided 95 %
Clopper-Pearson bound does. The bound is for a share measured on later tickets, which have luck of their own: m of them beside
the n that calibrate say as much about the difference as n m / (n + m) tickets do alone, with m as many as calibrate but at most
10,000. Sets are tested in fixed sequences, each from the surest tickets towards the least sure, and a sequence ends at its
first failure, so that testing many thresholds is no way to be lucky (Angelopoulos et al. 2021, "Learn then Test"). Four
sequences begin with sets of different sizes: one that begins with many tickets is not ended by the few errors among the surest.
Tickets of one template are right or wrong together: they count as the number of different ones that would say as much (the
effective sample size of clusters, Kish 1965). Where some kinds of tickets were thinned before, each ticket left stands for w of
them: precision is sum(w right) / sum(w) (Hajek 1971), and n tickets count as sum(w)^2 / sum over templates of (sum of w)^2.

All classes share that threshold: what is sure in one class makes up for what is less sure in another, and thresholds of their
own for all of them would cost coverage (experiment 0004). But a class whose own answers are shown not to keep the promise there
(its upper bound lies below it) gets a threshold of its own, and the others are bounded again as a group without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta

__all__ = ["REASONS", "Action", "Policy", "choose_policy", "lower_bound", "upper_bound"]

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
_LATER = 10_000
_FEWEST_IN_CLASS = 10
_FEWEST_TESTED = 30
_NEVER = 2.0


@dataclass(frozen=True)
class Policy:
    """When one target is answered by itself.

    Attributes
    ----------
    precision
        The promise.
    threshold
        Least probability for `auto` that classes share; above 1 nothing is.
    evidence
        Shape (K,): whether a class had enough calibration tickets to ever be `auto`.
    suggest_from
        Least probability that is worth suggesting.
    tickets
        How many tickets it was chosen on.
    independent
        As how many they count, since those of one template are right or wrong together; 0 in bundles that don't say.
    own
        (index of a class, its own threshold) of those that can't keep the promise at the shared one.
    """

    precision: float
    threshold: float
    evidence: NDArray[np.bool_]
    suggest_from: float = 0.2
    tickets: int = 0
    independent: float = 0.0
    own: tuple[tuple[int, float], ...] = ()

    @property
    def thresholds(self) -> NDArray[np.float64]:
        """Least probability for `auto` of each class, shape (K,); above 1 where it never is."""
        thresholds = np.where(self.evidence, self.threshold, _NEVER)
        for index, threshold in self.own:
            thresholds[index] = max(thresholds[index], threshold)
        return thresholds

    def decide(
        self, probability: NDArray[np.float32], chosen: NDArray[np.int64]
    ) -> tuple[list[tuple[Action, str]], NDArray[np.float64]]:
        """For the chosen class of each text and its probability, both of shape (texts,): action and reason, and threshold."""
        threshold = self.thresholds[chosen]
        kind = np.where(probability >= self.suggest_from, _SUGGEST, _HUMAN)
        kind[~self.evidence[chosen] & (kind == _SUGGEST)] = _NO_EVIDENCE
        kind[probability >= threshold] = _AUTO
        return [_DECISIONS[code] for code in kind.tolist()], threshold

    def automatic(self, probability: NDArray[np.float32], chosen: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these answers are `auto`, shape (texts,)."""
        automatic: NDArray[np.bool_] = probability >= self.thresholds[chosen]
        return automatic


_AUTO, _SUGGEST, _HUMAN, _NO_EVIDENCE = range(4)
_DECISIONS: tuple[tuple[Action, str], ...] = (
    ("auto", "confident"),
    ("suggest", "below_threshold"),
    ("human", "below_threshold"),
    ("suggest", "not_enough_evidence"),
)


def lower_bound(right: float, total: float, confidence: float = 0.95) -> float:
    """One-sided Clopper-Pearson lower bound of a share (Clopper and Pearson 1934); 0 for no tickets.

    >>> round(lower_bound(29, 29), 3)
    0.902
    """
    if right == 0:
        return 0.0
    return float(beta.ppf(1 - confidence, right, total - right + 1))


def upper_bound(right: float, total: float, confidence: float = 0.95) -> float:
    """One-sided Clopper-Pearson upper bound of a share; 1 for no tickets."""
    if right == total:
        return 1.0
    return float(beta.ppf(confidence, right + 1, total - right))


def choose_policy(
    probabilities: NDArray[np.float32],
    truth: NDArray[np.int64],
    precision: float,
    groups: NDArray[np.int64] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> Policy:
    """The lowest threshold whose bound keeps the promise on the calibration tickets.

    Parameters
    ----------
    probabilities
        Shape (tickets, K), of tickets that neither the head nor its calibration was fitted on, or cross-fitted.
    truth
        Shape (tickets,), index of the true class; -1 for one that the head does not know.
    groups
        Shape (tickets,): tickets with the same number are right or wrong together. By default each is on its own.
    weights
        Shape (tickets,), above 0: for how many tickets each stands. By default for itself.
    """
    stands = np.ones(len(truth)) if weights is None else weights
    alike = np.arange(len(truth)) if groups is None else np.unique(groups, return_inverse=True)[1]
    evidence = np.bincount(truth[truth >= 0], minlength=probabilities.shape[1]) >= _FEWEST_IN_CLASS
    predicted = probabilities.argmax(axis=1)
    confidence, right = probabilities.max(axis=1), predicted == truth
    if not len(truth):
        return Policy(precision, _NEVER, evidence)
    shared = _threshold(confidence, right, evidence[predicted], precision, alike, stands)
    chosen = evidence[predicted] & (confidence >= shared)
    breaking = [
        index
        for index in np.unique(predicted[chosen]).tolist()
        if _breaks(right[mine := chosen & (predicted == index)], stands[mine], precision)
    ]
    independent = float(_effective(alike, stands)[-1])
    if not breaking:
        return Policy(precision, shared, evidence, tickets=len(truth), independent=independent)
    rest = evidence[predicted] & ~np.isin(predicted, breaking)
    own = tuple(
        (index, _threshold(confidence, right, predicted == index, precision, alike, stands)) for index in breaking
    )
    again = min(
        shared, _threshold(confidence, right, rest, precision, alike, stands)
    )  # without the worst, what held still holds
    return Policy(precision, again, evidence, tickets=len(truth), independent=independent, own=own)


def _breaks(right: NDArray[np.bool_], stands: NDArray[np.float64], precision: float) -> bool:
    """Whether a class's own answers show that it does not keep the promise."""
    if len(right) < _FEWEST_TESTED or right.all():
        return False
    size = float(stands.sum() ** 2 / (stands**2).sum())
    return upper_bound(size * float(np.average(right, weights=stands)), size) < precision


def _threshold(
    confidence: NDArray[np.float32],
    right: NDArray[np.bool_],
    eligible: NDArray[np.bool_],
    precision: float,
    alike: NDArray[np.int64],
    stands: NDArray[np.float64],
) -> float:
    """The lowest threshold whose bound keeps the promise on the eligible tickets; above 1 where none does."""
    order = np.flatnonzero(eligible)[np.argsort(-confidence[eligible], kind="stable")]
    falling = -confidence[order]
    total = np.cumsum(stands[order])
    share = np.cumsum(right[order] * stands[order]) / total
    counted = _effective(alike[order], stands[order])
    batch = min(len(right), _LATER)
    counted *= batch / (len(right) + batch)
    kept = max(_longest(falling, total, share, counted, start, precision) for start in _STARTS)
    return float(-falling[kept - 1]) if kept else _NEVER


def _effective(alike: NDArray[np.int64], stands: NDArray[np.float64]) -> NDArray[np.float64]:
    """As how many tickets of their own the first n count, for every n: their weight squared / that of each group squared."""
    with_it = pd.Series(stands).groupby(alike).cumsum().to_numpy()  # the weight of its group so far
    effective: NDArray[np.float64] = np.cumsum(stands) ** 2 / np.cumsum(stands * (2 * with_it - stands))
    return effective


def _longest(
    falling: NDArray[np.float32],
    total: NDArray[np.float64],
    share: NDArray[np.float64],
    counted: NDArray[np.float64],
    start: float,
    precision: float,
) -> int:
    """Of the sets that begin with the surest tickets, the largest in the sequence from `start` before one fails; 0 for none.

    For the first tickets, all of shape (tickets,): minus their probabilities, for how many they stand, which share of those is
    right, and as how many they count. A set takes all tickets of its least probability, as `auto` will.
    """
    tickets = len(falling)
    longest = 0
    for level in np.arange(start, 1 + _STEP / 2, _STEP):
        asked = min(int(np.searchsorted(total, level * total[-1])) + 1, tickets) if tickets else 0
        tested = int(np.searchsorted(falling, falling[asked - 1], side="right")) if asked else 0
        size = counted[tested - 1] if tested else 0.0
        if tested < _FEWEST_TESTED or lower_bound(size, size) < precision:
            continue  # nothing could keep the promise here, so nothing is learnt from trying
        if lower_bound(size * share[tested - 1], size) < precision:
            break
        longest = tested
    return longest
