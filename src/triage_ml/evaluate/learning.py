"""What more tickets would bring: figures at growing sizes, and the line through them.

Error falls about as a power of the number of tickets (Hestness et al. 2017, "Deep Learning Scaling is Predictable,
Empirically"), so log(error) against log(tickets) is a line; where it leads at twice the tickets is an estimate, not more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["LearningCurve", "learning_curve"]


@dataclass(frozen=True)
class LearningCurve:
    """`points` are (tickets fitted on, macro-F1); `doubled` is the estimate at twice the most tickets."""

    target: str
    points: tuple[tuple[int, float], ...]
    doubled: float

    @property
    def gain(self) -> float:
        """What twice the tickets would bring, in macro-F1; never below 0."""
        return max(0.0, self.doubled - self.points[-1][1])


def learning_curve(target: str, points: Sequence[tuple[int, float]]) -> LearningCurve:
    """Fit the line; needs two sizes at least.

    >>> curve = learning_curve("tier", [(1000, 0.6), (2000, 0.68), (4000, 0.744)])
    >>> round(curve.doubled, 2)
    0.8
    """
    if len(points) < 2:
        raise ValueError(f"expected two sizes or more, found {len(points)}")
    sizes, figures = np.array(sorted(points), dtype=float).T
    errors = np.log(np.maximum(1 - figures, 1e-6))
    slope, _ = np.polyfit(np.log(sizes), errors, 1)
    at_end = errors[-1] + min(slope, 0.0) * np.log(2.0)
    return LearningCurve(
        target, tuple((int(n), float(f)) for n, f in zip(sizes, figures, strict=True)), float(1 - np.exp(at_end))
    )
