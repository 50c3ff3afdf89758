"""Trials of a search, as they are logged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Trial"]


@dataclass(frozen=True)
class Trial:
    """One set of parameters: mean macro-F1 on the validation part by tickets fitted on, the largest number last.

    `pruned` trials were given up early because others were better on as many tickets.
    """

    number: int
    params: Mapping[str, Any]
    state: Literal["complete", "pruned"]
    points: tuple[tuple[int, float], ...]
    seconds: float

    @property
    def value(self) -> float:
        """The last point."""
        return self.points[-1][1]
