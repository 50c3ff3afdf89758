"""When tickets arrive: office hours, weekends, month ends, growth, and kinds that appear, fade, burst or are automated."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import numpy as np
import numpy.typing as npt

from triage_ml.simulate.catalogue import CHANNELS, Catalogue, Kind

__all__ = ["Burst", "Calendar", "Change", "Plan", "iso_week", "plan_calendar", "plan_tickets"]

Floats = npt.NDArray[np.float64]

WEEK_SECONDS = 7 * 24 * 3600
GROWTH = 0.18  # more tickets after half a year
WEEK_NOISE = 0.05  # sigma of a week's own ups and downs, log-normal
SEASON = {52: 0.55, 1: 0.7, 31: 0.88, 32: 0.85, 33: 0.88}  # by ISO week: holidays
MONTH_END = 1.9  # times the usual on the last and first working days of a month
#: Changes in half a year; a shorter desk has fewer, but at least one of each.
APPEARING, FADING, BURSTING, AUTOMATED = 8, 6, 6, 7
BURST_SHARE = 0.02  # of a week's tickets, when a kind bursts
#: Share of a weekday's tickets in each of 24 hours, from the start of the office day on.
OFFICE_DAY = (6, 11, 12, 10, 8, 6, 8, 9, 8, 6, 3, 2, 1, 1, 0.7, 0.5, 0.4, 0.3, 0.3, 0.3, 0.4, 0.6, 1.2, 3)
WEEKDAYS = (1.25, 1.08, 1.0, 0.97, 0.85, 0.10, 0.08)


@dataclass(frozen=True)
class Change:
    """Something that happens to the desk in a week; `what` is what a person would write in a diary."""

    week: int
    what: str
    kind: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Burst:
    """An outage: many tickets of one kind within hours. `start` is in seconds from the start of the week."""

    week: int
    kind: int
    start: int
    hours: float


@dataclass(frozen=True)
class Calendar:
    """The desk's time: full ISO weeks that end before `end`.

    `volume` has a row a week and a column a kind, and adds up to 1. `automated_from` is a week for each kind, or a week
    that never comes.
    """

    start: int  # seconds since 1970, UTC: a Monday, 00:00
    weeks: int
    volume: Floats
    automated_from: npt.NDArray[np.int64]
    bursts: tuple[Burst, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def end(self) -> int:
        """The first second after the last week."""
        return self.start + self.weeks * WEEK_SECONDS

    def label(self, week: int) -> str:
        """The ISO week, as `2026-W46`."""
        return iso_week(self.start + week * WEEK_SECONDS)


@dataclass(frozen=True)
class Plan:
    """What arrives, in order of `opened` (seconds since 1970, UTC); one entry a ticket in each array."""

    opened: npt.NDArray[np.int64]
    week: npt.NDArray[np.int16]
    kind: npt.NDArray[np.int16]
    channel: npt.NDArray[np.int8]
    region: npt.NDArray[np.int8]


@dataclass
class _Draft:
    factor: Floats  # week × kind
    automated_from: npt.NDArray[np.int64]
    bursts: list[Burst] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


def iso_week(seconds: int) -> str:
    """ISO week of a moment in UTC."""
    year, week, _ = datetime.fromtimestamp(seconds, UTC).isocalendar()
    return f"{year}-W{week:02d}"


def plan_calendar(catalogue: Catalogue, *, weeks: int, end: date, quiet: bool, rng: np.random.Generator) -> Calendar:
    """Growth and seasons; unless `quiet`, kinds that appear, fade, burst and are automated, and groups that change."""
    kinds = catalogue.kinds
    start = int(datetime(end.year, end.month, end.day, tzinfo=UTC).timestamp()) - weeks * WEEK_SECONDS
    draft = _Draft(np.ones((weeks, len(kinds))), np.full(len(kinds), weeks, dtype=np.int64))
    season = _season(start, weeks, rng)
    weights = np.array([kind.weight for kind in kinds])
    if not quiet and weeks > 1:
        _appear_and_fade(draft, kinds, weeks, rng)
        _automate(draft, kinds, weeks, rng)
        _change_groups(draft, catalogue, weeks)
    volume = season[:, None] * weights * draft.factor
    if not quiet and weeks > 1:
        _burst(draft, kinds, volume, rng)
    changes = tuple(sorted(draft.changes, key=lambda change: (change.week, change.what)))
    return Calendar(start, weeks, volume / volume.sum(), draft.automated_from, tuple(draft.bursts), changes)


def _season(start: int, weeks: int, rng: np.random.Generator) -> Floats:
    first = datetime.fromtimestamp(start, UTC)
    iso = [(first + timedelta(weeks=week)).isocalendar().week for week in range(weeks)]
    usual = np.array([SEASON.get(number, 1.0) for number in iso])
    growth: Floats = (1 + GROWTH) ** (np.arange(weeks) / 26)
    return usual * growth * rng.lognormal(0, WEEK_NOISE, weeks)


def _some(rng: np.random.Generator, options: list[int], per_half_year: int, weeks: int, worth: Floats) -> list[int]:
    """Which kinds it happens to: as many as the time suggests, at least one, at most an eighth of the options."""
    count = min(max(1, round(per_half_year * weeks / 26)), max(1, len(options) // 8), len(options))
    if not count:
        return []
    chosen = rng.choice(options, size=count, replace=False, p=worth[options] / worth[options].sum())
    return [int(kind) for kind in chosen]


def _appear_and_fade(draft: _Draft, kinds: tuple[Kind, ...], weeks: int, rng: np.random.Generator) -> None:
    worth = np.sqrt([kind.weight for kind in kinds])
    free = list(range(len(kinds)))
    after = np.arange(weeks)
    for kind in _some(rng, free, APPEARING, weeks, worth):
        week = int(rng.integers(1, max(2, round(weeks * 0.9))))
        draft.factor[:, kind] = np.clip((after - week + 1) / 2, 0, 1) * 1.5
        draft.changes.append(Change(week, f"appears: {kinds[kind].id}", kind=kinds[kind].id))
        free.remove(kind)
    for kind in _some(rng, free, FADING, weeks, worth):
        week = int(rng.integers(1, max(2, round(weeks * 0.8))))
        draft.factor[:, kind] = np.maximum(np.exp(-np.clip(after - week + 1, 0, None) / 1.5), 0.03)
        draft.changes.append(Change(week, f"fades: {kinds[kind].id}", kind=kinds[kind].id))


def _automate(draft: _Draft, kinds: tuple[Kind, ...], weeks: int, rng: np.random.Generator) -> None:
    worth = np.sqrt([kind.weight * kind.median for kind in kinds])
    lasting = draft.factor.min(axis=0) == 1  # nobody automates what is going away
    options = [i for i, kind in enumerate(kinds) if kind.automation and lasting[i]]
    for kind in _some(rng, options, AUTOMATED, weeks, worth):
        week = int(rng.integers(max(1, weeks // 6), max(2, round(weeks * 0.75))))
        automation = kinds[kind].automation
        draft.automated_from[kind] = week
        what = f"automated: {kinds[kind].id} ({automation.kind if automation else ''})"
        draft.changes.append(Change(week, what, kind=kinds[kind].id))


def _change_groups(draft: _Draft, catalogue: Catalogue, weeks: int) -> None:
    for change in catalogue.organisation.changes:
        what = f"{change.action}: {' + '.join(change.groups)} -> {' + '.join(change.to)}"
        draft.changes.append(Change(change.week_of(weeks), what, group=change.groups[0]))


def _burst(draft: _Draft, kinds: tuple[Kind, ...], volume: Floats, rng: np.random.Generator) -> None:
    """An outage adds tickets to one week, in place: `volume` grows by a share of the week's own."""
    weeks = len(volume)
    options = [i for i, kind in enumerate(kinds) if kind.ticket_type == "incident" and draft.factor[:, i].min() == 1]
    worth = np.sqrt([kind.weight for kind in kinds])
    for kind in _some(rng, options, BURSTING, weeks, worth):
        week = int(rng.integers(1, weeks))
        volume[week, kind] += volume[week].sum() * BURST_SHARE * rng.uniform(0.7, 2.0)
        start = int(rng.integers(0, 5)) * 86_400 + int(rng.integers(6, 16)) * 3600
        draft.bursts.append(Burst(week, kind, start, float(rng.uniform(2, 14))))
        draft.changes.append(Change(week, f"bursts: {kinds[kind].id}", kind=kinds[kind].id))


