"""Margins -> probabilities that mean what they say.

Two steps, both fitted on tickets that the head did not see. First p = softmax((margins + offsets) / T): one temperature, and
one offset a class, held near nought where there are few tickets (Alexandari et al. 2020, "Maximum likelihood with
bias-corrected calibration is hard to beat at label shift adaptation"); offsets follow what the latest tickets are like: a
group that came up last month is believed sooner than its share of a year says. They become part of the head's intercept.
Then the largest probability is put right by beta calibration (Kull et al. 2017): with wrong labels among the tickets nobody is
right 99 times of 100, and a temperature alone can't say so. The order of the classes stays.

Where some kinds of tickets were thinned before, each one left stands for w of them: every loss is weighted by w, scaled so that
the weights sum to the sum(w)^2 / sum(w^2) tickets that would say as much (Kish 1965).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit

from triage_ml.compiled import compiled

__all__ = ["Calibrator", "cross_calibrate", "fit_calibrator", "fit_temperature", "log_loss", "softmax"]

Floats = NDArray[np.float32]

#: Weight of the squared offsets beside the summed log loss: about as much as this many tickets say otherwise.
_OFFSET_SHRINKAGE = 3.0
_TOP_SHRINKAGE = 1.0
_FOLDS = 3
_LEAST = 1e-6
_TRACE = 1e-7


@dataclass(frozen=True)
class Calibrator:
    """What turns the margins of a head, offsets included, into probabilities.

    `top` are a, b and c of beta calibration: log-odds of the largest probability q become a log q - b log(1 - q) + c.
    """

    temperature: float = 1.0
    top: tuple[float, float, float] = (1.0, 1.0, 0.0)

    def probabilities(self, margins: Floats) -> Floats:
        """Shape (texts, K); rows sum to 1, and the largest margin has the largest probability."""
        return _state(np.ascontiguousarray(margins, dtype=np.float32), self.temperature, *self.top)


@compiled
def _state(margins: Floats, temperature: float, a: float, b: float, c: float) -> Floats:
    """`Calibrator.probabilities`, text by text: most of what one ticket costs otherwise are calls of numpy."""
    given = np.empty_like(margins)
    for text in range(len(margins)):
        best = margins[text].argmax()
        rest = second = 0.0
        for k in range(margins.shape[1]):
            if k != best:
                other = math.exp((margins[text, k] - margins[text, best]) / temperature)
                given[text, k] = other + _TRACE  # where one class has it all, the others share what is taken from it
                rest += other + _TRACE
                second = max(second, other + _TRACE)
        q = min(max(1.0 / (1.0 + rest), _LEAST), 1.0 - _LEAST)
        stated = 1.0 / (1.0 + math.exp(-(a * math.log(q) - b * math.log1p(-q) + c)))
        stated = max(stated, 1.0001 * second / (rest + second))  # what it takes to stay the largest
        for k in range(margins.shape[1]):
            given[text, k] *= (1.0 - stated) / rest
        given[text, best] = stated
    return given


def fit_calibrator(
    margins: Floats, truth: NDArray[np.int64], weights: NDArray[np.float64] | None = None
) -> tuple[Calibrator, Floats]:
    """The calibrator, and the offsets of shape (K,) that belong into the head's intercept.

    Parameters
    ----------
    margins
        Shape (tickets, K), of tickets that the head was not fitted on.
    truth
        Shape (tickets,), index of the true class; -1 for a class that the head does not know, which can only be missed.
    weights
        Shape (tickets,), above 0: for how many tickets each stands. By default for itself.
    """
    known = truth >= 0
    counted = np.ones(len(truth)) if weights is None else weights * weights.sum() / (weights**2).sum()
    if not known.any():
        return Calibrator(), np.zeros(margins.shape[1], dtype=np.float32)
    temperature, offsets = _fit_offsets(margins[known], truth[known], counted[known])
    moved = margins + offsets
    q = softmax(moved, temperature).max(axis=1)
    return Calibrator(temperature, _fit_top(q, moved.argmax(axis=1) == truth, counted)), offsets


def softmax(margins: Floats, temperature: float) -> Floats:
    """Probabilities of shape (texts, K), rows sum to 1."""
    scaled = margins / np.float32(temperature)
    scaled -= scaled.max(axis=1, keepdims=True)
    np.exp(scaled, out=scaled)
    scaled /= scaled.sum(axis=1, keepdims=True)
    return scaled


def fit_temperature(margins: Floats, truth: NDArray[np.int64], counted: NDArray[np.float64] | None = None) -> float:
    """The temperature that minimises the log loss (Guo et al. 2017, "On Calibration of Modern Neural Networks").

    Parameters
    ----------
    margins
        Shape (texts, K), of tickets that the head was not fitted on.
    truth
        Shape (texts,), index of the true class.
    counted
        Shape (texts,), the weight of each text's loss; by default 1.
    """
    best = minimize_scalar(
        lambda log_temperature: log_loss(margins, truth, float(np.exp(log_temperature)), counted),
        bounds=(np.log(0.02), np.log(20.0)),
        method="bounded",
    )
    return float(np.exp(best.x))


def log_loss(
    margins: Floats, truth: NDArray[np.int64], temperature: float, counted: NDArray[np.float64] | None = None
) -> float:
    """Weighted mean of -log p(true class)."""
    probabilities = softmax(margins, temperature)
    losses = -np.log(np.maximum(probabilities[np.arange(len(truth)), truth], 1e-12))
    return float(np.average(losses, weights=counted))


def cross_calibrate(
    margins: Floats, truth: NDArray[np.int64], weights: NDArray[np.float64] | None = None, *, seed: int
) -> Floats:
    """Probabilities of shape (tickets, K), each ticket's from a calibrator that was fitted on the others, in three folds.

    For what is chosen on the same tickets: offsets of many classes make them look a little better than later ones will.
    """
    given = np.empty_like(margins)
    fold = np.random.default_rng(seed).permutation(len(truth)) % _FOLDS
    for number in range(_FOLDS):
        asked = fold == number
        theirs = None if weights is None else weights[~asked]
        calibrator, offsets = fit_calibrator(margins[~asked], truth[~asked], theirs)
        given[asked] = calibrator.probabilities(margins[asked] + offsets)
    return given


def _fit_offsets(margins: Floats, truth: NDArray[np.int64], counted: NDArray[np.float64]) -> tuple[float, Floats]:
    """Temperature, and offsets of shape (K,) in units of the margins."""
    rows, tickets = np.arange(len(truth)), counted.sum()
    weight = counted.astype(np.float32)[:, None]

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        sharpness, offsets = np.exp(parameters[0]), parameters[1:]
        scores = margins * np.float32(sharpness)
        scores += offsets.astype(np.float32)
        scores -= scores.max(axis=1, keepdims=True)
        own = scores[rows, truth].astype(np.float64)
        np.exp(scores, out=scores)
        total = scores.sum(axis=1)
        scores /= total[:, None]  # now what is missed of each class
        scores[rows, truth] -= 1
        scores *= weight
        value = counted @ (np.log(total.astype(np.float64)) - own) + _OFFSET_SHRINKAGE * (offsets**2).sum()
        by_scale = float(np.einsum("nk,nk->", scores, margins, dtype=np.float64)) * sharpness
        by_offset = scores.sum(axis=0, dtype=np.float64) + 2 * _OFFSET_SHRINKAGE * offsets
        return float(value / tickets), np.r_[by_scale, by_offset] / tickets

    begin = np.r_[-np.log(fit_temperature(margins, truth, counted)), np.zeros(margins.shape[1])]
    found = minimize(loss, begin, jac=True, method="L-BFGS-B", options={"ftol": 1e-7}).x
    temperature = float(np.exp(-found[0]))
    return temperature, (found[1:] * temperature).astype(np.float32)


def _fit_top(q: Floats, right: NDArray[np.bool_], counted: NDArray[np.float64]) -> tuple[float, float, float]:
    """a, b and c of beta calibration, a and b above 0, held near (1, 1, 0) where there are few tickets."""
    high, low = _logs(q)
    side = np.where(right, 1.0, -1.0)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        a, b = np.exp(parameters[:2])
        score = a * high - b * low + parameters[2]
        value = counted @ np.logaddexp(0, -side * score) + _TOP_SHRINKAGE * (parameters**2).sum()
        missed = -side * expit(-side * score) * counted
        slope = np.array([(missed * high).sum() * a, -(missed * low).sum() * b, missed.sum()])
        return float(value / counted.sum()), (slope + 2 * _TOP_SHRINKAGE * parameters) / counted.sum()

    found = minimize(loss, np.zeros(3), jac=True, method="L-BFGS-B").x
    return float(np.exp(found[0])), float(np.exp(found[1])), float(found[2])


def _logs(q: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """log q and log(1 - q), neither without end."""
    inside = np.clip(q.astype(np.float64), _LEAST, 1 - _LEAST)
    return np.log(inside), np.log1p(-inside)
