"""How much a second opinion counts beside the first, chosen on tickets that neither learnt from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from triage_ml.classify.calibrate import fit_temperature, softmax

__all__ = ["choose_share"]

Floats = NDArray[np.float32]

#: About as much as this many tickets say that both count the same.
_SHRINKAGE = 3.0
#: The first opinion always counts this much.
_LEAST = 0.05
#: A second opinion that saves less than this of the summed log loss (in nats) is not heard: chance alone saves half of one.
_WORTH = 3.0


def choose_share(margins: Floats, scores: Floats, truth: NDArray[np.int64]) -> float:
    """What to multiply `scores` by before they are added to `margins`, for the least log loss; 0 where they do not help.

    Both are brought to their own best temperature and then weighed: logistic stacking (Wolpert 1992, "Stacked
    generalization") with one weight each, which no number of classes can overfit.

    Parameters
    ----------
    margins, scores
        Shape (tickets, K), of tickets that neither was fitted on.
    truth
        Shape (tickets,), index of the true class; -1 for one that is not among the K.
    """
    known = truth >= 0
    if not known.any():
        return 0.0
    margins, scores, truth = margins[known], scores[known], truth[known]
    scale = fit_temperature(margins, truth), fit_temperature(scores, truth)
    opinions = [given / np.float32(size) for given, size in zip((margins, scores), scale, strict=True)]
    rows = np.arange(len(truth))

    def misses(weights: NDArray[np.float64]) -> tuple[float, Floats]:
        probabilities = softmax(np.float32(weights[0]) * opinions[0] + np.float32(weights[1]) * opinions[1], 1.0)
        return -float(np.log(np.maximum(probabilities[rows, truth], 1e-12)).sum(dtype=np.float64)), probabilities

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, missed = misses(weights)
        missed[rows, truth] -= 1
        slope = np.array([np.einsum("nk,nk->", missed, given, dtype=np.float64) for given in opinions])
        away = weights - 0.5
        return float(value + _SHRINKAGE * (away**2).sum()), slope + 2 * _SHRINKAGE * away

    found = minimize(loss, np.full(2, 0.5), jac=True, method="L-BFGS-B", bounds=[(_LEAST, None), (0, None)]).x
    if misses(np.array([1.0, 0.0]))[0] - misses(found)[0] < _WORTH:
        return 0.0
    return float(found[1] / found[0] * scale[0] / scale[1])