def plan_tickets(catalogue: Catalogue, calendar: Calendar, tickets: int, rng: np.random.Generator) -> Plan:
    """Exactly `tickets` arrivals, drawn from the calendar's volume and put in order of time."""
    counts = rng.multinomial(tickets, calendar.volume.ravel()).reshape(calendar.volume.shape)
    weeks = [
        _plan_week(catalogue, calendar, week, counts[week], generator)
        for week, generator in enumerate(rng.spawn(calendar.weeks))
    ]
    return Plan(*(np.concatenate(parts) for parts in zip(*weeks, strict=True)))


def _plan_week(
    catalogue: Catalogue, calendar: Calendar, week: int, counts: npt.NDArray[np.int64], rng: np.random.Generator
) -> tuple[npt.NDArray[np.generic], ...]:
    kind = np.repeat(np.arange(len(counts), dtype=np.int16), counts)
    shares = np.array([[entry.channels.get(name, 0.0) for name in CHANNELS] for entry in catalogue.kinds])
    channel = _draw_rows(shares[kind], rng).astype(np.int8)
    regions = catalogue.organisation.regions
    region_shares = np.array([region.share for region in regions])
    region = rng.choice(len(regions), size=len(kind), p=region_shares / region_shares.sum()).astype(np.int8)
    monday = calendar.start + week * WEEK_SECONDS
    month_end = _month_end(monday)
    closing = np.array([k.category in catalogue.organisation.month_end_categories for k in catalogue.kinds])[kind]
    machine = channel == CHANNELS.index("monitoring")
    offset = rng.uniform(0, WEEK_SECONDS, len(kind))
    for code, entry in enumerate(regions):
        for busy in (False, True):
            rows = np.flatnonzero(~machine & (region == code) & (closing == busy))
            offset[rows] = _office_times(entry.first_hour, month_end if busy else np.ones(7), len(rows), rng)
    _gather_bursts(offset, kind, calendar, week, rng)
    opened = monday + np.clip(offset, 0, WEEK_SECONDS - 1).astype(np.int64)
    order = np.argsort(opened, kind="stable")
    numbers = np.full(len(kind), week, dtype=np.int16)
    return opened[order], numbers, kind[order], channel[order], region[order]


