"""Hours a week that an automation would save, with P10, P50 and P90, and how soon they pay for building it.

The shares below are what automations of each kind covered and how often they succeeded on the simulated desk's catalogue
(mean and standard deviation over its kinds). They are assumptions until a desk has automations of its own to learn from,
and they are shown beside every figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from triage_ml.value.arrivals import ticket_quantiles
from triage_ml.value.kind import Kind, Proposal
from triage_ml.value.rate import Hours
from triage_ml.value.touch_time import TouchTime

__all__ = ["ASSUMPTIONS", "Assumption", "Savings", "outlives_payback", "savings_a_week"]

_GRID = (np.arange(40) + 0.5) / 40
#: Beyond this many weeks nobody knows what a desk looks like.
LONGEST_LIFE = 104.0
#: What is new is given this many weeks, so that it is seen at all.
SHORTEST_LIFE = 12.0


@dataclass(frozen=True)
class Assumption:
    """Of a kind: share of tickets that one automation covers, how often it succeeds, minutes left to do by hand where it
    does, the standard deviation of covered times success, and hours to build it."""

    covered: float
    success: float
    left_minutes: float
    spread: float
    build_hours: float


ASSUMPTIONS: Mapping[Kind, Assumption] = {
    "retire_source": Assumption(0.70, 0.88, 0.0, 0.11, 8.0),
    "chatbot_answer": Assumption(0.60, 0.75, 0.0, 0.13, 16.0),
    "self_service_form": Assumption(0.73, 0.88, 0.0, 0.11, 40.0),
    "runbook_script": Assumption(0.72, 0.86, 0.0, 0.11, 40.0),
    "fix_root_cause": Assumption(0.58, 0.78, 0.0, 0.11, 80.0),
}


@dataclass(frozen=True)
class Savings:
    """Hours a week, and what they rest on.

    `hours` is what its automation is worth beside none at all. `certainty` is the probability that it can be automated in
    this way at all, `saved` the hours a week that automations save already, `expected` what is left of the mean with both
    taken into account, `weeks_to_pay_back` build hours over that, None where nothing is left to save or proposed.
    """

    hours: Hours
    covered: float
    success: float
    left_minutes: float
    certainty: float
    expected: float
    build_hours: float
    weeks_to_pay_back: float | None
    saved: float = 0.0


def savings_a_week(weekly: Sequence[int], touch: TouchTime, proposal: Proposal, saved: float = 0.0) -> Savings:
    """Rate x touch time x covered x success x what is not left to do by hand, over a grid of equally likely values.

    Covered times success is Beta distributed with the mean and the standard deviation of `ASSUMPTIONS`; rate and touch time
    as in `hours_a_week`. P50 is the median if it can be automated; P10 and P90 are those of a value that is 0 with
    probability 1 - `certainty`, so that a range that begins at 0 says that it may come to nothing. P50 is never above P90.
    Where the proposal is no automation, the hours are those of the runner-up: what an analysis could bring to light.

    Parameters
    ----------
    weekly
        Tickets in each week, oldest first, with those that an automation closed.
    saved
        Hours a week that automations of it save already; they are not expected once more.
    """
    kind = proposal.kind if proposal.kind in ASSUMPTIONS else proposal.runner_up
    assumed = None if kind is None else ASSUMPTIONS.get(kind)
    if assumed is None or touch.minutes <= 0 or not len(weekly) or proposal.certainty <= 0:
        return Savings(Hours(0.0, 0.0, 0.0), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, None, saved)
    kept = max(1 - assumed.left_minutes / touch.minutes, 0.0)
    certainty = float(np.clip(proposal.certainty, 0.01, 1.0))
    tickets = ticket_quantiles(weekly, _GRID)
    minutes = touch.minutes * np.exp(special.ndtri(_GRID) * touch.spread)
    shares = _beta(assumed.covered * assumed.success, assumed.spread) * kept
    full = np.sort((tickets[:, None, None] * minutes[None, :, None] * shares[None, None, :]).ravel()) / 60
    p10, p90 = (_mixed_quantile(full, certainty, level) for level in (0.1, 0.9))
    hours = Hours(p10, min(float(np.median(full)), p90), p90)
    expected = max(certainty * float(full.mean()) - saved, 0.0)
    pays_back = assumed.build_hours / expected if expected > 0 and kind == proposal.kind else None
    return Savings(
        hours,
        assumed.covered,
        assumed.success,
        assumed.left_minutes,
        certainty,
        expected,
        assumed.build_hours,
        pays_back,
        saved,
    )


def outlives_payback(weekly: Sequence[int], savings: Savings) -> bool:
    """Whether the pattern is likely to last until the automation has paid for itself.

    What has been seen for n weeks is as likely as not to be seen for n more (Gott 1993); what was there from the first
    week that was looked at counts as lasting.
    """
    if savings.weeks_to_pay_back is None:
        return True
    seen = np.flatnonzero(np.asarray(weekly) > 0)
    age = len(weekly) - int(seen[0]) if len(seen) else 0
    life = LONGEST_LIFE if len(seen) and seen[0] <= 1 else float(age)
    return savings.weeks_to_pay_back <= max(life, SHORTEST_LIFE)


def _mixed_quantile(positive: NDArray[np.float64], certainty: float, level: float) -> float:
    """A quantile of a value that is 0 with probability 1 - `certainty`, else one of `positive`, which is sorted."""
    within = (level - (1 - certainty)) / certainty
    return 0.0 if within <= 0 else float(np.quantile(positive, within))


def _beta(mean: float, spread: float) -> NDArray[np.float64]:
    total = mean * (1 - mean) / spread**2 - 1
    values: NDArray[np.float64] = special.betaincinv(mean * total, (1 - mean) * total, _GRID)
    return values
