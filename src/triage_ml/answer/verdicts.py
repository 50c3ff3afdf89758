"""One target's answers to a batch of tickets, as arrays that one step after the other may make more cautious.

The classifier speaks first. Costs, the groups that people moved a ticket from, rules, automations and the taxonomy follow,
in this order. A step that takes an answer away from the model never makes the next best one `auto`: its precision was never
measured. Whole arrays are changed at once; a loop goes only over the few tickets that are marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from triage_ml.classify import REASONS as MODEL_REASONS
from triage_ml.classify import Action, TargetAnswers

__all__ = ["ACTIONS", "AUTO", "HUMAN", "NO_THRESHOLD", "REASONS", "SUGGEST", "Verdicts", "reason_code"]

#: From bold to cautious: the code of an action is its place here.
ACTIONS: tuple[Action, ...] = ("auto", "suggest", "human")
AUTO, SUGGEST, HUMAN = range(3)
_ACTION_CODES = {action: code for code, action in enumerate(ACTIONS)}

#: Every reason an answer can have; the last two are given by no model.
REASONS = (*MODEL_REASONS, "set_by_rule", "picked_for_audit")
_REASON_CODES = {reason: code for code, reason in enumerate(REASONS)}

#: Above every probability.
NO_THRESHOLD = 2.0

Rows = NDArray[np.int64]


def reason_code(reason: str) -> int:
    """The place of a reason in `REASONS`."""
    return _REASON_CODES[reason]


@dataclass
class Verdicts:
    """What one target is answered, for n tickets and K classes.

    Attributes
    ----------
    classes
        The values that may be answered: what the model learnt, then what rules and the taxonomy add (probability 0).
    probabilities
        Shape (n, K), calibrated.
    chosen
        Shape (n,), index of the value that is answered.
    action, reason
        Shape (n,), codes into `ACTIONS` and `REASONS`.
    threshold
        Shape (n,), least probability for `auto`; above 1 where none was applied.
    held
        Shape (n,), whether the value was set on purpose (by a rule, a cost, an automation) and must not be traded.
    capped
        Shape (n,), whether a rule keeps this answer from being `auto`.
    marks
        What an answer says besides, by row: the name of a rule, the target that it was made to agree with.
    """

    name: str
    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]
    chosen: Rows
    action: NDArray[np.int8]
    reason: NDArray[np.int8]
    threshold: NDArray[np.float64]
    held: NDArray[np.bool_]
    capped: NDArray[np.bool_]
    marks: dict[int, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, answers: TargetAnswers, more: Sequence[str] = ()) -> Verdicts:
        """What the classifier says, with `more` values that it never learnt."""
        n = len(answers.chosen)
        probabilities = answers.probabilities
        if more:
            probabilities = np.hstack([probabilities, np.zeros((n, len(more)), dtype=np.float32)])
        codes = [(_ACTION_CODES[action], _REASON_CODES[reason]) for action, reason in answers.decisions]
        action, reason = np.array(codes, dtype=np.int8).reshape(n, 2).T.copy()
        threshold = np.broadcast_to(np.asarray(answers.threshold, dtype=np.float64), (n,)).copy()
        nobody = np.zeros(n, dtype=bool)
        chosen = answers.chosen.astype(np.int64)
        classes = (*answers.classes, *more)
        return cls(name, classes, probabilities, chosen, action, reason, threshold, nobody, nobody.copy())

    def __len__(self) -> int:
        return len(self.chosen)

    @cached_property
    def barred(self) -> NDArray[np.bool_]:
        """Shape (n, K): the values that a ticket may not be answered."""
        return np.zeros(self.probabilities.shape, dtype=bool)

    @property
    def has_bars(self) -> bool:
        """Whether anything was ever barred."""
        return "barred" in vars(self)

    @cached_property
    def _places(self) -> dict[str, int]:
        folded = {value.casefold(): place for place, value in reversed(list(enumerate(self.classes)))}
        return folded | {value: place for place, value in enumerate(self.classes)}

    def place(self, value: str) -> int:
        """Index of a value that is known to be there, whatever its case."""
        return self._places.get(value, self._places.get(value.casefold(), -1))

    def places(self, values: Iterable[str]) -> list[int]:
        """Indices of those values that are classes, whatever their case."""
        return [place for value in values if (place := self.place(value)) >= 0]

    def bar(self, rows: Rows, mask: NDArray[np.bool_], reason: str, **marks: str) -> None:
        """Never answer these tickets the values in `mask`, shape (K,) or (rows, K).

        Where the answer was one of them, the most likely value that is left takes its place, `suggest` at most; where none
        is left the answer stays and a person decides.
        """
        self.barred[rows] |= mask
        hit = rows[self.barred[rows, self.chosen[rows]]]
        left = np.where(self.barred[hit], np.float32(-1), self.probabilities[hit])
        best = left.argmax(axis=1)
        nothing = left[np.arange(len(hit)), best] < 0
        self.chosen[hit] = np.where(nothing, self.chosen[hit], best)
        self.action[hit] = np.where(nothing, HUMAN, np.maximum(self.action[hit], SUGGEST))
        self.reason[hit] = reason_code(reason)
        self.held[hit] = False
        self.threshold[hit] = NO_THRESHOLD
        self.mark(hit, **marks)

    def fix(self, rows: Rows, value: str, action: int, reason: str, **marks: str) -> Rows:
        """Answer these tickets `value`, but where it is barred or another value was fixed; returns where it was done."""
        place = self.place(value)
        rows = rows[~self.held[rows]]
        if self.has_bars:
            rows = rows[~self.barred[rows, place]]
        self.chosen[rows] = place
        self.action[rows] = np.where(self.capped[rows], max(action, SUGGEST), action)
        self.reason[rows] = np.where(self.capped[rows], reason_code("blocked_by_rule"), reason_code(reason))
        self.held[rows] = True
        self.threshold[rows] = NO_THRESHOLD
        self.mark(rows, **marks)
        return rows

    def cap(self, rows: Rows, reason: str, **marks: str) -> None:
        """Never `auto` for these tickets."""
        self.capped[rows] = True
        bold = rows[self.action[rows] == AUTO]
        self.action[bold] = SUGGEST
        self.reason[bold] = reason_code(reason)
        self.mark(bold, **marks)

    def move(self, rows: Rows, chosen: Rows, **marks: str) -> None:
        """Answer another value than the most likely one, for the sake of another target: `suggest` at most."""
        self.chosen[rows] = chosen
        self.threshold[rows] = NO_THRESHOLD
        bold = rows[self.action[rows] == AUTO]
        self.action[bold] = SUGGEST
        self.reason[bold] = reason_code("below_threshold")
        self.mark(rows, **marks)

    def mark(self, rows: Rows, **marks: str) -> None:
        """Note something about these tickets for their answers."""
        if marks:
            for row in rows.tolist():
                self.marks.setdefault(row, {}).update(marks)

    def chosen_probability(self) -> NDArray[np.float32]:
        """Shape (n,), the probability of what is answered."""
        given: NDArray[np.float32] = self.probabilities[np.arange(len(self)), self.chosen]
        return given