def _draw_rows(shares: Floats, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """One column for each row of `shares`, as likely as it says."""
    bounds = np.cumsum(shares, axis=1)
    drawn = rng.random(len(shares)) * bounds[:, -1] if len(shares) else np.empty(0)
    return np.asarray((drawn[:, None] >= bounds[:, :-1]).sum(axis=1), dtype=np.int64)


def _office_times(first_hour: int, days: Floats, count: int, rng: np.random.Generator) -> Floats:
    day = np.array(OFFICE_DAY)
    hours = (np.array(WEEKDAYS) * days)[:, None] * np.roll(day, first_hour)
    hours = hours.ravel() / hours.sum()
    return rng.choice(len(hours), size=count, p=hours) * 3600.0 + rng.uniform(0, 3600, count)


def _month_end(monday: int) -> Floats:
    """How much busier each day of the week is for those who close the books."""
    days = [datetime.fromtimestamp(monday, UTC) + timedelta(days=i) for i in range(7)]
    return np.array([MONTH_END if day.day <= 2 or (day + timedelta(days=3)).month != day.month else 1 for day in days])


def _gather_bursts(
    offset: Floats, kind: npt.NDArray[np.int16], calendar: Calendar, week: int, rng: np.random.Generator
) -> None:
    for burst in calendar.bursts:
        if burst.week == week:
            rows = np.flatnonzero(kind == burst.kind)
            rows = rows[rng.random(len(rows)) < 0.9]
            offset[rows] = burst.start + rng.exponential(burst.hours * 3600 / 3, len(rows))
