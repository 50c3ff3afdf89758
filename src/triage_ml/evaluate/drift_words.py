"""Words, pairs of words and labels that are in far more or far fewer tickets of a week than usual."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import nbinom, poisson
from sklearn.feature_extraction.text import CountVectorizer

__all__ = ["WordChange", "WordWeeks", "tokens_of"]

_LEAST_WORD_TICKETS = 8
_WORD_ERROR = 0.01
_LEAST_RATIO = 2.0
_MOST_WORDS = 60_000
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class WordChange:
    """A word whose tickets in a week are far from the usual: found, expected at its usual share, and how unlikely."""

    word: str
    tickets: int
    expected: float
    p_value: float

    @property
    def rises(self) -> bool:
        """More than usual, not fewer."""
        return self.tickets > self.expected


def tokens_of(answers: pd.DataFrame, texts: Sequence[str], labels: Sequence[str]) -> list[list[str]]:
    """What is counted of each ticket: its words, pairs of words, labels, and labels with the tier that solved them.

    A label with its tier is what an automation changes: the tickets go on arriving and are closed as another tier.
    """
    columns = {name: answers[name].astype("string").fillna("").tolist() for name in labels}
    tiers = answers["tier_truth"].astype("string").fillna("").tolist() if "tier_truth" in answers else None
    found = []
    for row, text in enumerate(texts or [""] * len(answers)):
        words = _WORD.findall(text.lower())
        tokens = [*words, *(f"{one} {two}" for one, two in pairwise(words))]
        for name, values in columns.items():
            if values[row]:
                tokens.append(f"{name}: {values[row]}")
                if tiers is not None and tiers[row]:
                    tokens.append(f"{name}: {values[row]}, closed as {tiers[row]}")
        found.append(tokens)
    return found


class WordWeeks:
    """How many tickets hold each word, by week; a watched week becomes part of the past once it was judged."""

    def __init__(self, tokens: Sequence[list[str]], weeks: NDArray[Any], reference: NDArray[np.bool_]) -> None:
        self._weeks = sorted(set(weeks))
        self._past = [week for week in self._weeks if reference[weeks == week].all()]
        place = {week: number for number, week in enumerate(self._weeks)}
        rows = np.array([place[week] for week in weeks])
        self._totals = np.bincount(rows, minlength=len(place)).astype(float)
        self._names: NDArray[Any] = np.array([], dtype=object)
        self._counts = np.zeros((len(place), 0))
        if any(tokens):
            vectorizer = CountVectorizer(binary=True, min_df=5, max_features=_MOST_WORDS, analyzer=list)
            held = vectorizer.fit_transform(tokens)
            by_week = sparse.csr_matrix(
                (np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=(len(place), len(rows))
            )
            self._counts = np.asarray((by_week @ held).todense())
            self._names = vectorizer.get_feature_names_out()
        self._place = place

    def learn(self, week: str) -> None:
        self._past.append(week)

    def new_share(self, week: str) -> float:
        """Share of the week's word holdings that are of words the past never had."""
        row = self._counts[self._place[week]]
        if not row.sum():
            return 0.0
        unseen = self._counts[[self._place[one] for one in self._past]].sum(axis=0) == 0
        return float(row[unseen].sum() / row.sum())

    def changes(self, week: str) -> list[WordChange]:
        """Words far from their usual, least likely first: a negative binomial with the word's own spread over weeks.

        Each word is tested at an error of 0.01 over all words together (Bonferroni).
        """
        if not len(self._names) or len(self._past) < 2:
            return []
        past = self._counts[[self._place[one] for one in self._past]]
        totals = self._totals[[self._place[one] for one in self._past]]
        now, total = self._counts[self._place[week]], self._totals[self._place[week]]
        expected = past.sum(axis=0) / totals.sum() * total
        p_values = _tails(now, expected, _spread(past, totals))
        floor = np.maximum(expected, 0.5)
        large = np.maximum(now, expected) >= _LEAST_WORD_TICKETS
        far = np.maximum(now, 0.5) / floor
        chosen = large & ((far >= _LEAST_RATIO) | (far <= 1 / _LEAST_RATIO)) & (p_values * len(now) < _WORD_ERROR)
        order = np.flatnonzero(chosen)[np.argsort(p_values[chosen], kind="stable")]
        return [WordChange(str(self._names[i]), int(now[i]), float(expected[i]), float(p_values[i])) for i in order]


def _spread(past: NDArray[np.float64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Variance over mean beyond Poisson, per word, drawn towards that of all words: a few weeks say little by themselves.

    Returned as k, the negative binomial's extra variance in units of the squared mean.
    """
    rate = past.sum(axis=0) / totals.sum()
    means = np.outer(totals, rate)
    excess = ((past - means) ** 2 - means).sum(axis=0)
    scale = (means**2).sum(axis=0)
    overall = max(float(excess.sum() / max(scale.sum(), 1e-9)), 0.0)
    weeks = len(totals)
    own = np.clip(excess / np.maximum(scale, 1e-9), 0.0, 25.0)
    return np.asarray((weeks * own + 4 * overall) / (weeks + 4) + 0.01)


def _tails(now: NDArray[np.float64], expected: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Two-sided p-values of the counts."""
    mean = np.maximum(expected, 0.3)
    size = 1 / spread
    chance = size / (size + mean)
    above = np.where(spread > 1e-6, nbinom.sf(now - 1, size, chance), poisson.sf(now - 1, mean))
    below = np.where(spread > 1e-6, nbinom.cdf(now, size, chance), poisson.cdf(now, mean))
    return np.asarray(np.minimum(1.0, 2 * np.minimum(above, below)))
