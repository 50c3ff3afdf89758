"""What a wrong route costs, instead of a promised precision.

    [decision.costs]
    person = 1.0                 # asking a person
    wrong = 4.0                  # any wrong tier that the table does not name
    [decision.costs.pairs.L1]    # the ticket belongs to L1 ...
    L3 = 12.0                    # ... and L3 was answered

Costs share one unit, whichever it is (minutes, money). With calibrated probabilities P(a), answering b costs
sum over a of P(a) x cost(a, b) in expectation, cost(a, a) = 0. The cheapest answer is given where it costs no more than
asking a person (Chow 1970, "On optimum recognition error and reject tradeoff"; Elkan 2001 for costs a pair); otherwise the
most likely tier is suggested. Of equally cheap answers the more likely one is taken, then the first in the order of the
classes. What can't be read, and a class that never had the evidence, are left as they were.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from triage_ml.answer.verdicts import AUTO, HUMAN, NO_THRESHOLD, SUGGEST, Verdicts, reason_code
from triage_ml.errors import SettingsError
from triage_ml.settings import Costs

__all__ = ["cheapest", "cost_table", "decide_by_cost"]

_SUGGEST_FROM = 0.2


def cost_table(costs: Costs, classes: tuple[str, ...]) -> NDArray[np.float64]:
    """Shape (K, K): row the true tier, column the answered one; 0 on the diagonal.

    Raises
    ------
    SettingsError
        The table names a tier that is none of `classes`.
    """
    table = np.full((len(classes), len(classes)), costs.wrong)
    np.fill_diagonal(table, 0.0)
    place = {name: index for index, name in enumerate(classes)}
    for true, row in costs.pairs.items():
        for answered, cost in row.items():
            for name in (true, answered):
                if name not in place:
                    raise SettingsError(f"[decision.costs.pairs] names tier {name!r}; known are {', '.join(classes)}.")
            table[place[true], place[answered]] = cost
    return table


def cheapest(
    probabilities: NDArray[np.float32], table: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The answer of least expected cost and that cost, both of shape (n,)."""
    expected = np.einsum("na,ab->nb", probabilities.astype(np.float64), table)
    least = expected.min(axis=1, keepdims=True)
    ties = expected <= least + 1e-12
    chosen = np.where(ties, probabilities, np.float32(-1)).argmax(axis=1)
    return chosen, least[:, 0]


def decide_by_cost(tier: Verdicts, costs: Costs, table: NDArray[np.float64], evidence: NDArray[np.bool_]) -> None:
    """Decide the tier by cost, in place; `evidence` has shape (K,): whether a class may ever be `auto`."""
    chosen, cost = cheapest(tier.probabilities, table)
    open_to_us = (tier.action < HUMAN) | (tier.reason == reason_code("below_threshold"))
    act = open_to_us & (cost <= costs.person) & evidence[chosen]
    ask = open_to_us & ~act
    tier.chosen[act] = chosen[act]
    tier.action[act], tier.reason[act] = AUTO, reason_code("confident")
    tier.held |= act
    unsure = ask & (tier.chosen_probability() < _SUGGEST_FROM)
    tier.action[ask], tier.action[unsure] = SUGGEST, HUMAN
    lacking = ask & (cost <= costs.person)
    tier.reason[ask], tier.reason[lacking] = reason_code("below_threshold"), reason_code("not_enough_evidence")
    tier.threshold[open_to_us] = NO_THRESHOLD
