"""What an automation really saved, from the day of its decision on, against what would have come without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from triage_ml.value.controls import Change, Drift, Span, WeekOfWork, mean_minutes, tamed, ticket_spread

__all__ = ["Realised", "WeekOfWork", "realised"]

#: Weeks before the decision that say how many came, and what a ticket took.
VOLUME_WEEKS, TOUCH_WEEKS = 8, 16
#: How seldom fewer tickets than expected may be chance, before the difference counts as tickets that did not come; and
#: that quantile of a standard normal variable. Nobody should be told of savings that are none.
CHANCE, FAR_BELOW = 0.01, -2.3263
#: From so many controls on, no larger share of them may have fallen as far by themselves.
PLACEBOS = 20
#: The interval is meant to hold the truth nine times in ten.
Z = 1.6449
#: Variance of a median over that of the mean of as many normal values.
OF_A_MEDIAN = float(np.pi / 2)
#: The spread of one ticket among the controls counts as much as so many weeks of the pattern's own.
PRIOR_WEEKS = 4
#: Efforts that are logged as if all were alike vary at least so much.
LEAST_SPREAD = 0.2


@dataclass(frozen=True)
class Realised:
    """Hours saved so far, with a 90 % interval, and a week; `prevented` are tickets that did not come at all."""

    hours: float
    low: float
    high: float
    weeks: int
    automated: int
    prevented: float

    @property
    def hours_a_week(self) -> float:
        """Hours saved a week since the decision."""
        return self.hours / self.weeks if self.weeks else 0.0


def realised(
    own: Sequence[WeekOfWork],
    controls: Mapping[str, Sequence[WeekOfWork]],
    since: str,
    siblings: Sequence[WeekOfWork] = (),
) -> Realised | None:
    """Hours saved since the week of the decision; None without a week before it and one from it on.

    Saved is (tickets that the automation closed + tickets that did not come) x touch time before x the controls' change in
    touch time. Tickets that did not come are those expected from the median week before, times the controls' change in
    volume (exposure and season; difference in differences, Card and Krueger 1994), minus those that came, minus those that
    came more than expected in sibling patterns. They count in `hours` only where the rate ratio beside the controls' lies below
    what chance explains, with Poisson counts and the spread between patterns as overdispersion (McCullagh and Nelder 1989,
    section 6.2), and below what all but few controls did by themselves (placebo test, Abadie, Diamond and Hainmueller
    2010). What was reopened is not closed for good.

    The interval puts two together: how many tickets were saved, between so few and so many as may not have come (normal; their
    baseline, what came, and the spread of volume between patterns), and what those took (log-normal; the touch time before
    and what the saved ones would have taken, by the spread of one ticket, and the spread of the controls' change in touch
    time). Tickets that don't count may not have come all the same, so the upper end has them, and the lower end has none.

    Parameters
    ----------
    own, controls
        Weeks of the pattern, and of each pattern without an automation; weeks without tickets may be left out.
    since
        The week of the decision, as `2026-W47`.
    siblings
        Weeks of the patterns that its tickets would go to if they were worded differently.
    """
    known = sorted({one.week for weekly in (own, siblings, *controls.values()) for one in weekly})
    before = tamed(sorted((one for one in own if one.week < since), key=lambda one: one.week))[-TOUCH_WEEKS:]
    weeks = sum(week >= since for week in known)
    touch, logged = mean_minutes(before)
    if not weeks or not logged:
        return None
    first = min(one.week for one in own)
    span = Span([week for week in known if first <= week < since][-VOLUME_WEEKS:], since, weeks)
    drift = Drift.of(controls.values(), span)
    fewer = _fewer(Change.of(own, span), Change.of(siblings, span), drift, span)
    automated = sum(one.automated for one in own if one.week >= since)
    one = _spread_of_one(before, drift.ticket) ** 2

    def hours(saved: float, way: int) -> float:
        """What so many saved tickets are worth: by the means (0), at least (-1), at most (1)."""
        if saved <= 0:
            return 0.0
        spread = float(np.sqrt(one * (1 / logged + 1 / saved) + drift.touch_spread**2))
        return saved * touch * drift.touch / 60 * float(np.exp(way * Z * spread))

    worth, low, high = (hours(automated + tickets, way) for tickets, way in zip(fewer, (0, -1, 1), strict=True))
    return Realised(worth, low, high, weeks, automated, fewer.counted)


class _Fewer(NamedTuple):
    """Tickets that did not come: those that count, and how few and how many there may be."""

    counted: float
    least: float
    most: float


def _fewer(mine: Change, elsewhere: Change, drift: Drift, span: Span) -> _Fewer:
    expected, came = mine.before * drift.volume * span.after, mine.after * span.after
    if not expected:
        return _Fewer(0.0, 0.0, 0.0)
    moved = max(elsewhere.after - elsewhere.before * drift.volume, 0.0) * span.after
    fewer = expected - came - moved
    baseline = OF_A_MEDIAN / (mine.before * len(span.before)) + drift.volume_spread**2
    reach = Z * float(np.sqrt(expected**2 * baseline + came + moved))
    most = max(fewer + reach, 0.0)
    if fewer <= 0 or not _is_drop(drift.score(mine, span), drift):
        return _Fewer(0.0, 0.0, most)
    return _Fewer(fewer, max(fewer - reach, 0.0), most)


def _is_drop(score: float, drift: Drift) -> bool:
    """Whether fewer came than chance and the ups and downs of other patterns explain."""
    as_low = int((drift.scores <= score).sum())
    return score < FAR_BELOW and (len(drift.scores) < PLACEBOS or as_low <= CHANCE * len(drift.scores))


def _spread_of_one(before: Sequence[WeekOfWork], typical: float | None) -> float:
    """Standard deviation over mean of one ticket's minutes, its own estimate drawn towards the typical one; 1 where neither
    is known."""
    own, weeks = ticket_spread(before), sum(one.logged > 0 for one in before)
    if own is None and typical is None:
        return 1.0
    if own is None or typical is None:
        return max(own or 0.0, typical or 0.0, LEAST_SPREAD)
    pooled = (PRIOR_WEEKS * typical**2 + (weeks - 1) * own**2) / (PRIOR_WEEKS + weeks - 1)
    return max(float(np.sqrt(pooled)), LEAST_SPREAD)
