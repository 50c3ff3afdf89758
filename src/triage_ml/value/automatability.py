"""How far a pattern could be automated, 0 to 1, with every part of that judgement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["PARTS", "Evidence", "automatability", "gather"]

#: What each part counts. Consistency of the resolution counts most: what is always solved alike can be scripted.
PARTS = {
    "same_resolution": 0.30,
    "few_groups": 0.15,
    "few_handoffs": 0.15,
    "even_effort": 0.15,
    "is_request": 0.10,
    "tight_text": 0.15,
}


@dataclass(frozen=True)
class Evidence:
    """What the tickets of a pattern say about themselves; shares are 0 to 1, None where nothing was recorded.

    `resolution_share` is the share of the commonest resolution, `groups` and `tiers` the share of each that
    solved it, `handoffs` the mean number of hand-offs, `effort_spread` the standard deviation of log minutes,
    `request_share`, `machine_share` the shares of requests and of tickets that monitoring opened,
    `tightness` the mean similarity of its texts to its centre, `minutes` the touch time.
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


def automatability(evidence: Evidence) -> tuple[float, dict[str, float]]:
    """The weighted mean of the parts that are known, and each part, 0 to 1. Unknown parts say nothing either way."""
    known = {name: value for name, value in _parts(evidence).items() if value is not None}
    weight = sum(PARTS[name] for name in known)
    score = sum(PARTS[name] * value for name, value in known.items()) / weight
    return round(score, 3), {name: round(value, 3) for name, value in known.items()}


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
) -> Evidence:
    """Evidence from the facts of a pattern's tickets, one entry a ticket in each sequence, None or NaN where missing."""
    passed = [value for value in handoffs if value is not None and np.isfinite(value)]
    worked = np.array([value for value in efforts if value is not None and np.isfinite(value) and value > 0])
    return Evidence(
        resolution_share=resolution_share,
        groups=_shares(groups),
        handoffs=float(np.mean(passed)) if passed else None,
        effort_spread=float(np.log(worked).std()) if len(worked) > 1 else None,
        request_share=_share_of(ticket_types, "request"),
        machine_share=_share_of(channels, "monitoring"),
        tightness=float(np.mean(similarities)) if len(similarities) else 0.0,
        minutes=minutes,
        tiers=_shares(tiers),
    )


def _parts(evidence: Evidence) -> dict[str, float | None]:
    handoffs, spread = evidence.handoffs, evidence.effort_spread
    return {
        "same_resolution": evidence.resolution_share,
        "few_groups": max(evidence.groups.values(), default=None),
        "few_handoffs": None if handoffs is None else 1 / (1 + handoffs),
        "even_effort": None if spread is None else 1 / (1 + spread**2),
        "is_request": evidence.request_share,
        "tight_text": min(max(evidence.tightness, 0.0), 1.0),
    }


def _shares(labels: Sequence[str | None]) -> dict[str, float]:
    counts = Counter(label for label in labels if isinstance(label, str))
    return {label: count / counts.total() for label, count in sorted(counts.items())}


def _share_of(labels: Sequence[str | None], wanted: str) -> float | None:
    shares = {label.casefold(): share for label, share in _shares(labels).items()}
    return shares.get(wanted, 0.0) if shares else None
