"""How many tickets a week, how that changes, and how many hours it makes, each with what is not known about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from triage_ml.value.arrivals import ticket_quantiles
from triage_ml.value.touch_time import TouchTime

__all__ = ["Hours", "Trend", "hours_a_week", "trend", "with_many_tests"]

RECENT_WEEKS = 4
EARLIER_WEEKS = 12
#: A burst is at least this many times the other recent weeks.
BURST = 2.5
_GRID = (np.arange(100) + 0.5) / 100


@dataclass(frozen=True)
class Hours:
    """Hours a week with their 10th, 50th and 90th percentile."""

    p10: float
    p50: float
    p90: float


@dataclass(frozen=True)
class Trend:
    """Tickets a week now over before, with an 80 % interval; None where there is no earlier week to compare with.

    `p_value` is two-sided. `is_burst` says that the growth rests on one week alone: an outage, not a trend. `is_sure` says
    that the change stands although many patterns were looked at.
    """

    ratio: float | None
    low: float | None
    high: float | None
    p_value: float | None = None
    is_burst: bool = False
    is_sure: bool = True

    @property
    def direction(self) -> str:
        """`growing`, `fading` or `burst` where the interval says so, else `steady`; `unknown` without earlier weeks."""
        if self.low is None or self.high is None:
            return "unknown"
        if self.is_burst:
            return "burst"
        if not self.is_sure or self.low <= 1.0 <= self.high:
            return "steady"
        return "growing" if self.low > 1.0 else "fading"


def hours_a_week(weekly: Sequence[int], touch: TouchTime) -> Hours:
    """Hours of work a week over the next four weeks, from `weekly` counts.

    Tickets as `ticket_quantiles` foretells them, times touch time, log-normal with the standard error of its mean. The
    quantiles are those of the product over a grid of equally likely values of both, so nothing is drawn at random.
    """
    if touch.minutes <= 0 or not len(weekly):
        return Hours(0.0, 0.0, 0.0)
    tickets = ticket_quantiles(weekly, _GRID)
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
    ratio, low, high = _ratio(sum(recent), len(recent), sum(earlier), len(earlier))
    equal = len(recent) / len(counts)
    below = float(special.betainc(sum(recent) + 0.5, sum(earlier) + 0.5, equal))
    return Trend(ratio, low, high, 2 * min(below, 1 - below), low > 1 and _rests_on_one_week(recent, earlier))


def with_many_tests(trends: Sequence[Trend], *, false_share: float = 0.1) -> list[Trend]:
    """The same trends, sure only where they stand up to having looked at all of them (Benjamini and Hochberg 1995).

    At most `false_share` of those that are called growing or fading are neither.
    """
    tested = sorted(one.p_value for one in trends if one.p_value is not None)
    passing = [p for rank, p in enumerate(tested, start=1) if p <= false_share * rank / len(tested)]
    limit = max(passing, default=0.0)
    return [replace(one, is_sure=one.p_value is not None and one.p_value <= limit) for one in trends]


def _ratio(recent: int, recent_weeks: int, earlier: int, earlier_weeks: int) -> tuple[float, float, float]:
    share = special.betaincinv(recent + 0.5, earlier + 0.5, np.array([0.5, 0.1, 0.9]))
    ratio, low, high = (share / (1 - share) * earlier_weeks / recent_weeks).tolist()
    return ratio, low, high


def _rests_on_one_week(recent: Sequence[int], earlier: Sequence[int]) -> bool:
    """Without the highest of its weeks nothing would have grown, and that week towers above the others."""
    others = sorted(recent)[:-1]
    if not others or max(recent) < BURST * max(float(np.median(others)), 1.0):
        return False
    _, low, _ = _ratio(sum(others), len(others), sum(earlier), len(earlier))
    return low <= 1.0
