"""Which known pattern a text belongs to, or honestly none.

A pattern is one or more prototypes: points in the space, each with the similarity that a text must reach. A text goes to
the pattern of its nearest prototype if it reaches that threshold and no other pattern is as near.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["NO_PATTERN", "Assignment", "Prototypes", "assign_vectors", "threshold_of"]

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

BLOCK = 4_096


@dataclass(frozen=True)
class Assignment:
    """The pattern of one text; `similarity` is the cosine to its nearest prototype."""

    pattern_id: str
    title: str
    similarity: float


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
    """

    vectors: NDArray[np.float32]
    owner: NDArray[np.int64]
    thresholds: NDArray[np.float32]

    @classmethod
    def none(cls, dimensions: int) -> Prototypes:
        """No prototypes, in a space of `dimensions`."""
        return cls(
            np.zeros((0, dimensions), dtype=np.float32), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        )

    def joined(self, other: Prototypes) -> Prototypes:
        """These and then the other ones."""
        return Prototypes(
            np.concatenate([self.vectors, other.vectors]),
            np.concatenate([self.owner, other.owner]),
            np.concatenate([self.thresholds, other.thresholds]),
        )


def assign_vectors(
    vectors: NDArray[np.float32], prototypes: Prototypes
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Pattern index (or `NO_PATTERN`) and cosine to the nearest prototype, both of shape (n,)."""
    pattern = np.full(len(vectors), NO_PATTERN, dtype=np.int64)
    similarity = np.zeros(len(vectors), dtype=np.float32)
    if len(prototypes.owner) == 0:
        return pattern, similarity
    for start in range(0, len(vectors), BLOCK):
        block = slice(start, start + BLOCK)
        pattern[block], similarity[block] = _assign_block(vectors[block], prototypes)
    return pattern, similarity


def threshold_of(similarities: NDArray[np.float32], tickets: NDArray[np.int64]) -> float:
    """Threshold of a prototype from the similarities of its own texts and how many tickets each stands for."""
    edge = np.quantile(similarities, LEFT_OUT, weights=tickets, method="inverted_cdf")
    return float(np.clip(edge - ROUNDING, LOWEST, HIGHEST))


def _assign_block(
    vectors: NDArray[np.float32], prototypes: Prototypes
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    similarity = (prototypes.vectors @ vectors.T).T  # this way round one text is a matrix times a vector
    rows = np.arange(len(vectors))
    nearest = similarity.argmax(axis=1)
    best = similarity[rows, nearest]
    order = np.argsort(prototypes.owner, kind="stable")
    owners, starts = np.unique(prototypes.owner[order], return_index=True)
    of_pattern = np.maximum.reduceat(similarity[:, order], starts, axis=1)
    owner = prototypes.owner[nearest]
    of_pattern[rows, np.searchsorted(owners, owner)] = -1.0
    second = of_pattern.max(axis=1)
    belongs = (best - second >= MARGIN) & (best >= prototypes.thresholds[nearest])
    return np.where(belongs, owner, NO_PATTERN), best
