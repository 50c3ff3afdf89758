"""Tickets that were solved above the lowest tier that solves their twins equally well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from triage_ml.taxonomy import Taxonomy

__all__ = ["MoveDown", "Solved", "lowest_capable_tier", "lowest_of", "move_down"]

Fact = Mapping[str, Any]

#: The place of what no person solved.
_NOBODY = (0, 0.0)

#: A tier must have solved this share of a pattern, and this many tickets, to count as able; fewer are closed by whoever
#: had them.
SHARE, TICKETS = 0.035, 4
#: How much worse it may do: effort and hand-offs as a ratio, reopens as a difference.
EFFORT, HANDOFFS, REOPENS = 1.5, 1.5, 0.10


@dataclass(frozen=True)
class MoveDown:
    """Of the last four weeks: `tickets` that `to` could have solved, who solved them (`groups`), and their hours."""

    to: str
    tickets: int
    groups: Mapping[str, int]
    hours: float


@dataclass(frozen=True)
class Solved:
    """What a tier solved of a pattern: tickets, and means of effort in minutes, hand-offs and reopens where known."""

    tier: str
    tickets: int
    minutes: float | None
    handoffs: float | None
    reopens: float | None


def lowest_capable_tier(own: Sequence[Fact], taxonomy: Taxonomy) -> str | None:
    """The lowest tier above 0 that solves a fair share of these tickets no worse than the tier that solves most."""
    by_tier: dict[str, list[Fact]] = {}
    for fact in own:
        if fact["tier"]:
            by_tier.setdefault(fact["tier"], []).append(fact)
    return lowest_of([_solved(tier, facts) for tier, facts in by_tier.items()], taxonomy)


def lowest_of(solved: Sequence[Solved], taxonomy: Taxonomy) -> str | None:
    """The lowest tier above 0 that is able, from what each tier solved of a pattern; None where no person solved any.

    Able is who solves a fair share no worse: mean effort and hand-offs at most 1.5 times those of the tier that solves most,
    reopens at most 0.10 a ticket more.
    """
    ranks = _order(taxonomy)
    by_people = [one for one in solved if ranks.get(one.tier, _NOBODY) > _NOBODY]
    if not by_people:
        return None
    main = min(by_people, key=lambda one: (-one.tickets, ranks[one.tier], one.tier))
    enough = max(SHARE * sum(one.tickets for one in by_people), TICKETS)
    for one in sorted(by_people, key=lambda one: (ranks[one.tier], -one.tickets, one.tier)):
        if ranks[one.tier] >= ranks[main.tier]:
            break
        if one.tickets >= enough and _no_worse(one, main):
            return one.tier
    return main.tier


def move_down(own: Sequence[Fact], taxonomy: Taxonomy) -> MoveDown | None:
    """What was solved above the lowest capable tier; None where nothing was."""
    lowest = lowest_capable_tier(own, taxonomy)
    if lowest is None:
        return None
    ranks = _order(taxonomy)
    above = [fact for fact in own if ranks.get(fact["tier"], _NOBODY) > ranks[lowest]]
    if not above:
        return None
    groups = Counter(fact["assignment_group"] or "unknown" for fact in above)
    minutes = [fact["effort_minutes"] for fact in above if fact["effort_minutes"] is not None]
    hours = float(np.mean(minutes)) * len(above) / 60 if minutes else 0.0
    return MoveDown(lowest, len(above), dict(sorted(groups.items(), key=lambda item: (-item[1], item[0]))[:5]), hours)


def _order(taxonomy: Taxonomy) -> dict[str, tuple[int, float]]:
    """Tiers by rank, those of one rank by what an hour costs; where that is not known they are equal."""
    return {tier.name: (tier.rank, (tier.cost_per_hour or 0.0) if tier.rank else 0.0) for tier in taxonomy.tiers}


def _solved(tier: str, facts: Sequence[Fact]) -> Solved:
    return Solved(
        tier, len(facts), *(_mean(fact[name] for fact in facts) for name in ("effort_minutes", "handoffs", "reopens"))
    )


def _no_worse(these: Solved, those: Solved) -> bool:
    return all(
        here is None or there is None or here <= there * factor + slack
        for here, there, factor, slack in (
            (these.minutes, those.minutes, EFFORT, 0.0),
            (these.handoffs, those.handoffs, HANDOFFS, 0.2),
            (these.reopens, those.reopens, 1.0, REOPENS),
        )
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None and np.isfinite(value)]
    return float(np.mean(known)) if known else None
