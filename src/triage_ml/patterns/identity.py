"""What makes a pattern the same pattern next week, and in another space: its id and its anchors.

An id is given once, from the texts that founded the pattern, and never changes. Anchors are some twenty of those texts,
redacted and masked, kept with the pattern for ever: encoded again they say where the pattern lies in any later space.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

import numpy as np
from numpy.typing import NDArray

from triage_ml.patterns.uniques import text_key

__all__ = ["ANCHORS", "choose_anchors", "match_known", "new_pattern_id"]

ANCHORS = 20
ANCHOR_LENGTH = 600

#: A group found in what was left over is a known pattern after all if its centre is this near to one of its prototypes.
SAME = 0.75


def choose_anchors(texts: Sequence[str], count: int = ANCHORS) -> tuple[str, ...]:
    """Up to `count` of a pattern's masked texts (most typical first), evenly spread from the most typical to the edge."""
    picks = np.unique(np.linspace(0, len(texts) - 1, min(count, len(texts))).round().astype(int))
    return tuple(texts[pick][:ANCHOR_LENGTH] for pick in picks)


def new_pattern_id(anchors: Sequence[str], taken: Container[str]) -> str:
    """An id from the founding texts, so that the same tickets give the same id on any machine."""
    founding = "\n".join(sorted(anchors))
    for attempt in range(1_000):
        candidate = f"p{text_key(f'{attempt}:{founding}')[:12]}"
        if candidate not in taken:
            return candidate
    raise AssertionError("a thousand collisions of a 48-bit hash")


def match_known(centroids: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.int64]:
    """For each centroid of shape (n, d) the known prototype that it repeats, or -1."""
    if not len(known) or not len(centroids):
        return np.full(len(centroids), -1, dtype=np.int64)
    similarity = centroids @ known.T
    nearest = similarity.argmax(axis=1)
    return np.where(similarity[np.arange(len(nearest)), nearest] >= SAME, nearest, -1)
