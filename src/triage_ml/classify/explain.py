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
        The texts that `occurrences` came from.
    occurrences
        Where the terms of each text stand. Words and phrases that are written alike in one text are one term.
    """

    def __init__(self, texts: Sequence[str], occurrences: Occurrences) -> None:
        self._texts = texts
        self._occurrences = occurrences
        layout = occurrences.layout
        words = max(len(layout.starts), 1)
        units, unit = np.unique((occurrences.last - occurrences.first) * words + occurrences.first, return_inverse=True)
        first = units % words
        last = first + units // words
        text = layout.text_of_word[first]
        written = layout.hash_of_spans(first, last) + text.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        _, shown, term = np.unique(written, return_index=True, return_inverse=True)
        self._term = term[unit]
        self._first, self._last, self._text = first[shown], last[shown], text[shown]

    def terms(
        self, weights: NDArray[np.float32], classes: NDArray[np.int64], *, most: int | None = 5
    ) -> list[list[Term]]:
        """The terms of each text that speak for its class (weight above 0) or against it, strongest first.

        Parameters
        ----------
        weights
            Shape (columns, K), the head's.
        classes
            Shape (texts,), the class to explain for each text.
        most
            How many terms that speak *for* the class; None for all of either sign.
        """
        occurrences = self._occurrences
        added = occurrences.share * weights[occurrences.column, classes[occurrences.text]]
        sums = np.bincount(self._term, weights=added, minlength=len(self._text))
        order = np.lexsort((self._first, -np.abs(sums), self._text))
        if most is not None:
            order = order[sums[order] > 0]
        bounds = np.searchsorted(self._text[order], np.arange(len(self._texts) + 1)).tolist()
        answers = []
        for index, text in enumerate(self._texts):
            mine = order[bounds[index] : bounds[index + 1]][:most].tolist()
            characters = _Characters(text)
            answers.append([Term(self._written(characters, term), float(sums[term])) for term in mine])
        return answers

    def _written(self, characters: _Characters, term: int) -> str:
        return characters.between(*self._occurrences.layout.span(self._first[term], self._last[term]))


class _Characters:
    """From byte offsets in a text's normalised form back to the text as it was written."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._encoded = None
        if not text.isascii():
            normalised = normalise(text)
            self._encoded = normalised.encode("utf-8", "replace")
            self._text = text if len(normalised) <= len(text) else normalised

    def between(self, begin: int, end: int) -> str:
        """The written form, white space folded."""
        if self._encoded is not None:
            begin = len(self._encoded[:begin].decode("utf-8", "ignore"))
            end = len(self._encoded[:end].decode("utf-8", "ignore"))
        return " ".join(self._text[begin:end].split())
