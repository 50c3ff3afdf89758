"""Minutes of work a ticket takes, and where that number comes from. Never the time between open and close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Source", "TouchTime", "touch_time"]

#: `logged`: enough logged effort of its own; `category`: mostly its category's; `all`: mostly that of all tickets.
Source = Literal["logged", "category", "all", "unknown"]

#: The category counts as much as this many tickets of the pattern's own.
PRIOR_TICKETS = 5
#: Effort beyond these quantiles is set to them: typing errors and clocks left running.
WINSOR = (0.01, 0.98)
LOGGED_FROM = 5

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class TouchTime:
    """Mean minutes a ticket; `spread` is the standard error of its logarithm, `tickets` how many logged effort."""

    minutes: float
    spread: float
    tickets: int
    source: Source


def touch_time(logged: FloatArray, category: FloatArray, everything: FloatArray) -> TouchTime:
    """Touch time of a pattern.

    The winsorised mean of its logged efforts, shrunk towards its category: (n mean + k prior) / (n + k), with k
    `PRIOR_TICKETS` (the credibility formula, Bühlmann 1967). The prior is the category's winsorised mean, or that of all
    tickets where the category logged less than `LOGGED_FROM` efforts. Without any effort at all the time is unknown and 0.

    Parameters
    ----------
    logged, category, everything
        Minutes, each of shape (tickets,), NaN where nothing was logged: of the pattern, of its category, of all.
    """
    own, wider = _known(logged), _known(category)
    prior_source: Source = "category"
    if len(wider) < LOGGED_FROM:
        wider, prior_source = _known(everything), "all"
    if len(wider) == 0:
        wider = own
    if len(wider) == 0:
        return TouchTime(0.0, 0.0, 0, "unknown")
    prior = float(_winsorised(wider).mean())
    shrunk = (float(_winsorised(own).sum()) + PRIOR_TICKETS * prior) / (len(own) + PRIOR_TICKETS) if len(own) else prior
    source: Source = "logged" if len(own) >= LOGGED_FROM else prior_source
    return TouchTime(shrunk, _relative_error(own if len(own) >= LOGGED_FROM else wider, len(own)), len(own), source)


def _known(minutes: FloatArray) -> FloatArray:
    known: FloatArray = minutes[np.isfinite(minutes) & (minutes >= 0)]
    return known


def _winsorised(minutes: FloatArray) -> FloatArray:
    if len(minutes) == 0:
        return minutes
    low, high = np.quantile(minutes, WINSOR)
    clipped: FloatArray = np.clip(minutes, low, high)
    return clipped


def _relative_error(minutes: FloatArray, own: int) -> float:
    """Standard error of the mean over the mean, as if `own + PRIOR_TICKETS` tickets had been seen."""
    clipped = _winsorised(minutes)
    mean = float(clipped.mean())
    if mean <= 0:
        return 0.0
    return float(min(clipped.std() / mean / np.sqrt(own + PRIOR_TICKETS), 1.0))
