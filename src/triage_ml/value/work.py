"""Work that was alike, counted: what service levels and realised savings are made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from triage_ml.value.move_down import Solved

__all__ = ["Work", "minutes_of_tier", "solved_by_pattern"]


_SUMS = ("tickets", "minutes", "logged", "handoffs", "handoffs_known", "reopens", "reopens_known")


@dataclass(frozen=True)
class Work:
    """Tickets of one week that were alike: same pattern, tier, activity, and passed on or not.

    `minutes` is the sum over the `logged` tickets that have effort, `handoffs` and `reopens` sums over the tickets that have
    them known, `reopened` the tickets that were, `sla_met` those of `sla_known` that kept their service level.
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
    handoffs_known: int = 0
    reopened: int = 0
    reopens: float = 0.0
    reopens_known: int = 0
    sla_met: int = 0
    sla_known: int = 0


def minutes_of_tier(work: Iterable[Work], weeks: Iterable[str] | None = None) -> Mapping[str | None, float]:
    """Mean minutes of a ticket by tier, of those weeks, by default of all."""
    chosen = None if weeks is None else set(weeks)
    spent: defaultdict[str | None, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for one in work:
        if chosen is None or one.week in chosen:
            spent[one.tier][0] += one.minutes
            spent[one.tier][1] += one.logged
    return {name: minutes / logged for name, (minutes, logged) in spent.items() if logged}


def solved_by_pattern(work: Sequence[Work]) -> dict[str, list[Solved]]:
    """Pattern -> what each tier solved of it, over all weeks."""
    found: defaultdict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0] * len(_SUMS))
    for one in work:
        if one.pattern_id and one.tier:
            sums = (
                one.tickets,
                one.minutes,
                one.logged,
                one.handoffs,
                one.handoffs_known,
                one.reopens,
                one.reopens_known,
            )
            place = found[one.pattern_id, one.tier]
            for index, value in enumerate(sums):
                place[index] += value
    of_pattern: defaultdict[str, list[Solved]] = defaultdict(list)
    for (pattern, tier), (tickets, *pairs) in found.items():
        means = (total / known if known else None for total, known in zip(pairs[::2], pairs[1::2], strict=True))
        of_pattern[pattern].append(Solved(tier, int(tickets), *means))
    return dict(of_pattern)
