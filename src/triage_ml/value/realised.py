"""What an automation really saved, from the day of its decision on, against what would have come without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["Realised", "WeekOfWork", "realised"]

#: Weeks before the decision that say what a ticket took.
BEFORE_WEEKS = 8
#: Hours are wrong by at least this much relative to what they are (80 %): what one ticket takes is never known exactly.
FLOOR = 0.05


@dataclass(frozen=True)
class WeekOfWork:
    """One week of a pattern, or of the controls: tickets, those that an automation closed for good, people's minutes on the
    others, and how many of the others have their effort logged."""

    week: str
    tickets: int
    automated: int
    logged: int
    minutes: float


@dataclass(frozen=True)
class Realised:
    """Hours saved so far, with an 80 % interval, and a week; `prevented` are tickets that did not come at all."""

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


def realised(own: Sequence[WeekOfWork], controls: Sequence[WeekOfWork], since: str) -> Realised | None:
    """Hours saved since the week of the decision; None without a week before it and one from it on.

    Saved is (tickets that the automation closed + tickets that did not come) x touch time before x the controls' change in
    touch time. Tickets that did not come are those expected from the weeks before, times the controls' change in volume
    (exposure and season; difference in differences, Card and Krueger 1994), minus those that came; they count only where the
    difference is beyond chance (one-sided 95 %, Poisson with the rate of the weeks before). What was reopened is not closed
    for good, and what went to a sibling pattern has to be counted as that pattern's tickets by the caller.

    Parameters
    ----------
    own, controls
        Weeks of the pattern, and of all patterns without an automation; weeks without tickets may be left out.
    since
        The week of the decision, as `2026-W47`.
    """
    before = sorted((one for one in own if one.week < since), key=lambda one: one.week)[-BEFORE_WEEKS:]
    after = [one for one in own if one.week >= since]
    calm = [one for one in controls if before and before[0].week <= one.week < since]
    busy = [one for one in controls if one.week >= since]
    weeks = len({one.week for one in (*after, *busy)})
    touch = _touch(before)
    if not weeks or touch is None:
        return None
    drift = (_touch(busy) or 1.0) / (_touch(calm) or 1.0) if _touch(calm) and _touch(busy) else 1.0
    automated = sum(one.automated for one in after)
    arrived = sum(one.tickets for one in after)
    rate = sum(one.tickets for one in before) / len(before)
    expected = rate * weeks * _volume_change(calm, busy)
    prevented = max(expected - arrived, 0.0) if _is_fewer(arrived, expected, rate * len(before)) else 0.0
    hours = (automated + prevented) * touch * drift / 60
    spread = _relative_error(before, automated + prevented)
    return Realised(hours, hours * (1 - spread), hours * (1 + spread), weeks, automated, prevented)


def _touch(weeks: Sequence[WeekOfWork]) -> float | None:
    logged = sum(one.logged for one in weeks)
    return sum(one.minutes for one in weeks) / logged if logged else None


def _volume_change(calm: Sequence[WeekOfWork], busy: Sequence[WeekOfWork]) -> float:
    if not calm or not busy:
        return 1.0
    change: float = _mean_tickets(busy) / max(_mean_tickets(calm), 1e-9)
    return change


def _mean_tickets(weeks: Sequence[WeekOfWork]) -> float:
    return sum(one.tickets for one in weeks) / len({one.week for one in weeks})


def _is_fewer(arrived: int, expected: float, seen_before: float) -> bool:
    """Whether fewer came than chance alone explains, given how well the rate was known."""
    if expected <= 0 or seen_before <= 0:
        return False
    success = seen_before / (seen_before + expected)
    below = float(special.betainc(seen_before, arrived + 1, success))
    return below < 0.05


def _relative_error(before: Sequence[WeekOfWork], saved: float) -> float:
    """80 %: the error of the mean touch time, week by week, and that of what the saved tickets would have taken."""
    means: NDArray[np.float64] = np.array([one.minutes / one.logged for one in before if one.logged])
    logged = sum(one.logged for one in before)
    variation = float(means.std(ddof=1) / means.mean()) * np.sqrt(logged / len(means)) if len(means) > 1 else 1.0
    error = variation * np.sqrt(1 / max(logged, 1) + 1 / max(saved, 1.0))
    return float(min(1.2816 * error + FLOOR, 1.0))
