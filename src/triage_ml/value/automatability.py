"""How far a pattern could be automated, 0 to 1, with every part of that judgement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

__all__ = ["PARTS", "Evidence", "automatability", "gather"]

#: What each part counts. Consistency of the resolution counts most: what is always solved alike can be scripted.
PARTS = {
    "same_resolution": 0.30,
    "few_groups": 0.12,
    "few_handoffs": 0.12,
    "few_reopens": 0.06,
    "even_effort": 0.12,
    "is_request": 0.08,
    "tight_text": 0.10,
    "persistent": 0.10,
}
#: Shares of P1 tickets above this cap the judgement: what goes wrong there is dear.
RISKY = 0.02
#: Shares of close notes that speak of privileged rights or personal data above this cap it as well.
PRIVILEGED = 0.10
_HIGHEST = frozenset({"p1", "1", "critical", "1 - critical", "urgent"})


@dataclass(frozen=True)
class Evidence:
    """What the tickets of a pattern say about themselves; shares are 0 to 1, None where nothing was recorded.

    `resolution_share` is the share of the commonest resolution, `groups` and `tiers` the share of each that
    solved it, `handoffs` the mean number of hand-offs, `effort_spread` the standard deviation of log minutes,
    `request_share`, `machine_share` the shares of requests and of tickets that monitoring opened,
    `tightness` the mean similarity of its texts to its centre, `minutes` the touch time, `reopens` the mean number of
    reopens, `urgent_share` the share of the highest priority, `persistence` the share of weeks in which it came up since it
    first did, `cues` what its close notes say was done (see `cue_shares`), `asks` what its texts ask for (`ask_shares`),
    `core_minutes` the median effort of tickets that nobody passed on: how long the work itself takes, `channels` and
    `activities` the share of each, in lower case.
    """

    resolution_share: float | None
    groups: Mapping[str, float]
    handoffs: float | None
    effort_spread: float | None
    request_share: float | None
    machine_share: float | None
    tightness: float
    minutes: float
    tiers: Mapping[str, float]
    reopens: float | None = None
    urgent_share: float | None = None
    persistence: float | None = None
    cues: Mapping[str, float] = field(default_factory=dict)
    core_minutes: float | None = None
    channels: Mapping[str, float] = field(default_factory=dict)
    activities: Mapping[str, float] = field(default_factory=dict)
    asks: Mapping[str, float] = field(default_factory=dict)


def automatability(evidence: Evidence) -> tuple[float, dict[str, float]]:
    """The weighted mean of the parts that are known, capped by risk, and each part, 0 to 1.

    Unknown parts say nothing either way. `risk_cap` stands among the parts where it binds.
    """
    known = {name: value for name, value in _parts(evidence).items() if value is not None}
    weight = sum(PARTS[name] for name in known)
    score = sum(PARTS[name] * value for name, value in known.items()) / weight
    parts = {name: round(value, 3) for name, value in known.items()}
    cap = min(_risk_cap(evidence.urgent_share), _privilege_cap(evidence.cues.get("privileged")))
    if cap < score:
        parts["risk_cap"] = round(cap, 3)
    return round(min(score, cap), 3), parts


def gather(
    *,
    resolution_share: float | None,
    groups: Sequence[str | None],
    tiers: Sequence[str | None],
    ticket_types: Sequence[str | None],
    channels: Sequence[str | None],
    handoffs: Sequence[float | None],
    efforts: Sequence[float | None],
    similarities: Sequence[float],
    minutes: float,
    reopens: Sequence[float | None] = (),
    priorities: Sequence[str | None] = (),
    weekly: Sequence[int] = (),
    activities: Sequence[str | None] = (),
    cues: Mapping[str, float] | None = None,
    asks: Mapping[str, float] | None = None,
) -> Evidence:
    """Evidence from the facts of a pattern's tickets, one entry a ticket in each sequence, None or NaN where missing."""
    worked = np.array([value for value in efforts if value is not None and np.isfinite(value) and value > 0])
    return Evidence(
        resolution_share=resolution_share,
        groups=_shares(groups),
        handoffs=_mean(handoffs),
        effort_spread=float(np.log(worked).std()) if len(worked) > 1 else None,
        request_share=_share_of(ticket_types, "request"),
        machine_share=_share_of(channels, "monitoring"),
        tightness=float(np.mean(similarities)) if len(similarities) else 0.0,
        minutes=minutes,
        tiers=_shares(tiers),
        reopens=_mean(reopens),
        urgent_share=_urgent(priorities),
        persistence=_persistence(weekly),
        cues=cues or {},
        core_minutes=_core_minutes(efforts, handoffs),
        channels=_lower(_shares(channels)),
        activities=_lower(_shares(activities)),
        asks=asks or {},
    )


def _parts(evidence: Evidence) -> dict[str, float | None]:
    handoffs, spread = evidence.handoffs, evidence.effort_spread
    return {
        "same_resolution": evidence.resolution_share,
        "few_groups": max(evidence.groups.values(), default=None),
        "few_handoffs": None if handoffs is None else 1 / (1 + handoffs),
        "few_reopens": None if evidence.reopens is None else 1 / (1 + 4 * evidence.reopens),
        "even_effort": None if spread is None else 1 / (1 + spread**2),
        "is_request": evidence.request_share,
        "tight_text": min(max(evidence.tightness, 0.0), 1.0),
        "persistent": evidence.persistence,
    }


def _shares(labels: Sequence[str | None]) -> dict[str, float]:
    counts = Counter(label for label in labels if isinstance(label, str))
    return {label: count / counts.total() for label, count in sorted(counts.items())}


def _share_of(labels: Sequence[str | None], wanted: str) -> float | None:
    shares = {label.casefold(): share for label, share in _shares(labels).items()}
    return shares.get(wanted, 0.0) if shares else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None and np.isfinite(value)]
    return float(np.mean(known)) if known else None


def _urgent(priorities: Sequence[str | None]) -> float | None:
    shares = _shares(priorities)
    return sum(share for name, share in shares.items() if name.casefold() in _HIGHEST) if shares else None


def _persistence(weekly: Sequence[int]) -> float | None:
    came_up = [count > 0 for count in weekly]
    if True not in came_up:
        return None
    since = came_up[came_up.index(True) :]
    return sum(since) / len(since)


def _risk_cap(urgent_share: float | None) -> float:
    """1 where hardly any ticket is urgent, falling to 0.3 where a quarter is."""
    if urgent_share is None or urgent_share <= RISKY:
        return 1.0
    return max(1.0 - 3.0 * (urgent_share - RISKY), 0.3)


def _privilege_cap(share: float | None) -> float:
    """1 where hardly any close note speaks of privileged rights or personal data, falling to 0.5 where half of them do."""
    return 1.0 if share is None or share <= PRIVILEGED else max(1.0 - (share - PRIVILEGED), 0.5)


def _core_minutes(efforts: Sequence[float | None], handoffs: Sequence[float | None]) -> float | None:
    logged = [(minutes, passed) for minutes, passed in zip(efforts, handoffs, strict=True) if minutes]
    straight = [minutes for minutes, passed in logged if not passed] or [minutes for minutes, _ in logged]
    return float(np.median(straight)) if straight else None


def _lower(shares: Mapping[str, float]) -> dict[str, float]:
    return {name.casefold(): share for name, share in shares.items()}
