"""Margins -> probabilities that mean what they say.

Temperature scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks"): p = softmax(margins / T), with the one T
that makes the calibration tickets most likely. One number can't overfit, and it keeps the order of the classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

__all__ = ["fit_temperature", "log_loss", "softmax"]


def softmax(margins: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Probabilities of shape (texts, K), rows sum to 1."""
    scaled = margins / np.float32(temperature)
    scaled -= scaled.max(axis=1, keepdims=True)
    np.exp(scaled, out=scaled)
    scaled /= scaled.sum(axis=1, keepdims=True)
    return scaled


def fit_temperature(margins: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """The temperature that minimises the log loss.

    Parameters
    ----------
    margins
        Shape (texts, K), of tickets that the head was not fitted on.
    truth
        Shape (texts,), index of the true class.
    """
    best = minimize_scalar(
        lambda log_temperature: log_loss(margins, truth, float(np.exp(log_temperature))),
        bounds=(np.log(0.02), np.log(20.0)),
        method="bounded",
    )
    return float(np.exp(best.x))


def log_loss(margins: NDArray[np.float32], truth: NDArray[np.int64], temperature: float) -> float:
    """Mean of -log p(true class)."""
    probabilities = softmax(margins, temperature)
    return float(-np.log(np.maximum(probabilities[np.arange(len(truth)), truth], 1e-12)).mean())
