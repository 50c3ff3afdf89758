"""Service levels: work by tier and week, hand-offs, activities, targets kept, and how far work sits above where it could."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from triage_ml.taxonomy import Taxonomy
from triage_ml.value.move_down import lowest_of
from triage_ml.value.shift_left import Periods, flows, moved_down
from triage_ml.value.work import Work, minutes_of_tier, solved_by_pattern

__all__ = ["service_levels"]

NO_TIER = "unknown"
_Count = Callable[[Work], float]


def service_levels(work: Sequence[Work], taxonomy: Taxonomy, periods: Periods | None = None) -> dict[str, Any] | None:
    """Everything that the page and the report show, as plain JSON; None without any work.

    Parameters
    ----------
    periods
        The baseline and what is compared with it; by default the first and the second half of the weeks, at most eight each.
    """
    weeks = sorted({one.week for one in work})
    if not weeks:
        return None
    compared = periods or Periods.halves(weeks)
    tickets = sum(one.tickets for one in work)
    by_tier = _by_tier(work, weeks, taxonomy)
    return {
        "source": "tickets",
        "weeks": weeks,
        "tiers": by_tier,
        "baseline": compared.shown(compared.before),
        "compared": compared.shown(compared.after),
        "lowest_tier": _at_lowest(work, compared, taxonomy),
        "flows": [vars(one) for one in flows(work, compared, taxonomy)],
        "moved_down": [vars(one) for one in moved_down(work, compared, taxonomy)],
        "handoffs": _handoffs(work),
        "handoffs_by_week": _ratios(work, weeks, lambda one: one.handoffs, lambda one: one.handoffs_known),
        "activities": _shares((one.activity, one.tickets) for one in work if one.activity),
        "sla": _sla(work, weeks),
        "tickets": tickets,
        "hours": round(sum(sum(one["hours"]) for one in by_tier), 1),
        "currency": taxonomy.currency,
    }


def _by_tier(work: Sequence[Work], weeks: Sequence[str], taxonomy: Taxonomy) -> list[dict[str, Any]]:
    """Tickets and hours of each tier by week; a ticket without effort counts as one of its tier. Cost where it is known."""
    minutes = minutes_of_tier(work)
    tickets: Counter[tuple[str, str]] = Counter()
    spent: defaultdict[tuple[str, str], float] = defaultdict(float)
    for one in work:
        place = (one.tier or NO_TIER, one.week)
        tickets[place] += one.tickets
        spent[place] += one.minutes + (one.tickets - one.logged) * minutes.get(one.tier, 0.0)
    costs = {tier.name: tier.cost_per_hour for tier in taxonomy.tiers}
    known = [name for name in (*taxonomy.tier_names, NO_TIER) if any(tickets[name, week] for week in weeks)]
    rows = []
    for name in known:
        hours = [round(spent[name, week] / 60, 1) for week in weeks]
        cost = costs.get(name)
        rows.append(
            {
                "tier": name,
                "tickets": [tickets[name, week] for week in weeks],
                "hours": hours,
                "cost": None if cost is None else round(cost * sum(hours)),
            }
        )
    return rows


def _at_lowest(work: Sequence[Work], periods: Periods, taxonomy: Taxonomy) -> dict[str, float | None]:
    """Share of tickets that were solved at (or below) the lowest tier that solves their pattern as well, by period.

    The lowest capable tier of a pattern is judged over all weeks, so that both periods are held to the same one.
    """
    lowest = {pattern: lowest_of(solved, taxonomy) for pattern, solved in solved_by_pattern(work).items()}
    ranks = {tier.name: tier.rank for tier in taxonomy.tiers}

    def share(weeks: Iterable[str]) -> float | None:
        chosen = set(weeks)
        good = total = 0
        for one in work:
            target = lowest.get(one.pattern_id) if one.pattern_id else None
            if one.week in chosen and target is not None and one.tier in ranks:
                total += one.tickets
                good += one.tickets * (ranks[one.tier] <= ranks[target])
        return round(good / total, 4) if total else None

    return {
        "all": share({one.week for one in work}),
        "baseline": share(periods.before),
        "compared": share(periods.after),
    }


def _handoffs(work: Sequence[Work]) -> dict[str, float | None]:
    """Hand-offs a ticket and the share that was passed on, of those where it is known; and what passing on costs: minutes
    more than tickets of the same pattern that stayed."""
    known = sum(one.handoffs_known for one in work)
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
        "per_ticket": round(sum(one.handoffs for one in work) / known, 3) if known else None,
        "passed_on": round(sum(one.tickets for one in work if one.passed_on) / known, 4) if known else None,
        "minutes_each": round(extra / weight, 1) if weight else None,
        "hours": round(extra / 60, 1) if weight else None,
    }


def _sla(work: Sequence[Work], weeks: Sequence[str]) -> dict[str, Any] | None:
    """Share of tickets that kept their service level, over all weeks and by week; None where no ticket says so."""
    known = sum(one.sla_known for one in work)
    if not known:
        return None
    met = sum(one.sla_met for one in work)
    by_week = _ratios(work, weeks, lambda one: one.sla_met, lambda one: one.sla_known)
    return {"tickets": known, "met": round(met / known, 4), "by_week": by_week}


def _ratios(
    work: Sequence[Work], weeks: Sequence[str], part: Callable[[Work], float], whole: Callable[[Work], float]
) -> list[float | None]:
    parts: defaultdict[str, float] = defaultdict(float)
    wholes: defaultdict[str, float] = defaultdict(float)
    for one in work:
        parts[one.week] += part(one)
        wholes[one.week] += whole(one)
    return [round(parts[week] / wholes[week], 4) if wholes[week] else None for week in weeks]


def _shares(counts: Iterable[tuple[str, int]]) -> dict[str, float]:
    found: Counter[str] = Counter()
    for name, count in counts:
        found[name] += count
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return {name: round(count / found.total(), 4) for name, count in ordered}
