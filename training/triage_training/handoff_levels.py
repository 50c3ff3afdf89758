"""Service levels from a hand-off log alone: no text, no mining, no effort. It knows the tickets that changed hands."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from triage_ml.errors import InputError
from triage_ml.taxonomy import Taxonomy
from triage_ml.value import Periods, Work, service_levels
from triage_training.weeks import weeks_of

__all__ = ["handoff_levels", "handoff_routes", "unknown_groups"]

_COLUMNS = ("ticket_id", "at", "from_group", "to_group")
ROUTES = 25


def handoff_levels(
    log: pd.DataFrame, taxonomy: Taxonomy, *, timezone: str, baseline: tuple[str, str] | None = None
) -> dict[str, Any]:
    """Service levels of the tickets in a log: who ended with them by week, how far that moved down, which ways they took.

    Tickets that began in the same group count as alike. A ticket's week is that of its first hand-off.

    Raises
    ------
    InputError
        A column is missing, or no row has a ticket, a time and a group.
    """
    work = [_as_work(way) for way in _ways(log, taxonomy, timezone)]
    counted = Counter(work)
    alike = [_times(one, many) for one, many in counted.items()]
    weeks = sorted({one.week for one in alike})
    periods = Periods.halves(weeks) if baseline is None else Periods.since(weeks, *baseline)
    levels = service_levels(alike, taxonomy, periods)
    if levels is None:
        raise InputError("The hand-off log has no row with a ticket, a time and a group to go to.")
    return {
        **levels,
        "source": "handoffs",
        "lowest_tier": dict.fromkeys(levels["lowest_tier"]),
        **handoff_routes(log, taxonomy, timezone=timezone),
    }


def handoff_routes(log: pd.DataFrame, taxonomy: Taxonomy, *, timezone: str) -> dict[str, Any]:
    """The commonest ways between groups, the share of hand-offs that go up, down or aside, and of tickets that came back to
    a group that had them before."""
    ranks = {tier.name: tier.rank for tier in taxonomy.tiers}
    pairs: Counter[tuple[str, str]] = Counter()
    directions: Counter[str] = Counter()
    returned = tickets = 0
    for way in _ways(log, taxonomy, timezone):
        tickets += 1
        returned += len(set(way.groups)) < len(way.groups)
        for source, target in zip(way.groups, way.groups[1:], strict=False):
            pairs[source, target] += 1
            directions[_direction(source, target, taxonomy, ranks)] += 1
    total = max(directions.total(), 1)
    return {
        "routes": [
            {
                "source": source,
                "target": target,
                "direction": _direction(source, target, taxonomy, ranks),
                "count": count,
            }
            for (source, target), count in sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:ROUTES]
        ],
        "directions": {name: round(directions[name] / total, 4) for name in ("up", "down", "aside", "unknown")},
        "came_back": round(returned / max(tickets, 1), 4),
    }


def unknown_groups(log: pd.DataFrame, taxonomy: Taxonomy) -> list[str]:
    """Groups of the log that the taxonomy does not have, in order of the alphabet."""
    names = pd.concat([log[name] for name in ("from_group", "to_group") if name in log]).dropna().astype(str).unique()
    return sorted(name for name in names if taxonomy.tier_of_group(name) is None)


@dataclass(frozen=True)
class _Way:
    """A ticket's groups in order, one after another never the same; `tier` is that of the last."""

    week: str
    groups: Sequence[str]
    tier: str | None


def _ways(log: pd.DataFrame, taxonomy: Taxonomy, timezone: str) -> Iterator[_Way]:
    if missing := [name for name in _COLUMNS if name not in log]:
        raise InputError(
            f"The hand-off log has no column {missing[0]!r}; found {', '.join(map(str, log.columns))}.",
            hint=f"Expected {', '.join(_COLUMNS)}.",
        )
    rows = log[list(_COLUMNS)].assign(at=pd.to_datetime(log["at"], utc=True, format="ISO8601", errors="coerce"))
    rows = rows.dropna(subset=["ticket_id", "at", "to_group"]).sort_values(["ticket_id", "at"], kind="stable")
    rows = rows.assign(week=weeks_of(rows["at"], timezone))
    taken: defaultdict[str, list[str]] = defaultdict(list)
    weeks: dict[str, str] = {}
    names: dict[Any, str] = {}
    for ticket, source, target, week in zip(
        *(rows[name] for name in ("ticket_id", "from_group", "to_group", "week")), strict=True
    ):
        weeks.setdefault(str(ticket), str(week))
        groups = taken[str(ticket)]
        for group in (source, target) if not groups else (target,):
            if isinstance(group, str) and (not groups or groups[-1] != _named(group, names, taxonomy)):
                groups.append(_named(group, names, taxonomy))
    for ticket, groups in taken.items():
        yield _Way(weeks[ticket], groups, taxonomy.tier_of_group(groups[-1]))


def _named(group: str, names: dict[Any, str], taxonomy: Taxonomy) -> str:
    """What a group is called today; looked up once."""
    if group not in names:
        names[group] = taxonomy.current_name(group)
    return names[group]


def _times(one: Work, many: int) -> Work:
    return replace(one, tickets=many, handoffs=one.handoffs * many, handoffs_known=many)


def _as_work(way: _Way) -> Work:
    handoffs = len(way.groups) - 1
    return Work(way.week, way.groups[0], way.tier, None, handoffs > 0, 1, 0, 0.0, float(handoffs), 1)


def _direction(source: str, target: str, taxonomy: Taxonomy, ranks: Mapping[str, int]) -> str:
    here, there = (ranks.get(taxonomy.tier_of_group(name) or "") for name in (source, target))
    if here is None or there is None:
        return "unknown"
    return "aside" if here == there else "up" if there > here else "down"
