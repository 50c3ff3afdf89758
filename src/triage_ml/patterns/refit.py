"""A new space on purpose: vocabulary that came up since the last fit takes part, and every pattern keeps its id.

A pattern stays where it was: its prototypes are carried over by the linear map that takes the old places of texts to their
new ones (least squares), then drawn a little to the texts of this run that each of them takes. The texts are those of the run
and the anchors, which are kept for this. Groups that are formed anew from the texts of the run would be other groups: that
kept 92 % of a desk's volume, this keeps 97 (experiments/0403-patterns-over-weeks).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from triage_ml.patterns.assign import HIGHEST, LOWEST, ROUNDING, Prototypes, belongs, nearest
from triage_ml.patterns.book import Pattern, PatternBook, Rare
from triage_ml.patterns.cases import beside_each_other
from triage_ml.patterns.discover import sums_of
from triage_ml.patterns.placing import BLOCK, Placed, fit_space, place, recognise
from triage_ml.patterns.resolving import carried

__all__ = ["anchors_of", "refit"]

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

#: Tickets that an anchor stands for, beside the texts of the run.
ANCHOR_TICKETS = 1
#: Texts in whose favour the map is believed before what those of the run say.
HELD_BACK = 10
#: Texts and close notes that the map is fitted on, and how much it is held back where they say little.
MAPPED, RIDGE = 50_000, 1.0
#: With fewer texts of its own a prototype keeps its threshold.
FEW = 3


def refit(book: PatternBook, placed: Placed, encoder: str | None = None) -> tuple[PatternBook, Placed]:
    """The book in a space that is fitted on the texts of this run, and those texts in it.

    Parameters
    ----------
    placed
        The texts of the run in the old space.
    """
    anchors = [anchor for pattern in book.patterns for anchor in anchors_of(pattern)]
    space = fit_space(placed.texts, encoder, [*anchors, *book.rare])
    texts = place(space, placed.texts)
    if not len(book):
        return replace(book, space=space, variants=None), texts
    old, new = placed.joined(place(book.space, anchors)), texts.joined(place(space, anchors))
    way = _map(old, new)
    by_text = _moved(book.prototypes, way, book.goes_on, old, new, by_case=False)
    by_case = _moved(book.cases, beside_each_other(way), book.goes_on, old, new, by_case=True)
    variants = carried(book, placed, texts, recognise(book, placed).pattern)
    return replace(book, space=space, prototypes=by_text, cases=by_case, variants=variants), texts


def anchors_of(pattern: Pattern) -> list[Rare]:
    """A pattern's anchors as texts."""
    notes: Sequence[str] = pattern.anchor_notes or [""] * len(pattern.anchors)
    return [
        Rare(anchor, pattern.title, anchor, ANCHOR_TICKETS, pattern.born, pattern.label, note)
        for anchor, note in zip(pattern.anchors, notes, strict=True)
    ]


def _map(old: Placed, new: Placed) -> FloatArray:
    """Shape (d of old, d of new): the map under which texts and close notes come nearest to where they are now."""
    some = np.unique(np.linspace(0, len(old) - 1, min(len(old), MAPPED)).astype(np.int64))
    before = np.concatenate([old.at(some).vectors, old.notes[:MAPPED]]).astype(np.float64)
    after = np.concatenate([new.at(some).vectors, new.notes[:MAPPED]]).astype(np.float64)
    gram = before.T @ before + RIDGE * np.eye(before.shape[1])
    way: FloatArray = np.linalg.solve(gram, before.T @ after).astype(np.float32)
    return way


def _moved(
    prototypes: Prototypes, way: FloatArray, goes_on: IntArray, old: Placed, new: Placed, *, by_case: bool
) -> Prototypes:
    """The prototypes in the new space; `old` and `new` are the same texts in both."""
    beside = np.zeros((len(prototypes.owner), way.shape[1]), dtype=np.float32)
    counts = np.full(len(beside), HELD_BACK, dtype=np.float32)
    takes = []
    for before, after in _blocks(old, new, by_case=by_case):
        near = nearest(before, prototypes, goes_on)
        inside = belongs(near, prototypes) & after.any(axis=1)
        takes.append((inside, near.prototype[inside]))
        beside += sums_of((after - before @ way)[inside], near.prototype[inside], len(beside))
        counts += np.bincount(near.prototype[inside], minlength=len(beside)).astype(np.float32)
    means = (prototypes.vectors * prototypes.spread[:, None]) @ way + beside / counts[:, None]
    spread = np.linalg.norm(means, axis=1).astype(np.float32)
    placed = replace(prototypes, vectors=(means / np.maximum(spread, 1e-9)[:, None]).astype(np.float32), spread=spread)
    group = goes_on[prototypes.owner]
    kept = []
    for (inside, before_it), (_, after) in zip(takes, _blocks(old, new, by_case=by_case), strict=True):
        if inside.any():
            near = nearest(after[inside], placed, goes_on)
            stayed = group[near.prototype] == group[before_it]
            kept.append((near.prototype[stayed], near.similarity[stayed]))
    return replace(placed, thresholds=_thresholds(placed, kept))


def _thresholds(prototypes: Prototypes, kept: Sequence[tuple[IntArray, FloatArray]]) -> FloatArray:
    """Each as low as it takes to keep what its pattern took before and is nearest to it now (prototype and cosine), within
    the bounds of all thresholds. What was another pattern's says nothing of how far this one reaches."""
    lowest = np.full(len(prototypes.owner), np.inf, dtype=np.float32)
    count = np.zeros(len(lowest), dtype=np.int64)
    for prototype, similarity in kept:
        np.minimum.at(lowest, prototype, similarity)
        np.add.at(count, prototype, 1)
    bounded: FloatArray = np.clip(lowest - np.float32(ROUNDING), LOWEST, HIGHEST).astype(np.float32)
    return np.where(count >= FEW, bounded, prototypes.thresholds)


def _blocks(old: Placed, new: Placed, *, by_case: bool) -> Iterator[tuple[FloatArray, FloatArray]]:
    """The same texts in both spaces, a block at a time: all by their texts, or the closed ones by their cases."""
    rows = np.flatnonzero(old.closed) if by_case else np.arange(len(old))
    for start in range(0, len(rows), BLOCK):
        before, after = old.at(rows[start : start + BLOCK]), new.at(rows[start : start + BLOCK])
        yield (before.cases, after.cases) if by_case else (before.vectors, after.vectors)
