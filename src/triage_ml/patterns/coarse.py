"""The nearest of many prototypes for one text at a time, exactly, without reading all of them in full.

15,000 prototypes of 256 numbers are 15 MB, and reading them is what one text costs. Rounded to a byte each they are a quarter
of that, and the rounding error of a row bounds how far its cosine can be off: the few rows that can still be the nearest, or
the nearest of another pattern, are then compared in full. The idea is that of a vector-approximation file (Weber, Schek and
Blott 1998).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage_ml.compiled import compiled, readonly

__all__ = ["Coarse", "coarse_of", "nearest_of_one"]

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

#: Largest values of a prototype and of a text as whole numbers; a sum of products of them stays within 32 bits.
_OF_PROTOTYPE, _OF_TEXT = 127.0, 8_191.0


class Coarse(NamedTuple):
    """Prototypes in whole numbers: row i is nearly `scale[i] * codes[i]`, and no further from it than `error[i]`.

    `codes` has shape (m, d), int8; `scale` and `error` have shape (m,).
    """

    codes: NDArray[np.int8]
    scale: FloatArray
    error: FloatArray


def coarse_of(vectors: FloatArray) -> Coarse:
    """Unit vectors of shape (m, d), rounded."""
    scale = (np.maximum(np.abs(vectors).max(axis=1), 1e-9) / _OF_PROTOTYPE).astype(np.float32)
    codes = np.rint(vectors / scale[:, None]).astype(np.int8)
    error = np.linalg.norm(vectors - codes * scale[:, None], axis=1).astype(np.float32)
    return Coarse(readonly(codes), readonly(scale), readonly(error))


def nearest_of_one(
    vector: FloatArray, vectors: FloatArray, coarse: Coarse, group: IntArray
) -> tuple[int, float, float]:
    """Row and cosine of the nearest of `vectors` to a unit vector of shape (d,), and the best cosine of any other group."""
    scale = max(float(np.abs(vector).max()), 1e-9) / _OF_TEXT
    codes = np.rint(vector / scale).astype(np.int16)
    error = float(np.linalg.norm(vector - codes * np.float32(scale)))
    low, high = _bounds(codes, np.float32(scale), np.float32(error), coarse)
    place, best, second = _in_full(vector, readonly(vectors), low, high, readonly(group))
    return int(place), float(best), float(second)


@compiled
def _bounds(
    codes: NDArray[np.int16], scale: np.float32, error: np.float32, coarse: Coarse
) -> tuple[FloatArray, FloatArray]:
    """The least and the largest cosine that each row can have."""
    rows, columns = coarse.codes.shape
    low, high = np.empty(rows, dtype=np.float32), np.empty(rows, dtype=np.float32)
    for row in range(rows):
        total = np.int32(0)
        for column in range(columns):
            total = np.int32(total + np.int32(coarse.codes[row, column]) * np.int32(codes[column]))
        about = np.float32(total) * coarse.scale[row] * scale
        off = coarse.error[row] + (np.float32(1) + coarse.error[row]) * error + np.float32(1e-6)
        low[row], high[row] = about - off, about + off
    return low, high


@compiled
def _in_full(
    vector: FloatArray, vectors: FloatArray, low: FloatArray, high: FloatArray, group: IntArray
) -> tuple[int, float, float]:
    first = int(np.argmax(low))
    least = np.float32(-2)  # the second group's best is no less than this
    for row in range(len(low)):
        if low[row] > least and group[row] != group[first]:
            least = low[row]
    place, best, second = np.int64(0), np.float32(-2), np.float32(-2)
    for row in range(len(high)):
        if high[row] >= least:
            cosine = np.float32(np.dot(vectors[row], vector))
            if cosine > best:
                if group[row] != group[place]:
                    second = best
                best, place = cosine, np.int64(row)
            elif cosine > second and group[row] != group[place]:
                second = cosine
    return int(place), float(best), float(second)
