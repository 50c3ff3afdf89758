"""Random choices for text, one at a time but cheap: numpy draws the numbers in blocks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TypeVar

import numpy as np

__all__ = ["Dice", "Weighted"]

T = TypeVar("T")


def _numbers(rng: np.random.Generator) -> Iterator[float]:
    while True:
        yield from rng.random(8192).tolist()


class Dice:
    """A stream of uniform numbers in [0, 1) from one generator; the same generator gives the same stream."""

    __slots__ = ("random",)

    def __init__(self, rng: np.random.Generator) -> None:
        self.random = _numbers(rng).__next__

    def chance(self, share: float) -> bool:
        """True in `share` of all calls."""
        return self.random() < share

    def below(self, count: int) -> int:
        """A whole number from 0 to `count` - 1."""
        return int(self.random() * count)

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both possible."""
        return low + int(self.random() * (high - low + 1))

    def pick(self, options: Sequence[T]) -> T:
        """One of `options`, each as likely as the next."""
        return options[int(self.random() * len(options))]


class Weighted:
    """A fixed set of options with shares, for `draw` in a loop."""

    __slots__ = ("_bounds", "options")

    def __init__(self, shares: dict[str, float]) -> None:
        self.options = tuple(shares)
        total = sum(shares.values())
        self._bounds = [bound / total for bound in accumulate(shares.values())][:-1]

    def draw(self, dice: Dice) -> str:
        """One option, as often as its share says."""
        return self.at(dice.random())

    def at(self, place: float) -> str:
        """The option whose part of [0, 1) holds `place`."""
        return self.options[bisect_right(self._bounds, place)]
