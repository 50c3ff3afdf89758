"""How many tickets a week, how that changes, and how many hours it makes, each with what is not known about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from triage_ml.value.touch_time import TouchTime

__all__ = ["Hours", "Trend", "hours_a_week", "trend"]

RECENT_WEEKS = 4
EARLIER_WEEKS = 12
#: Gamma(shape, rate) prior of tickets a week: as if half a ticket had been seen in a tenth of a week (near Jeffreys').
PRIOR_SHAPE, PRIOR_WEEKS = 0.5, 0.1
HORIZON_WEEKS = 4
_GRID = (np.arange(100) + 0.5) / 100


@dataclass(frozen=True)
class Hours:
    """Hours a week with their 10th, 50th and 90th percentile."""

    p10: float
    p50: float
    p90: float


@dataclass(frozen=True)
class Trend:
    """Tickets a week now over before, with an 80 % interval; None where there is no earlier week to compare with."""

    ratio: float | None
    low: float | None
    high: float | None

    @property
    def direction(self) -> str:
        """`growing` or `fading` where the interval says so, else `steady`; `unknown` without earlier weeks."""
        if self.low is None or self.high is None:
            return "unknown"
        if self.low > 1.0:
            return "growing"
        return "fading" if self.high < 1.0 else "steady"


def hours_a_week(weekly: Sequence[int], touch: TouchTime) -> Hours:
    """Hours of work a week over the next `HORIZON_WEEKS`, from the latest `RECENT_WEEKS` of `weekly` counts.

    The rate is Gamma distributed given Poisson counts: shape a = 0.5 + sum of counts, rate b = 0.1 + weeks of exposure
    (Gelman et al., Bayesian Data Analysis, section 2.6). Tickets over the horizon h are then negative binomial with a and
    b / (b + h). Times touch time, log-normal with the standard error of its mean. The quantiles are those of the product
    over a grid of equally likely values of both, so nothing is drawn at random.
    """
    recent = list(weekly)[-RECENT_WEEKS:]
    if touch.minutes <= 0 or not recent:
        return Hours(0.0, 0.0, 0.0)
    shape, exposure = PRIOR_SHAPE + sum(recent), PRIOR_WEEKS + len(recent)
    tickets = _negative_binomial(shape, exposure / (exposure + HORIZON_WEEKS)) / HORIZON_WEEKS
    minutes = touch.minutes * np.exp(special.ndtri(_GRID) * touch.spread)
    p10, p50, p90 = np.quantile(np.outer(tickets, minutes).ravel() / 60, [0.1, 0.5, 0.9])
    return Hours(float(p10), float(p50), float(p90))


def trend(weekly: Sequence[int]) -> Trend:
    """Rate of the last `RECENT_WEEKS` over the rate of up to `EARLIER_WEEKS` before them.

    Given the total, the recent count is binomial; with Jeffreys' prior its share s is Beta(x1 + 1/2, x2 + 1/2), and the
    ratio is s / (1 - s) times earlier over recent weeks (Przyborowski and Wilenski 1940, in the Bayesian form of Price and
    Bonett 2000). With fewer than eight weeks of history the history is halved.
    """
    counts = list(weekly)[-(RECENT_WEEKS + EARLIER_WEEKS) :]
    recent_weeks = min(RECENT_WEEKS, len(counts) // 2)
    if recent_weeks == 0 or sum(counts) == 0:
        return Trend(None, None, None)
    recent, earlier = counts[-recent_weeks:], counts[:-recent_weeks]
    share = special.betaincinv(sum(recent) + 0.5, sum(earlier) + 0.5, np.array([0.5, 0.1, 0.9]))
    ratio, low, high = (share / (1 - share) * len(earlier) / len(recent)).tolist()
    return Trend(ratio, low, high)


def _negative_binomial(shape: float, success: float) -> NDArray[np.int64]:
    """Equally likely counts: the quantiles at `_GRID`, by the distribution function I_success(shape, count + 1)."""
    mean = shape * (1 - success) / success
    most = int(mean + 12 * np.sqrt(mean / success)) + 10
    below = special.betainc(shape, np.arange(1, most + 1), success)
    counts: NDArray[np.int64] = np.searchsorted(below, _GRID)
    return counts
