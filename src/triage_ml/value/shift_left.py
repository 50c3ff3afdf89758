"""How far work moved down: tickets of each pattern by tier, now against a baseline period."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from triage_ml.taxonomy import Taxonomy
from triage_ml.value.work import Work, minutes_of_tier

__all__ = ["Flow", "Moved", "Periods", "flows", "moved_down"]

#: Of the weeks that are known, at most this many at each end are compared.
PERIOD_WEEKS = 8


@dataclass(frozen=True)
class Periods:
    """Weeks of the baseline, and the weeks that are compared with it; both may be empty."""

    before: Sequence[str]
    after: Sequence[str]

    @classmethod
    def halves(cls, weeks: Sequence[str]) -> Periods:
        """The first and the second half of the weeks, `PERIOD_WEEKS` each at most."""
        half = min(PERIOD_WEEKS, len(weeks) // 2)
        return cls(weeks[:half], weeks[-half:] if half else [])

    @classmethod
    def since(cls, weeks: Sequence[str], first: str, last: str) -> Periods:
        """A baseline from `first` to `last` against the latest weeks after it, `PERIOD_WEEKS` at most."""
        before = [week for week in weeks if first <= week <= last]
        return cls(before, [week for week in weeks if week > last][-PERIOD_WEEKS:])

    def shown(self, weeks: Sequence[str]) -> list[str] | None:
        """First and last week of a period; None for an empty one."""
        return [weeks[0], weeks[-1]] if weeks else None


@dataclass(frozen=True)
class Flow:
    """What went from one rank of tiers to those below: of `expected` tickets by the baseline's shares, `moved` net.

    `source` and `target` name the tiers of the rank and of the next one below it; a negative share is work that moved up.
    """

    source: Sequence[str]
    target: Sequence[str]
    expected: float
    moved: float
    share: float


@dataclass(frozen=True)
class Moved:
    """Of a tier: tickets that the baseline's shares would have given it in the later period, those that it solved, and the
    share that moved down from it, with the hours that people in this tier were spared a week, and their cost if known."""

    tier: str
    expected: float
    solved: int
    share: float | None
    hours_a_week: float
    cost_a_week: float | None


def moved_down(work: Sequence[Work], periods: Periods, taxonomy: Taxonomy) -> list[Moved]:
    """How much of each tier's work went below it, highest tier first.

    Expected are the later period's tickets of each pattern times the share that the tier solved of it in the baseline, so
    that a change in what is asked for does not look like work that moved (direct standardisation). Patterns that one period
    does not know are left out.
    """
    compared = _compare(work, periods)
    minutes = minutes_of_tier(work, periods.before)
    moved = []
    for tier in sorted(taxonomy.tiers, key=lambda tier: (-tier.rank, tier.name)):
        expected, solved = compared.get(tier.name, (0.0, 0.0))
        if tier.rank > 0 and expected > 0:
            hours = max(expected - solved, 0.0) * minutes.get(tier.name, 0.0) / 60 / len(periods.after)
            cost = None if tier.cost_per_hour is None else round(hours * tier.cost_per_hour)
            share = round(1 - solved / expected, 4)
            moved.append(Moved(tier.name, round(expected, 1), int(solved), share, round(hours, 1), cost))
    return moved


def flows(work: Sequence[Work], periods: Periods, taxonomy: Taxonomy) -> list[Flow]:
    """Net flow over each step down: of L3's work to L2, of L2's to L1, and last of all work to L0.

    A step's flow is what the tiers above it solved less of than the baseline's shares say. So a ticket that fell two ranks
    counts at both steps, and one that rose counts against. The last row takes all work as its whole.
    """
    compared = _compare(work, periods)
    ranks: defaultdict[int, list[str]] = defaultdict(list)
    for tier in taxonomy.tiers:
        ranks[tier.rank].append(tier.name)
    steps, gone, above = [], 0.0, 0.0
    ordered = sorted(ranks, reverse=True)
    for rank, lower in pairwise(ordered):
        expected, solved = (sum(compared.get(name, (0.0, 0.0))[i] for name in ranks[rank]) for i in (0, 1))
        gone, above = gone + expected - solved, above + expected
        whole = above if lower == ordered[-1] else expected
        if whole > 0:
            source = [name for one in ordered[:-1] for name in ranks[one]] if lower == ordered[-1] else ranks[rank]
            steps.append(Flow(source, ranks[lower], round(whole, 1), round(gone, 1), round(gone / whole, 4)))
    return steps


def _compare(work: Sequence[Work], periods: Periods) -> dict[str, tuple[float, float]]:
    """Tier -> tickets expected in the later period, and those that it solved."""
    earlier, later = (_pattern_tiers(work, set(period)) for period in (periods.before, periods.after))
    expected: defaultdict[str, float] = defaultdict(float)
    solved: defaultdict[str, float] = defaultdict(float)
    for pattern in sorted(earlier.keys() & later.keys()):
        for tier, count in earlier[pattern].items():
            expected[tier] += later[pattern].total() * count / earlier[pattern].total()
        for tier, count in later[pattern].items():
            solved[tier] += count
    return {tier: (expected[tier], solved[tier]) for tier in sorted(expected.keys() | solved.keys())}


def _pattern_tiers(work: Sequence[Work], weeks: set[str]) -> Mapping[str, Counter[str]]:
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in work:
        if one.week in weeks and one.pattern_id and one.tier:
            found[one.pattern_id][one.tier] += one.tickets
    return dict(found)
