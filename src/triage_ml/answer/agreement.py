"""Tier and group, category and subcategory: answers that contradict the taxonomy are never given together.

Where the first choices of a pair agree, nothing happens. Where they don't, the pair is answered that agrees and is most
likely, taking the two calibrated probabilities as independent witnesses: the highest P(tier) x P(group) among pairs that
the taxonomy allows, the first of equals in the order of the classes. A value that the taxonomy does not know agrees with
everything. Whichever of the two had to leave its own first choice is `suggest` at most; that first choice stands at the
head of its alternatives, with its higher probability, and `agrees_with` names the other target.

What a rule, a cost or an automation set is not traded: the other one follows. Where nothing that is allowed agrees, the
tier follows the group and a person decides both. An automation takes the ticket from every group: if none works in its
tier, the group answered is the one that takes over where the automation fails, as `suggest`, reason `automated`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage_ml.answer.verdicts import HUMAN, SUGGEST, Verdicts, reason_code
from triage_ml.taxonomy import Taxonomy

__all__ = ["PAIRS", "Pair", "agree", "parents_of"]

#: (parent, child) targets that the taxonomy ties together.
PAIRS = (("tier", "assignment_group"), ("category", "subcategory"))

_LEAST = 1e-9
_MOST_CELLS = 2_000_000  # (ticket, child, parent) weighed at once


@dataclass(frozen=True)
class Pair:
    """Which values of two targets go together; `allowed` has shape (child classes, parent classes)."""

    parent: str
    child: str
    allowed: NDArray[np.bool_]

    @classmethod
    def of(cls, taxonomy: Taxonomy, parent: Verdicts, child: Verdicts) -> Pair:
        """The pair as the taxonomy ties it."""
        known: dict[str, list[int]] = {}
        for place, name in enumerate(parent.classes):  # `ACCESS` and `Access` may be two
            known.setdefault(name.casefold(), []).append(place)
        allowed = np.zeros((len(child.classes), len(parent.classes)), dtype=bool)
        for place, value in enumerate(child.classes):
            above = [at for name in parents_of(taxonomy, child.name, value) for at in known.get(name.casefold(), ())]
            allowed[place, above or slice(None)] = True
        return cls(parent.name, child.name, allowed)


def parents_of(taxonomy: Taxonomy, child: str, value: str) -> list[str]:
    """The tier of a group, or the categories of a subcategory; empty where the taxonomy does not know it."""
    if child == "assignment_group":
        tier = taxonomy.tier_of_group(value)
        return [tier] if tier else []
    wanted = value.casefold()
    return [name for name, children in taxonomy.categories.items() if wanted in map(str.casefold, children)]


def agree(pairs: Sequence[Pair], verdicts: Mapping[str, Verdicts]) -> None:
    """Make every pair of targets agree, in place."""
    for pair in pairs:
        parent, child = verdicts[pair.parent], verdicts[pair.child]
        apart = np.flatnonzero(~pair.allowed[child.chosen, parent.chosen])
        size = max(1, _MOST_CELLS // pair.allowed.size)
        for begin in range(0, len(apart), size):
            _settle(pair, parent, child, apart[begin : begin + size])


def _settle(pair: Pair, parent: Verdicts, child: Verdicts, rows: NDArray[np.int64]) -> None:
    above, below = _scores(parent, rows), _scores(child, rows)
    through = np.where(pair.allowed, above[:, None, :], -np.inf)  # (rows, child classes, parent classes)
    joint = below + through.max(axis=2)
    index = np.arange(len(rows))
    chosen_child = joint.argmax(axis=1)
    chosen_parent = through[index, chosen_child].argmax(axis=1)
    possible = np.isfinite(joint[index, chosen_child])
    for verdicts, other, chosen in ((child, parent, chosen_child), (parent, child, chosen_parent)):
        moved = possible & (chosen != verdicts.chosen[rows])
        verdicts.move(rows[moved], chosen[moved], agrees_with=other.name)
    _give_up(pair, parent, child, rows[~possible])


def _scores(verdicts: Verdicts, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Log probabilities of what may be answered, -inf for the rest; shape (rows, K)."""
    scores = np.log(np.maximum(verdicts.probabilities[rows].astype(np.float64), _LEAST))
    if verdicts.has_bars:
        scores[verdicts.barred[rows]] = -np.inf
    held = np.flatnonzero(verdicts.held[rows])
    kept = scores[held, verdicts.chosen[rows[held]]]
    scores[held] = -np.inf
    scores[held, verdicts.chosen[rows[held]]] = np.maximum(kept, np.log(_LEAST))
    return scores


def _give_up(pair: Pair, parent: Verdicts, child: Verdicts, rows: NDArray[np.int64]) -> None:
    automated = parent.reason[rows] == reason_code("automated")
    taken = rows[automated]
    child.action[taken] = np.maximum(child.action[taken], SUGGEST)
    child.reason[taken] = reason_code("automated")
    for row in rows[~automated].tolist():
        parent.chosen[row] = int(np.flatnonzero(pair.allowed[child.chosen[row]])[0])
    stuck = rows[~automated]
    for verdicts, other in ((parent, child), (child, parent)):
        verdicts.action[stuck] = HUMAN
        verdicts.mark(stuck, agrees_with=other.name)
