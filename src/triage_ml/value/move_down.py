"""Tickets that were solved above the lowest tier that solves their twins equally well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from triage_ml.taxonomy import Taxonomy

__all__ = ["MoveDown", "lowest_capable_tier", "move_down"]

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


def lowest_capable_tier(own: Sequence[Fact], taxonomy: Taxonomy) -> str | None:
    """The lowest tier above 0 that solves a fair share of these tickets no worse than the tier that solves most.

    No worse: mean effort and hand-offs at most 1.5 times, reopens at most 0.10 a ticket more.
    """
    ranks = _order(taxonomy)
    solved = [fact for fact in own if ranks.get(fact["tier"], _NOBODY) > _NOBODY]
    if not solved:
        return None
    counts = Counter(fact["tier"] for fact in solved)
    main = min(counts, key=lambda name: (-counts[name], ranks[name], name))
    standard = [fact for fact in solved if fact["tier"] == main]
    for name in sorted(counts, key=lambda name: (ranks[name], -counts[name], name)):
        if ranks[name] >= ranks[main]:
            break
        enough = counts[name] >= max(SHARE * len(solved), TICKETS)
        if enough and _no_worse([fact for fact in solved if fact["tier"] == name], standard):
            return str(name)
    return str(main)


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


def _no_worse(these: Sequence[Fact], those: Sequence[Fact]) -> bool:
    for name, factor, slack in (
        ("effort_minutes", EFFORT, 0.0),
        ("handoffs", HANDOFFS, 0.2),
        ("reopens", 1.0, REOPENS),
    ):
        here, there = _mean(fact[name] for fact in these), _mean(fact[name] for fact in those)
        if here is not None and there is not None and here > there * factor + slack:
            return False
    return True


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None and np.isfinite(value)]
    return float(np.mean(known)) if known else None
