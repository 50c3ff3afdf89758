"""A hidden layer over the same vectors: what words mean together, which no sum over terms can say.

Near any one text it is linear, so its scores are told term by term like those of a linear head, and nothing is approximated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from triage_ml.compiled import compiled, readonly

__all__ = ["Network"]

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

#: Sums that are added to side by side: one alone would wait for itself.
_LANES = 16


@dataclass(frozen=True)
class Network:
    """Scores of the classes are max(0, vector @ hidden + hidden_bias) @ output + output_bias.

    Attributes
    ----------
    place
        Shape (columns,), int32: the row of `hidden` that a column reads, -1 for a column that is not read.
    hidden, hidden_bias
        Shapes (rows, units) and (units,), float32.
    output, output_bias
        Shapes (units, K) and (K,), float32.
    """

    place: NDArray[np.int32]
    hidden: Floats
    hidden_bias: Floats
    output: Floats
    output_bias: Floats

    def scores(self, vectors: sparse.csr_matrix) -> Floats:
        """Shape (texts, K), float32; each text's are the same whatever texts stand beside it."""
        return _score_all(self._active(vectors), readonly(self.output), readonly(self.output_bias))

    def slopes(self, vectors: sparse.csr_matrix, classes: Rows) -> Floats:
        """By how much the score of each text's class grows with each hidden unit. Shape (texts, units), float32.

        Near a text a network is linear: units that are not active add nothing, the others what `output` says. So the score
        is the sum over terms of value times `hidden` row times these, and a constant.
        """
        active: Floats = np.where(self._active(vectors) > 0, self.output.T[classes], np.float32(0))
        return active

    def added(self, columns: NDArray[np.int32], texts: NDArray[np.int32], slopes: Floats) -> Floats:
        """What one unit of each column adds to the score of the text that it is in; all of shape (occurrences,)."""
        return _add_up(columns, texts, readonly(self.place), readonly(self.hidden), slopes)

    def constant(self, vectors: sparse.csr_matrix, classes: Rows) -> Floats:
        """The part of the score of each text's class that no column adds. Shape (texts,)."""
        constant: Floats = self.slopes(vectors, classes) @ self.hidden_bias + self.output_bias[classes]
        return constant

    def scaled(self, share: float) -> Network:
        """The same network with all scores times `share`."""
        return replace(self, output=self.output * np.float32(share), output_bias=self.output_bias * np.float32(share))

    def _active(self, vectors: sparse.csr_matrix) -> Floats:
        """Shape (texts, units): what each hidden unit says, nought where it is not active."""
        pointers = vectors.indptr.astype(np.int64, copy=False)
        layer = readonly(self.place), readonly(self.hidden), readonly(self.hidden_bias)
        return _activate(pointers, vectors.indices, vectors.data, *layer)


@compiled
def _activate(
    pointers: NDArray[np.int64],
    columns: NDArray[np.int32],
    values: Floats,
    place: NDArray[np.int32],
    hidden: Floats,
    hidden_bias: Floats,
) -> Floats:
    """`Network._active`."""
    active = np.empty((len(pointers) - 1, len(hidden_bias)), dtype=np.float32)
    for text in range(len(active)):
        active[text] = hidden_bias
        for index in range(pointers[text], pointers[text + 1]):
            row, value = place[columns[index]], values[index]
            if row >= 0:
                for unit in range(len(hidden_bias)):
                    active[text, unit] += value * hidden[row, unit]
        for unit in range(len(hidden_bias)):
            active[text, unit] = max(active[text, unit], np.float32(0))
    return active


@compiled
def _score_all(active: Floats, output: Floats, output_bias: Floats) -> Floats:
    """`Network.scores` from the activations: text by text, so that rounding does not depend on what stands beside it."""
    scores = np.empty((len(active), len(output_bias)), dtype=np.float32)
    for text in range(len(active)):
        scores[text] = output_bias
        for unit in range(active.shape[1]):
            if active[text, unit] > 0:
                for k in range(len(output_bias)):
                    scores[text, k] += active[text, unit] * output[unit, k]
    return scores


@compiled
def _add_up(
    columns: NDArray[np.int32],
    texts: NDArray[np.int32],
    place: NDArray[np.int32],
    hidden: Floats,
    slopes: Floats,
) -> Floats:
    """`Network.added`."""
    added = np.zeros(len(columns), dtype=np.float32)
    lanes = np.empty(_LANES, dtype=np.float32)
    whole = hidden.shape[1] // _LANES * _LANES
    for index in range(len(columns)):
        row, text = place[columns[index]], texts[index]
        if row >= 0:
            lanes[:] = 0
            for first in range(0, whole, _LANES):
                for lane in range(_LANES):
                    lanes[lane] += hidden[row, first + lane] * slopes[text, first + lane]
            added[index] = lanes.sum()
            for unit in range(whole, hidden.shape[1]):
                added[index] += hidden[row, unit] * slopes[text, unit]
    return added
