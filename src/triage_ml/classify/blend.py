"""How much a second opinion counts beside the first, chosen on tickets that neither learnt from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from triage_ml.classify.calibrate import fit_temperature, softmax

__all__ = ["choose_share"]

Floats = NDArray[np.float32]

#: About as much as this many different tickets say that both count the same.
_SHRINKAGE = 3.0
#: The first opinion always counts this much.
_LEAST = 0.05
#: A second opinion that saves less than this of the summed log loss (in nats) is not heard: chance alone saves half of one.
_WORTH = 3.0


def choose_share(
    margins: Floats,
    scores: Floats,
    truth: NDArray[np.int64],
    groups: NDArray[np.int64] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> float:
    """What to multiply `scores` by before they are added to `margins`, for the least log loss; 0 where they do not help.

    Both are brought to their own best temperature and then weighed: logistic stacking (Wolpert 1992, "Stacked
    generalization") with one weight each, which no number of classes can overfit. Tickets of one group are known or missed
    together, so that a group counts once, however often it came: a storm of alerts says no more than one of them.

    Parameters
    ----------
    margins, scores
        Shape (tickets, K), of tickets that neither was fitted on.
    truth
        Shape (tickets,), index of the true class; -1 for one that is not among the K.
    groups
        Shape (tickets,): tickets with the same number are alike. By default each is on its own.
    weights
        Shape (tickets,), above 0: for how many tickets of its group each stands. By default for itself.
    """
    known = truth >= 0
    if not known.any():
        return 0.0
    counted = _once_a_group(groups, weights, known)
    margins, scores, truth = margins[known], scores[known], truth[known]
    scale = fit_temperature(margins, truth, counted), fit_temperature(scores, truth, counted)
    opinions = [given / np.float32(size) for given, size in zip((margins, scores), scale, strict=True)]
    rows = np.arange(len(truth))

    def misses(weights: NDArray[np.float64]) -> tuple[float, Floats]:
        probabilities = softmax(np.float32(weights[0]) * opinions[0] + np.float32(weights[1]) * opinions[1], 1.0)
        return -float(counted @ np.log(np.maximum(probabilities[rows, truth], 1e-12))), probabilities

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, missed = misses(weights)
        missed[rows, truth] -= 1
        missed *= counted.astype(np.float32)[:, None]
        slope = np.array([np.einsum("nk,nk->", missed, given, dtype=np.float64) for given in opinions])
        away = weights - 0.5
        return float(value + _SHRINKAGE * (away**2).sum()), slope + 2 * _SHRINKAGE * away

    def best(most: float | None) -> NDArray[np.float64]:
        begin, bounds = np.array([0.5, 0.5 if most is None else most]), [(_LEAST, None), (0, most)]
        found: NDArray[np.float64] = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds).x
        return found

    found = best(None)
    # a first opinion that knows nothing is weighed less than any temperature says
    alone = min(misses(weights)[0] for weights in (np.array([1.0, 0.0]), best(0.0)))
    if alone - misses(found)[0] < _WORTH:
        return 0.0
    return float(found[1] / found[0] * scale[0] / scale[1])


def _once_a_group(
    groups: NDArray[np.int64] | None, weights: NDArray[np.float64] | None, known: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """What each known ticket counts, those of a group 1 together. Shape (known tickets,)."""
    stands = np.ones(int(known.sum())) if weights is None else weights[known]
    alike = np.arange(len(stands)) if groups is None else np.unique(groups[known], return_inverse=True)[1]
    counted: NDArray[np.float64] = stands / np.bincount(alike, weights=stands)[alike]
    return counted
