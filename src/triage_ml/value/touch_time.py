"""Minutes of work a ticket takes, and where that number comes from. Never the time between open and close."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Source", "TouchTime", "plausible_limit", "touch_time"]

#: `logged`: enough logged effort of its own; `proxy`: minutes by tier that the desk states; `category`: mostly its category's;
#: `all`: mostly that of all tickets.
Source = Literal["logged", "proxy", "category", "all", "unknown"]

#: The category counts as much as this many tickets of the pattern's own.
PRIOR_TICKETS = 5
#: Effort beyond these quantiles is set to them: typing errors and clocks left running.
WINSOR = (0.01, 0.98)
#: Of a few tickets the highest is an error where it lies this many standard deviations above the median, on the scale of the
#: logarithm; efforts that are very much alike are taken to vary at least by `LEAST_SPREAD`. `FARTHER` is for efforts of
#: another kind of ticket than those that they are held against.
FAR, FARTHER, LEAST_SPREAD = 3.0, 5.0, 0.5
LOGGED_FROM = 5
#: What a desk states is off by this much (standard deviation of the logarithm).
PROXY_SPREAD = 0.4

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class TouchTime:
    """Mean minutes a ticket; `spread` is the standard error of its logarithm, `tickets` how many logged effort."""

    minutes: float
    spread: float
    tickets: int
    source: Source


def touch_time(
    logged: FloatArray, category: FloatArray, everything: FloatArray, proxy: float | None = None
) -> TouchTime:
    """Touch time of a pattern.

    The winsorised mean of its logged efforts, shrunk towards its category: (n mean + k prior) / (n + k), with k
    `PRIOR_TICKETS` (the credibility formula, Bühlmann 1967). The prior is the category's winsorised mean, or that of all
    tickets where the category logged less than `LOGGED_FROM` efforts; fewer than that of its own are held against what is
    plausible there. Without any effort at all the time is unknown and 0.

    Parameters
    ----------
    logged, category, everything
        Minutes, each of shape (tickets,), NaN where nothing was logged: of the pattern, of its category, of all.
    proxy
        Minutes that the desk states for such tickets; taken where the pattern itself logged less than `LOGGED_FROM` efforts.
    """
    own, wider = _known(logged), _known(category)
    prior_source: Source = "category"
    if proxy is not None and proxy > 0 and len(own) < LOGGED_FROM:
        return TouchTime(proxy, PROXY_SPREAD, len(own), "proxy")
    if len(wider) < LOGGED_FROM:
        wider, prior_source = _known(everything), "all"
    if len(wider) == 0:
        wider = own
    if len(wider) == 0:
        return TouchTime(0.0, 0.0, 0, "unknown")
    if len(own) < LOGGED_FROM <= len(wider):
        own = np.minimum(own, plausible_limit(wider, far=FARTHER))
    prior = float(_winsorised(wider).mean())
    shrunk = (float(_winsorised(own).sum()) + PRIOR_TICKETS * prior) / (len(own) + PRIOR_TICKETS) if len(own) else prior
    source: Source = "logged" if len(own) >= LOGGED_FROM else prior_source
    return TouchTime(shrunk, _relative_error(own if len(own) >= LOGGED_FROM else wider, len(own)), len(own), source)


def plausible_limit(minutes: FloatArray, *, far: float = FAR, floor: float = LEAST_SPREAD) -> float:
    """Minutes above which an effort is an error: `far` robust standard deviations above the median of the logarithms.

    The deviation is 1.4826 times the median absolute deviation (Hampel 1974), at least `floor`: unlike a quantile it does
    not follow the outlier where there are few efforts. No more than the highest 2 % (one of a few) are ever above it: what
    comes more often is how such tickets are. Efforts of zero say nothing about it; without others there is no limit.
    """
    worked = np.log(minutes[minutes > 0])
    if len(worked) == 0:
        return float("inf")
    middle = float(np.median(worked))
    spread = 1.4826 * float(np.median(np.abs(worked - middle)))
    usual = float(np.quantile(minutes, WINSOR[1], method="lower"))
    return max(float(np.exp(middle + far * max(spread, floor))), usual)


def _known(minutes: FloatArray) -> FloatArray:
    known: FloatArray = minutes[np.isfinite(minutes) & (minutes >= 0)]
    return known


def _winsorised(minutes: FloatArray) -> FloatArray:
    if len(minutes) == 0:
        return minutes
    low, high = np.quantile(minutes, WINSOR)
    clipped: FloatArray = np.clip(minutes, low, min(high, plausible_limit(minutes)))
    return clipped


def _relative_error(minutes: FloatArray, own: int) -> float:
    """Standard error of the mean over the mean, as if `own + PRIOR_TICKETS` tickets had been seen."""
    clipped = _winsorised(minutes)
    mean = float(clipped.mean())
    if mean <= 0:
        return 0.0
    return float(min(clipped.std() / mean / np.sqrt(own + PRIOR_TICKETS), 1.0))
