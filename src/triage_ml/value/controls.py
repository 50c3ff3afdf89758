"""What patterns that nobody automated did meanwhile: how far volume and effort move by themselves, together and each alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from triage_ml.value.touch_time import plausible_limit

__all__ = ["Change", "Drift", "Span", "WeekOfWork", "mean_minutes", "tamed", "ticket_spread"]

#: Mean efforts of weeks vary at least so much (standard deviation of the logarithm), and that of one ticket about so much:
#: neither is an error.
WEEKLY_SPREAD, TICKET_SPREAD = 0.3, 0.6
#: Controls with fewer tickets in either span say nothing of their own about how far patterns move.
FEWEST = 5
#: Median of the absolute value of a standard normal variable.
_MEDIAN_NORMAL = 0.6745

FloatArray = NDArray[np.float64]


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
class Span:
    """The weeks before that are compared, the first week after them, and how many weeks there are from it on."""

    before: Sequence[str]
    since: str
    after: int


@dataclass(frozen=True)
class Change:
    """Tickets a week: the median of the weeks before, which no outage moves, and the mean since."""

    before: float
    after: float

    @classmethod
    def of(cls, weekly: Sequence[WeekOfWork], span: Span) -> Change:
        """The change of one pattern; weeks without tickets may be left out."""
        counts = {one.week: one.tickets for one in weekly}
        before = float(np.median([counts.get(week, 0) for week in span.before])) if span.before else 0.0
        return cls(before, sum(count for week, count in counts.items() if week >= span.since) / span.after)

    def log_ratio(self, span: Span, expected: float) -> tuple[float, float]:
        """Logarithm of the rate ratio beside the `expected` one, and its Poisson variance (the delta method, with half a
        ticket added on either side: Haldane 1956)."""
        before, after = self.before * len(span.before) + 0.5, self.after * span.after + 0.5
        ratio = np.log(after / before * len(span.before) / span.after / expected)
        return float(ratio), 1 / before + 1 / after


@dataclass(frozen=True)
class Drift:
    """How the controls moved.

    Attributes
    ----------
    volume, touch
        Rate ratio of tickets a week and of minutes a ticket, since over before; the latter for the same mix of patterns.
    volume_spread, touch_spread
        Standard deviation of the logarithm of each from pattern to pattern, beyond what counts by chance.
    scores
        Shape (controls,): each control's change in volume in standard deviations, as a placebo.
    ticket
        Standard deviation over mean of one ticket's minutes, of the controls (root mean square); None where too little is logged.
    """

    volume: float
    volume_spread: float
    touch: float
    touch_spread: float
    scores: FloatArray
    ticket: float | None

    @classmethod
    def of(cls, controls: Iterable[Sequence[WeekOfWork]], span: Span) -> Drift:
        """The drift of these controls; what came up since says nothing about it."""
        weeks = list(controls)
        changes = [one for one in (Change.of(weekly, span) for weekly in weeks) if one.before > 0]
        volume = sum(one.after for one in changes) / sum(one.before for one in changes) if changes else 1.0
        volume = volume or 1.0
        enough = [one for one in changes if one.before * max(len(span.before), 1) >= FEWEST]
        ratios, variances = _columns(one.log_ratio(span, volume) for one in enough)
        spread = spread_beyond(ratios, variances)
        touch, touch_spread, ticket = _touch_drift(weeks, span)
        return cls(volume, spread, touch, touch_spread, ratios / np.sqrt(variances + spread**2), ticket)

    def score(self, change: Change, span: Span) -> float:
        """How many standard deviations the change lies from what the controls did: chance, and that each moves by itself."""
        ratio, variance = change.log_ratio(span, self.volume)
        return ratio / float(np.sqrt(variance + self.volume_spread**2))


def spread_beyond(values: FloatArray, variances: FloatArray) -> float:
    """Standard deviation between values about zero that have these variances of their own; 0 where those explain it.

    As Paule and Mandel (1982) find the variance between laboratories, with the median in the place of the mean: what fades
    or breaks out among the controls is a few, and not how a pattern moves.
    """
    if len(values) < 2:
        return 0.0
    low, high = 0.0, float(np.abs(values).max()) / _MEDIAN_NORMAL
    for _ in range(40):
        middle = (low + high) / 2
        deviations = np.sqrt(variances + middle**2)
        too_wide = np.median(np.abs(values) - _MEDIAN_NORMAL * deviations) < 0
        low, high = (low, middle) if too_wide else (middle, high)
    return high if high > 1e-6 else 0.0


def tamed(weeks: Sequence[WeekOfWork]) -> list[WeekOfWork]:
    """The same weeks, those whose mean effort no other week comes near (a clock left running) set to what is plausible; the
    mean of few tickets may lie further off."""
    logged = [one for one in weeks if one.logged]
    if not logged:
        return list(weeks)
    means = np.array([one.minutes / one.logged for one in logged], dtype=np.float64)
    usual = float(np.median([one.logged for one in logged]))
    limit = plausible_limit(means, floor=float(np.hypot(WEEKLY_SPREAD, TICKET_SPREAD / np.sqrt(usual))))
    return [replace(one, minutes=min(one.minutes, one.logged * limit)) if one.logged else one for one in weeks]


def mean_minutes(weeks: Iterable[WeekOfWork]) -> tuple[float, int]:
    """Minutes a ticket, and how many tickets logged them; (0, 0) where none did."""
    minutes, logged = 0.0, 0
    for one in weeks:
        minutes, logged = minutes + one.minutes, logged + one.logged
    return (minutes / logged, logged) if logged else (0.0, 0)


def ticket_spread(weeks: Sequence[WeekOfWork]) -> float | None:
    """Standard deviation over mean of one ticket's minutes, from the means of weeks; None with fewer than two of them.

    The mean of a week with n tickets has the variance of one ticket over n, so each week's squared distance times n
    estimates it.
    """
    logged = [one for one in weeks if one.logged]
    mean, _ = mean_minutes(logged)
    if len(logged) < 2 or mean <= 0:
        return None
    squares = sum(one.logged * (one.minutes / one.logged - mean) ** 2 for one in logged)
    return float(np.sqrt(squares / (len(logged) - 1)) / mean)


def _touch_drift(controls: Sequence[Sequence[WeekOfWork]], span: Span) -> tuple[float, float, float | None]:
    """Change in minutes a ticket at the mix of tickets since (a Paasche index), its spread, and the spread of one ticket."""
    first = span.before[0] if span.before else span.since
    pairs, spreads = [], []
    for weekly in map(tamed, controls):
        before = [one for one in weekly if first <= one.week < span.since]
        pair = (*mean_minutes(before), *mean_minutes(one for one in weekly if one.week >= span.since))
        if pair[0] > 0 and pair[2] > 0:
            pairs.append(pair)
        if pair[1] >= FEWEST:
            spreads += [one for one in [ticket_spread(before)] if one is not None]
    ticket = float(np.sqrt(np.mean(np.square(spreads)))) if spreads else None
    if not pairs:
        return 1.0, 0.0, ticket
    calm, seen, busy, since = np.array(pairs, dtype=np.float64).T
    touch = float((busy * since).sum() / (calm * since).sum())
    enough = (seen >= FEWEST) & (since >= FEWEST)
    ratios, each = np.log(busy / calm / touch)[enough], (1 / seen + 1 / since)[enough]
    return touch, spread_beyond(ratios, each * (TICKET_SPREAD if ticket is None else ticket) ** 2), ticket


def _columns(rows: Iterable[tuple[float, float]]) -> tuple[FloatArray, FloatArray]:
    table = np.array(list(chain.from_iterable(rows)), dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]
