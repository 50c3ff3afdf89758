"""What a ticket takes: minutes of touch time, when it is passed on, when it is closed, what is logged of it."""

from __future__ import annotations

import math
from statistics import NormalDist

from triage_ml.simulate.catalogue import Kind
from triage_ml.simulate.dice import Dice
from triage_ml.simulate.noise import Noise
from triage_ml.simulate.organisation import Organisation

__all__ = ["elapsed_seconds", "logged_minutes", "touch_minutes"]

_NORMAL = NormalDist()
#: Median hours until somebody has time for it, by priority.
WAITING_HOURS = {"P1": 0.5, "P2": 3.0, "P3": 9.0, "P4": 22.0}
HANDOFF_WAIT_HOURS = 4.0
LONGEST_MINUTES = 60 * 60.0


def _normal(dice: Dice) -> float:
    return _NORMAL.inv_cdf(min(max(dice.random(), 1e-9), 1 - 1e-9))


def touch_minutes(kind: Kind, tier: str, handoffs: int, organisation: Organisation, noise: Noise, dice: Dice) -> float:
    """Minutes that people work on it: log-normal, more in a higher tier, more with each hand-off."""
    rank = organisation.rank
    above = rank[tier] - min(rank[name] for name in kind.tiers)
    minutes = kind.median * math.exp(kind.sigma * _normal(dice)) * noise.higher_tier_factor**above
    minutes = minutes * noise.handoff_factor**handoffs + noise.handoff_minutes * handoffs
    return round(min(max(minutes, 1.0), LONGEST_MINUTES), 1)


def logged_minutes(minutes: float, noise: Noise, dice: Dice) -> float | None:
    """What people write down: whole minutes for the short, fives for the long, and often nothing."""
    if dice.chance(noise.missing_effort):
        return None
    if minutes < 20:
        return float(max(1, round(minutes)))
    return 5.0 * round(minutes / 5)


def elapsed_seconds(priority: str, minutes: float, handoffs: int, dice: Dice) -> int:
    """From opening to closing: mostly waiting."""
    waiting = WAITING_HOURS.get(priority, 12.0) * math.exp(1.1 * _normal(dice))
    waiting += sum(HANDOFF_WAIT_HOURS * -math.log(1 - dice.random()) for _ in range(handoffs))
    return int(waiting * 3600 + minutes * 60)
