"""Is a text like anything that was learnt?

Two signs, both read off what the classifier computes anyway: how far the text is on the side of its best class (the largest
margin of one-against-the-rest heads stays low for all classes when the text belongs to none, where probabilities must sum
to one), and the share of its words that training knew. Each is put on the scale of the calibration tickets; the score is
their weighted sum, higher is more familiar.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Familiarity", "fit_familiarity", "know_everything"]

_KNOWN_WEIGHT = 0.3
_TOO_STRANGE = 0.01
_FAR_AWAY = -2.0
_LEAST_SPREAD = 0.1


@dataclass(frozen=True)
class Familiarity:
    """The scale of both signs on the calibration tickets, and the score below which a text is unfamiliar.

    `target` is the one whose margins count: the target with the most classes, since a text that fits none of many classes
    says more than one that fits none of two.
    """

    target: str
    margin_mean: float
    margin_sd: float
    known_mean: float
    known_sd: float
    threshold: float

    def score(self, best_margins: NDArray[np.float32], known_share: NDArray[np.float32]) -> NDArray[np.float32]:
        """Shape (texts,), from the largest margin and the share of known words of each text, same shape."""
        margin = (best_margins - self.margin_mean) / self.margin_sd
        known = (known_share - self.known_mean) / self.known_sd
        score: NDArray[np.float32] = margin + _KNOWN_WEIGHT * known
        return score


def fit_familiarity(target: str, best_margins: NDArray[np.float32], known_share: NDArray[np.float32]) -> Familiarity:
    """Scale and threshold: at most the least familiar 1 % of the calibration tickets would be called unfamiliar.

    Where these tickets are nearly all alike, a small difference is no strangeness: spreads have a floor, and an unfamiliar
    text is at least two of them away.
    """
    scale = Familiarity(target, *_scale(best_margins), *_scale(known_share), threshold=-np.inf)
    threshold = min(float(np.quantile(scale.score(best_margins, known_share), _TOO_STRANGE)), _FAR_AWAY)
    return Familiarity(target, *_scale(best_margins), *_scale(known_share), threshold=threshold)


def know_everything(target: str) -> Familiarity:
    """Where no ticket could be held out nothing is called unfamiliar."""
    return Familiarity(target, 0.0, 1.0, 0.0, 1.0, threshold=-1e9)


def _scale(values: NDArray[np.float32]) -> tuple[float, float]:
    return float(values.mean()), max(float(values.std()), _LEAST_SPREAD)
