"""What an automation really saved, from the day of its decision on, against what would have come without it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from triage_ml.value.touch_time import plausible_limit

__all__ = ["Realised", "WeekOfWork", "realised"]

#: Weeks before the decision that say how many came, and what a ticket took.
VOLUME_WEEKS, TOUCH_WEEKS = 8, 16
#: Hours are wrong by at least this much relative to what they are (80 %): what one ticket takes is never known exactly.
FLOOR = 0.05
#: How seldom fewer tickets than expected may be chance, before the difference counts as tickets that did not come.
CHANCE = 0.05
#: Controls that are at least this large beside the pattern say how far volume moves by itself.
COMPARABLE = 0.5
#: Mean efforts of weeks vary at least so much (standard deviation of the logarithm), and that is no error.
WEEKLY_SPREAD = 0.3


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
    came more than expected in sibling patterns. They count only where the drop is beyond Poisson chance (with the rate of
    the weeks before) and beyond what controls of its size do by themselves (placebo test, Abadie, Diamond and Hainmueller
    2010). What was reopened is not closed for good.

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
    before = _tamed(sorted((one for one in own if one.week < since), key=lambda one: one.week))
    after = [one for one in own if one.week >= since]
    weeks = sum(week >= since for week in known)
    touch = _touch(before[-TOUCH_WEEKS:])
    if not weeks or touch is None:
        return None
    names = [week for week in known if before[0].week <= week < since][-VOLUME_WEEKS:]
    changes = (_Change.of(weekly, names, since, weeks) for weekly in controls.values())
    placebo = [one for one in changes if one.before > 0]  # what came up since says nothing about exposure
    change = sum(one.after for one in placebo) / max(sum(one.before for one in placebo), 1e-9) if placebo else 1.0
    mine = _Change.of(own, names, since, weeks)
    prevented = 0.0
    if _is_drop(mine, change, placebo, (len(names), weeks)):
        elsewhere = _Change.of(siblings, names, since, weeks)
        moved = max(elsewhere.after - elsewhere.before * change, 0.0)
        prevented = max(mine.before * change - mine.after - moved, 0.0) * weeks
    automated = sum(one.automated for one in after)
    hours = (automated + prevented) * touch * _touch_change(controls.values(), names, since) / 60
    spread = _relative_error(before[-TOUCH_WEEKS:], automated + prevented)
    return Realised(hours, hours * (1 - spread), hours * (1 + spread), weeks, automated, prevented)


@dataclass(frozen=True)
class _Change:
    """Tickets a week: the median of the weeks before, and the mean since."""

    before: float
    after: float

    @classmethod
    def of(cls, weekly: Sequence[WeekOfWork], names: Sequence[str], since: str, weeks: int) -> _Change:
        counts = {one.week: one.tickets for one in weekly}
        before = float(np.median([counts.get(week, 0) for week in names])) if names else 0.0
        return cls(before, sum(count for week, count in counts.items() if week >= since) / weeks)


def _is_drop(mine: _Change, change: float, placebo: Sequence[_Change], weeks: tuple[int, int]) -> bool:
    """Whether fewer came than chance and the ups and downs of other patterns explain; `weeks` before and since."""
    expected = mine.before * change
    if expected <= mine.after or expected <= 0:
        return False
    seen, since = weeks
    below = float(special.betainc(mine.before * seen, round(mine.after * since) + 1, seen / (seen + since * change)))
    if below >= CHANCE:
        return False
    alike = [one.after / one.before for one in placebo if one.before >= max(COMPARABLE * mine.before, 1.0)]
    as_low = sum(ratio <= mine.after / mine.before for ratio in alike)
    return (as_low + 1) / (len(alike) + 1) < CHANCE if len(alike) >= 1 / CHANCE else True


def _touch_change(controls: Iterable[Sequence[WeekOfWork]], names: Sequence[str], since: str) -> float:
    """How minutes a ticket changed among the controls."""
    rows = [one for weekly in controls for one in _tamed(weekly)]
    calm = _touch([one for one in rows if names and names[0] <= one.week < since])
    busy = _touch([one for one in rows if one.week >= since])
    return busy / calm if calm and busy else 1.0


def _tamed(weeks: Sequence[WeekOfWork]) -> list[WeekOfWork]:
    """The same weeks, those whose mean effort no other week comes near (a clock left running) set to what is plausible."""
    means = np.array([one.minutes / one.logged for one in weeks if one.logged], dtype=np.float64)
    limit = plausible_limit(means, floor=WEEKLY_SPREAD)
    return [replace(one, minutes=min(one.minutes, one.logged * limit)) if one.logged else one for one in weeks]


def _touch(weeks: Sequence[WeekOfWork]) -> float | None:
    logged = sum(one.logged for one in weeks)
    return sum(one.minutes for one in weeks) / logged if logged else None


def _relative_error(before: Sequence[WeekOfWork], saved: float) -> float:
    """80 %: the error of the mean touch time, week by week, and that of what the saved tickets would have taken."""
    means: NDArray[np.float64] = np.array([one.minutes / one.logged for one in before if one.logged])
    logged = sum(one.logged for one in before)
    variation = float(means.std(ddof=1) / means.mean()) * np.sqrt(logged / len(means)) if len(means) > 1 else 1.0
    error = variation * np.sqrt(1 / max(logged, 1) + 1 / max(saved, 1.0))
    return float(min(1.2816 * error + FLOOR, 1.0))
