"""What a closed ticket tells beside its text: how it was resolved, and the category it carries.

Two kinds of tickets are often put in the same words and resolved in different ways, and one kind is put in several
languages and resolved in one. So discovery compares cases: the text, the close note and the label, side by side. A filed
ticket has its text alone, and is recognised by that (decision 1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from triage_ml.patterns.space import LexicalSpace

__all__ = ["STEP", "beside_each_other", "case_vectors", "join_blocks", "label_vectors"]

#: Lengths of the blocks beside the text, which has length 1. Chosen on the simulated desk (experiments/0401-pattern-quality).
NOTE, LABEL = 0.70, 0.70

LABEL_DIMENSIONS = 128

#: Between a category and its subcategory.
STEP = " > "


def case_vectors(
    space: LexicalSpace, vectors: NDArray[np.float32], notes: Sequence[str], labels: Sequence[str]
) -> NDArray[np.float32]:
    """Unit vectors of shape (n, 2 d + 128) of texts placed at `vectors`, shape (n, d).

    `notes` and `labels` are masked close notes and label names, empty where there is none; a missing block is zero, and
    the others count for more.
    """
    return join_blocks(vectors, space.encode(notes), label_vectors(labels))


def join_blocks(
    vectors: NDArray[np.float32], notes: NDArray[np.float32], labels: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The case vectors of texts, notes and labels that are placed already: shapes (n, d), (n, d), (n, 128)."""
    joined = np.concatenate((vectors, NOTE * notes, LABEL * labels), axis=1, dtype=np.float32)
    length = np.linalg.norm(joined, axis=1, keepdims=True)
    units: NDArray[np.float32] = np.divide(joined, length, out=joined, where=length > 1e-6)
    return units


def beside_each_other(way: NDArray[np.float32]) -> NDArray[np.float32]:
    """A map of texts' vectors, shape (d, e), as one of cases' vectors, shape (2 d + 128, 2 e + 128)."""
    rows, columns = way.shape
    whole = np.zeros((2 * rows + LABEL_DIMENSIONS, 2 * columns + LABEL_DIMENSIONS), dtype=np.float32)
    whole[:rows, :columns] = way
    whole[rows : 2 * rows, columns : 2 * columns] = way
    whole[2 * rows :, 2 * columns :] = np.eye(LABEL_DIMENSIONS, dtype=np.float32)
    return whole


def label_vectors(labels: Sequence[str]) -> NDArray[np.float32]:
    """A vector of shape (n, 128) for each label, of length 1 or nearly so, zero for an empty one.

    A label is a path such as `Access` or `Access > Password`; each step of it counts alike, so two labels of one category
    are half the same. A step is signs from a hash of its name: nearly at right angles for two names, and the same for ever
    without a list of names.
    """
    if not labels:
        return np.zeros((0, LABEL_DIMENSIONS), dtype=np.float32)
    known = {label: _vector(label) for label in set(labels)}
    return np.stack([known[label] for label in labels])


def _vector(label: str) -> NDArray[np.float32]:
    steps = label.split(STEP) if label else []
    total = np.zeros(LABEL_DIMENSIONS, dtype=np.float32)
    for depth in range(1, len(steps) + 1):
        total += _signs(STEP.join(steps[:depth]))
    return total / np.float32(np.sqrt(max(len(steps), 1)))


def _signs(name: str) -> NDArray[np.float32]:
    digest = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=LABEL_DIMENSIONS // 8).digest()
    bits = np.unpackbits(np.frombuffer(digest, dtype=np.uint8)).astype(np.float32)
    signs: NDArray[np.float32] = (2 * bits - 1) / np.float32(np.sqrt(LABEL_DIMENSIONS))
    return signs
