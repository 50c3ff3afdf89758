"""Texts that lie next to a pattern and are of another, or of none: they show people where it ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from triage_ml.patterns.assign import LOWEST
from triage_ml.patterns.book import PatternBook

__all__ = ["counter_examples"]

IntArray = NDArray[np.int64]

#: Counter examples of a pattern.
SHOWN = 3
#: Patterns that are compared at a time.
CHUNK = 1_000


def counter_examples(book: PatternBook, texts: Sequence[str], pattern: IntArray) -> dict[int, list[int]]:
    """Pattern -> the places of the nearest texts that are not of it, nearest first; at most three, and none that is unlike it.

    Parameters
    ----------
    texts
        n masked texts.
    pattern
        Shape (n,), the pattern of today that each is of, or -1.
    """
    if not len(texts) or not len(book.prototypes.owner):
        return {}
    today = book.goes_on[book.prototypes.owner]
    order = np.argsort(today, kind="stable")
    patterns, starts = np.unique(today[order], return_index=True)
    bounds = np.append(starts, len(order))
    found: dict[int, list[int]] = {}
    with threadpool_limits(limits=1):  # products of matrices round differently with other numbers of threads
        vectors = book.space.encode(texts)
        for begin in range(0, len(patterns), CHUNK):
            end = min(begin + CHUNK, len(patterns))
            own = order[bounds[begin] : bounds[end]]
            likeness = np.maximum.reduceat(
                book.prototypes.vectors[own] @ vectors.T, bounds[begin:end] - bounds[begin], axis=0
            )
            likeness[pattern[None, :] == patterns[begin:end, None]] = -1.0
            for index, row in zip(patterns[begin:end].tolist(), likeness, strict=True):
                near = np.argsort(-row, kind="stable")[:SHOWN]
                found[index] = near[row[near] >= LOWEST].tolist()
    return found
