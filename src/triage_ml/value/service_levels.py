"""Service levels: work by tier and week, hand-offs, activities, and how far work moved down against a baseline period."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from triage_ml.taxonomy import Taxonomy

__all__ = ["Moved", "Work", "moved_down", "service_levels"]

#: Of the weeks that are known, at most this many at each end are compared.
PERIOD_WEEKS = 8
NO_TIER = "unknown"


@dataclass(frozen=True)
class Work:
    """Tickets of one week that were alike: same pattern, tier, activity, and passed on or not.

    `minutes` is the sum over the `logged` tickets that have effort, `handoffs` the sum of hand-offs.
    """

    week: str
    pattern_id: str | None
    tier: str | None
    activity: str | None
    passed_on: bool
    tickets: int
    logged: int
    minutes: float
    handoffs: float


@dataclass(frozen=True)
class Moved:
    """Of a tier: tickets that the baseline's shares would have given it in the later period, those that it solved, and the
    share that moved down from it, with the hours that people in this tier were spared a week."""

    tier: str
    expected: float
    solved: int
    share: float | None
    hours_a_week: float


def service_levels(work: Sequence[Work], taxonomy: Taxonomy) -> dict[str, Any] | None:
    """Everything that the page and the report show, as plain JSON; None without any work.

    The baseline is the first half of the weeks, the later period the second, `PERIOD_WEEKS` each at most.
    """
    weeks = sorted({one.week for one in work})
    if not weeks:
        return None
    half = min(PERIOD_WEEKS, len(weeks) // 2)
    before, after = weeks[:half], weeks[-half:] if half else []
    tickets = sum(one.tickets for one in work)
    by_tier = _by_tier(work, weeks, taxonomy)
    return {
        "weeks": weeks,
        "tiers": by_tier,
        "baseline": [before[0], before[-1]] if before else None,
        "compared": [after[0], after[-1]] if after else None,
        "moved_down": [vars(one) for one in moved_down(work, before, after, taxonomy)],
        "handoffs": _handoffs(work, tickets),
        "activities": _shares((one.activity, one.tickets) for one in work if one.activity),
        "tickets": tickets,
        "hours": round(sum(sum(one["hours"]) for one in by_tier), 1),
    }


def moved_down(work: Sequence[Work], before: Sequence[str], after: Sequence[str], taxonomy: Taxonomy) -> list[Moved]:
    """How much of each tier's work went below it, highest tier first.

    Expected are the later period's tickets of each pattern times the share that the tier solved of it in the baseline, so
    that a change in what is asked for does not look like work that moved. Patterns that one period does not know are left
    out.
    """
    if not before or not after:
        return []
    earlier, later = (_pattern_tiers(work, set(period)) for period in (before, after))
    minutes = _minutes_of_tier(work, set(before))
    ranks = {tier.name: tier.rank for tier in taxonomy.tiers}
    moved = []
    for tier in sorted((name for name in ranks if ranks[name] > 0), key=lambda name: (-ranks[name], name)):
        expected = solved = 0.0
        for pattern in earlier.keys() & later.keys():
            expected += later[pattern].total() * earlier[pattern][tier] / earlier[pattern].total()
            solved += later[pattern][tier]
        if expected > 0:
            hours = max(expected - solved, 0.0) * minutes.get(tier, 0.0) / 60 / len(after)
            moved.append(Moved(tier, round(expected, 1), int(solved), round(1 - solved / expected, 4), round(hours, 1)))
    return moved


def _by_tier(work: Sequence[Work], weeks: Sequence[str], taxonomy: Taxonomy) -> list[dict[str, Any]]:
    minutes = _minutes_of_tier(work, set(weeks))
    tickets: Counter[tuple[str, str]] = Counter()
    logged: Counter[tuple[str, str]] = Counter()
    spent: defaultdict[tuple[str, str], float] = defaultdict(float)
    for one in work:
        place = (one.tier or NO_TIER, one.week)
        tickets[place] += one.tickets
        logged[place] += one.logged
        spent[place] += one.minutes
    known = [name for name in (*taxonomy.tier_names, NO_TIER) if any(tickets[name, week] for week in weeks)]
    return [
        {
            "tier": name,
            "tickets": [tickets[name, week] for week in weeks],
            "hours": [
                round((spent[name, week] + (tickets[name, week] - logged[name, week]) * minutes.get(name, 0.0)) / 60, 1)
                for week in weeks
            ],
        }
        for name in known
    ]


def _handoffs(work: Sequence[Work], tickets: int) -> dict[str, float | None]:
    """Hand-offs a ticket, and what passing on costs: minutes more than tickets of the same pattern that stayed."""
    sides: dict[tuple[str | None, bool], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for one in work:
        side = sides[one.pattern_id, one.passed_on]
        side[0] += one.minutes
        side[1] += one.logged
    extra = weight = 0.0
    for (pattern, passed_on), (minutes, logged) in sides.items():
        stayed = sides.get((pattern, False))
        if passed_on and logged and stayed and stayed[1]:
            extra += minutes - logged * stayed[0] / stayed[1]
            weight += logged
    return {
        "per_ticket": round(sum(one.handoffs for one in work) / max(tickets, 1), 3),
        "passed_on": round(sum(one.tickets for one in work if one.passed_on) / max(tickets, 1), 4),
        "minutes_each": round(extra / weight, 1) if weight else None,
        "hours": round(extra / 60, 1) if weight else None,
    }


def _pattern_tiers(work: Sequence[Work], weeks: set[str]) -> dict[str, Counter[str]]:
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in work:
        if one.week in weeks and one.pattern_id and one.tier:
            found[one.pattern_id][one.tier] += one.tickets
    return dict(found)


def _minutes_of_tier(work: Sequence[Work], weeks: set[str]) -> dict[str, float]:
    spent: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for one in work:
        if one.week in weeks:
            spent[one.tier or NO_TIER][0] += one.minutes
            spent[one.tier or NO_TIER][1] += one.logged
    return {name: minutes / logged for name, (minutes, logged) in spent.items() if logged}


def _shares(counts: Iterable[tuple[str, int]]) -> dict[str, float]:
    found: Counter[str] = Counter()
    for name, count in counts:
        found[name] += count
    return {name: round(count / found.total(), 4) for name, count in found.most_common()}
