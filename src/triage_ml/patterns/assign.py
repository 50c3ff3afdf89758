"""Which known pattern a text belongs to, or honestly none.

A pattern is one or more prototypes: points in the space, each with the similarity that a text must reach. A text goes to
the pattern of its nearest prototype if it reaches that threshold and no other pattern is as near.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from triage_ml.compiled import compiled
from triage_ml.patterns.coarse import Coarse, coarse_of, nearest_of_one

__all__ = ["NO_PATTERN", "Assignment", "Near", "Prototypes", "assign_vectors", "nearest", "threshold_of"]

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

#: Index of a vector that belongs to no pattern.
NO_PATTERN = -1

#: How much nearer the best pattern must be than the second (cosine). Small: it only refuses a toss-up.
MARGIN = 0.01

#: A pattern's threshold is the similarity that all but this share of its own texts reach, within these bounds.
LEFT_OUT = 0.03
#: The upper bound hardly matters on the simulated desk: from 0.40 to 0.60 later weeks are covered to 97 to 93 %, and the
#: share of all tickets that go to the right pattern by their text stays within one point.
LOWEST, HIGHEST = 0.30, 0.46
#: The edge is a text's own similarity; alone it rounds otherwise than in a batch and must not fall out for that.
ROUNDING = 1e-4

BLOCK = 2_048
#: So few texts are compared with so many prototypes one by one, by their rounded numbers first; more share one product.
FEW_TEXTS, MANY_PROTOTYPES = 3, 1_000


@dataclass(frozen=True)
class Assignment:
    """The pattern of one text; `similarity` is the cosine to its nearest prototype.

    `variant_id` is the way in which it will be resolved, where the text alone tells; `theme_id` what the pattern is part of.
    """

    pattern_id: str
    title: str
    similarity: float
    variant_id: str | None = None
    theme_id: str | None = None


@dataclass(frozen=True)
class Prototypes:
    """Points that stand for patterns.

    Attributes
    ----------
    vectors
        Shape (m, d), unit length.
    owner
        Shape (m,), index of the pattern; prototypes of one pattern need not be neighbours.
    thresholds
        Shape (m,), lowest cosine of a text that belongs.
    spread
        Shape (m,), length of the mean of the texts that the prototype stands for: 1 where they are all alike.
    texts
        Shape (m,), how many texts that are.
    """

    vectors: FloatArray
    owner: IntArray
    thresholds: FloatArray
    spread: FloatArray
    texts: IntArray

    @classmethod
    def none(cls, dimensions: int) -> Prototypes:
        """No prototypes, in a space of `dimensions`."""
        number, count = np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.int64)
        return cls(np.zeros((0, dimensions), dtype=np.float32), count, number, number, count)

    def joined(self, other: Prototypes) -> Prototypes:
        """These and then the other ones."""
        return Prototypes(*(np.concatenate(both) for both in zip(self._parts(), other._parts(), strict=True)))

    def at(self, index: IntArray | NDArray[np.bool_]) -> Prototypes:
        """Some of them."""
        return Prototypes(*(part[index] for part in self._parts()))

    def sums(self, owners: int) -> tuple[FloatArray, FloatArray]:
        """The sum of the texts of each of `owners` patterns, shape (owners, d), and how many they are, shape (owners,)."""
        total = np.zeros((owners, self.vectors.shape[1]), dtype=np.float32)
        np.add.at(total, self.owner, self._weighted)
        count = np.bincount(self.owner, weights=self.texts, minlength=owners).astype(np.float32)
        return total, count

    @cached_property
    def coarse(self) -> Coarse:
        """The vectors in a quarter of the bytes, for one text at a time."""
        return coarse_of(self.vectors)

    @cached_property
    def _weighted(self) -> FloatArray:
        weighted: FloatArray = self.vectors * (self.spread * self.texts).astype(np.float32)[:, None]
        return weighted

    def _parts(self) -> tuple[NDArray[Any], ...]:
        return (self.vectors, self.owner, self.thresholds, self.spread, self.texts)


class Near(NamedTuple):
    """The nearest prototype of each of n vectors: its index, the cosine, and the best cosine of any other pattern."""

    prototype: IntArray
    similarity: FloatArray
    second: FloatArray


def nearest(vectors: FloatArray, prototypes: Prototypes, goes_on: IntArray | None = None) -> Near:
    """The nearest prototypes of unit vectors of shape (n, d); there must be at least one.

    `goes_on`, shape (patterns,), is the pattern that each one is part of now: those that were merged are one.
    """
    group = prototypes.owner if goes_on is None else goes_on[prototypes.owner]
    if len(vectors) <= FEW_TEXTS and len(prototypes.owner) >= MANY_PROTOTYPES:
        found = [nearest_of_one(vector, prototypes.vectors, prototypes.coarse, group) for vector in vectors]
        place, best, second = zip(*found, strict=True)
        return Near(np.array(place), np.array(best, dtype=np.float32), np.array(second, dtype=np.float32))
    starts = range(0, len(vectors), BLOCK)
    if len(starts) == 1:
        return _nearest_of_block(vectors, prototypes.vectors, group)
    blocks = Parallel(n_jobs=-1, prefer="threads")(
        delayed(_nearest_of_block)(vectors[start : start + BLOCK], prototypes.vectors, group) for start in starts
    )
    return Near(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))


def assign_vectors(
    vectors: FloatArray, prototypes: Prototypes, goes_on: IntArray | None = None
) -> tuple[IntArray, FloatArray]:
    """Pattern index (or `NO_PATTERN`) and cosine to the nearest prototype, both of shape (n,)."""
    if len(prototypes.owner) == 0 or len(vectors) == 0:
        return np.full(len(vectors), NO_PATTERN, dtype=np.int64), np.zeros(len(vectors), dtype=np.float32)
    near = nearest(vectors, prototypes, goes_on)
    return np.where(belongs(near, prototypes), prototypes.owner[near.prototype], NO_PATTERN), near.similarity


def belongs(near: Near, prototypes: Prototypes) -> NDArray[np.bool_]:
    """Whether each text reaches the threshold of its nearest prototype, and no other pattern is as near; shape (n,)."""
    enough: NDArray[np.bool_] = near.similarity >= prototypes.thresholds[near.prototype]
    return enough & (near.similarity - near.second >= MARGIN)


def threshold_of(similarities: FloatArray, tickets: IntArray) -> float:
    """Threshold of a prototype from the similarities of its own texts and how many tickets each stands for."""
    edge = np.quantile(similarities, LEFT_OUT, weights=tickets, method="inverted_cdf")
    return float(np.clip(edge - ROUNDING, LOWEST, HIGHEST))


def _nearest_of_block(vectors: FloatArray, prototypes: FloatArray, group: IntArray) -> Near:
    # One text is a matrix times a vector, this way round.
    similarity = np.ascontiguousarray((prototypes @ vectors.T).T)
    return Near(*_best_two(similarity, group))


@compiled
def _best_two(similarity: FloatArray, group: IntArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """Column and value of each row's largest entry (the first of equal ones), and the largest of any other group."""
    rows, columns = similarity.shape
    place = np.zeros(rows, dtype=np.int64)
    best = np.full(rows, -2.0, dtype=np.float32)
    second = np.full(rows, -2.0, dtype=np.float32)
    for row in range(rows):
        for column in range(columns):
            value = similarity[row, column]
            if value > best[row]:
                if group[column] != group[place[row]]:
                    second[row] = best[row]
                best[row] = value
                place[row] = column
            elif value > second[row] and group[column] != group[place[row]]:
                second[row] = value
    return place, best, second
