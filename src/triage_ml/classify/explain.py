"""Which words drove an answer, as the reader wrote them.

The margin of a class is the intercept plus, for every term in the text, its value times its weight. Terms are credited to
the words that they cover: a piece to its word, a pair to the phrase. So the weights of all words and phrases of a ticket,
plus the intercept, sum to the margin: nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage_ml.features import Occurrences, normalise

__all__ = ["Term", "explain"]


@dataclass(frozen=True)
class Term:
    """A word or phrase of the ticket and what it adds to the margin of the class."""

    term: str
    weight: float


def explain(
    texts: Sequence[str],
    occurrences: Occurrences,
    weights: NDArray[np.float32],
    classes: NDArray[np.int64],
    *,
    most: int | None = 5,
) -> list[list[Term]]:
    """The terms of each text that speak for (weight above 0) or against its class, strongest first.

    Parameters
    ----------
    texts
        The texts that `occurrences` came from.
    weights
        Shape (columns, K), the head's.
    classes
        Shape (texts,), the class to explain for each text.
    most
        How many terms that speak *for* the class; None for all of either sign.
    """
    added = occurrences.share * weights[occurrences.column, classes[occurrences.text]]
    order = np.argsort(occurrences.text, kind="stable")
    bounds = np.searchsorted(occurrences.text[order], np.arange(len(texts) + 1))
    return [
        _terms(text, occurrences, added, order[bounds[index] : bounds[index + 1]], most)
        for index, text in enumerate(texts)
    ]


def _terms(
    text: str, occurrences: Occurrences, added: NDArray[np.float32], mine: NDArray[np.int64], most: int | None
) -> list[Term]:
    layout = occurrences.layout
    spans = occurrences.first[mine] << 32 | occurrences.last[mine]
    unique, inverse = np.unique(spans, return_inverse=True)
    weights = np.bincount(inverse, weights=added[mine], minlength=len(unique))
    sums: dict[bytes, float] = {}
    place: dict[bytes, tuple[int, int]] = {}
    for span, weight in zip(unique.tolist(), weights.tolist(), strict=True):
        first, last = span >> 32, span & 0xFFFFFFFF
        key = layout.codes[layout.starts[first] : layout.ends[last]].tobytes()
        sums[key] = sums.get(key, 0.0) + weight
        place.setdefault(key, (first, last))
    ranked = sorted(sums.items(), key=lambda item: (-abs(item[1]), item[0]))
    if most is not None:
        ranked = [item for item in ranked if item[1] > 0][:most]
    characters = _Characters(text)
    return [Term(characters.between(*layout.span(*place[key])), weight) for key, weight in ranked]


class _Characters:
    """From byte offsets in a text's normalised form back to the text as it was written."""

    def __init__(self, text: str) -> None:
        self._normalised = normalise(text)
        self._encoded = None if self._normalised.isascii() else self._normalised.encode("utf-8", "replace")
        self._text = text if len(self._normalised) <= len(text) else self._normalised

    def between(self, begin: int, end: int) -> str:
        """The written form, white space folded."""
        if self._encoded is not None:
            begin = len(self._encoded[:begin].decode("utf-8", "ignore"))
            end = len(self._encoded[:end].decode("utf-8", "ignore"))
        return " ".join(self._text[begin:end].split())
