"""Which words drove an answer, as the reader wrote them.

The margin of a class is a constant plus, for every term in the text, its value times its weight: the weight of the linear
head, and that of the network as it is at this very text, since a network of rectified units is linear around it. Terms are
credited to the words that they cover: a piece to its word, a pair to the phrase. So the weights of all words and phrases of
a ticket, plus the constant, sum to the margin: nothing is approximated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from triage_ml.classify.heads import Head
from triage_ml.features import LONGEST_TEXT, Occurrences, normalise

__all__ = ["Explainer", "Term"]


@dataclass(frozen=True)
class Term:
    """A word or phrase of the ticket and what it adds to the margin of the class."""

    term: str
    weight: float


class Explainer:
    """Explains a batch of texts, for any number of targets.

    Parameters
    ----------
    texts
        The texts that `vectors` and `occurrences` came from.
    vectors
        Shape (texts, columns).
    occurrences
        Where the terms of each text stand.
    """

    def __init__(self, texts: Sequence[str], vectors: sparse.csr_matrix, occurrences: Occurrences) -> None:
        self._texts = texts
        self._vectors = vectors
        self._occurrences = occurrences

    def terms(self, head: Head, classes: NDArray[np.int64], *, most: int | None = 5) -> list[list[Term]]:
        """The terms of each text that speak for its class (weight above 0) or against it, strongest first.

        Parameters
        ----------
        head
            The target's.
        classes
            Shape (texts,), the class to explain for each text.
        most
            How many terms that speak *for* the class; None for all of either sign.
        """
        occurrences = self._occurrences
        added = head.added(self._vectors, occurrences, classes)
        sums = np.bincount(occurrences.phrase, weights=added, minlength=len(occurrences.text))
        shown = np.flatnonzero(sums > 0) if most is not None else np.arange(len(sums))
        order = shown[np.lexsort((occurrences.begin[shown], -np.abs(sums[shown]), occurrences.text[shown]))]
        bounds = np.searchsorted(occurrences.text[order], np.arange(len(self._texts) + 1)).tolist()
        answers = []
        for index, text in enumerate(self._texts):
            mine = order[bounds[index] : bounds[index + 1]][:most].tolist()
            characters = _Characters(text)
            answers.append([Term(self._written(characters, term), float(sums[term])) for term in mine])
        return answers

    def _written(self, characters: _Characters, term: int) -> str:
        return characters.between(int(self._occurrences.begin[term]), int(self._occurrences.end[term]))


class _Characters:
    """From byte offsets in a text's normalised form back to the text as it was written."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._encoded = None
        if not text.isascii():
            normalised = normalise(text)
            self._encoded = normalised.encode("utf-8", "replace")
            self._text = text if len(normalised) <= min(len(text), LONGEST_TEXT) else normalised

    def between(self, begin: int, end: int) -> str:
        """The written form, white space folded."""
        if self._encoded is not None:
            begin = len(self._encoded[:begin].decode("utf-8", "ignore"))
            end = len(self._encoded[:end].decode("utf-8", "ignore"))
        return " ".join(self._text[begin:end].split())
