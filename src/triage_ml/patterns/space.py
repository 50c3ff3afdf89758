"""The space in which texts are compared: words and pieces of words, weighted, then a latent space of fewer dimensions.

It is fitted once and then frozen, so that "near" means the same from week to week. Its version is the digest of its
arrays: two spaces with the same version place every text at the same point. An encoder that the user names joins it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy import sparse

from triage_ml.features import Encoder, LexicalFeatures, load_encoder

__all__ = ["LexicalSpace"]

DIMENSIONS = 256
COLUMNS = 20_000  # a block: words, pieces
COUNTED_IN = 60_000  # texts whose terms are counted, the most frequent first
FITTED_ON = 8_000  # texts that the latent space is computed from; more change nothing but the time
ENCODER_WEIGHT = 1.0  # length of the encoder's block where the lexical one has length 1
FEW = 50
OVERSAMPLED, POWER_STEPS = 10, 2
SMALLEST_VALUE = 1e-7  # of the largest eigenvalue: what is below it is rounding
BLOCK = 2_048


@dataclass(frozen=True)
class LexicalSpace:
    """Texts -> unit vectors of shape (n, d), float32; the zero vector for a text without a known term.

    `basis` has shape (columns, d) in half precision: it is the largest part of a pattern bundle, and it is read through
    the memory map, only where a text has terms. `middle` is the mean of an encoder's vectors, which is taken off them: what
    all texts of a desk share tells none apart.
    """

    features: LexicalFeatures
    basis: NDArray[np.float16]
    encoder: str = ""
    middle: NDArray[np.float32] | None = None

    @classmethod
    def fit(
        cls, texts: Sequence[str], tickets: Sequence[int] | None = None, encoder: str | None = None
    ) -> LexicalSpace:
        """Fit on distinct masked texts, each said by so many `tickets` (by default 1); `encoder` as for `load_encoder`.

        The same texts in the same order give the same bytes. A term is known if two tickets have it; where there are few
        texts, one is enough.

        The latent space is a truncated singular value decomposition (Deerwester et al. 1990) by randomised range finding
        (Halko et al. 2011) with a fixed seed.
        """
        counts = tickets or [1] * len(texts)
        chosen = _most_frequent(counts, COUNTED_IN)
        texts, counts = [texts[index] for index in chosen], [counts[index] for index in chosen]
        often = [text for text, count in zip(texts, counts, strict=True) if count > 1]
        min_texts = 2 if len(texts) >= FEW else 1
        features = LexicalFeatures(words=2, pieces=(4, 4), min_texts=min_texts, max_columns=COLUMNS)
        features.fit([*texts, *often])
        columns = features.n_columns_
        if columns == 0:
            return cls(features, np.zeros((0, 1), dtype=np.float16))
        sample = [texts[index] for index in _most_frequent(counts, FITTED_ON)]
        matrix = features.transform(sample)
        dimensions = min(DIMENSIONS, columns, matrix.shape[0])
        basis = _right_vectors(matrix, dimensions).astype(np.float16)
        if encoder is None:
            return cls(features, basis)
        return cls(features, basis, encoder, _loaded(encoder)(sample).mean(axis=0, dtype=np.float64).astype(np.float32))

    @property
    def dimensions(self) -> int:
        """d: length of a vector."""
        return int(self.basis.shape[1]) + (0 if self.middle is None else len(self.middle))

    @cached_property
    def version(self) -> str:
        """A digest of the arrays and of the encoder's name."""
        digest = hashlib.sha256(self.encoder.encode())
        for name, array in sorted(self.to_arrays().items()):
            digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of masked texts, on all cores where there are many."""
        starts = range(0, len(texts), BLOCK)
        if not starts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        if len(starts) == 1:
            return self._encode_block(texts)
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)

        def encode_into(start: int) -> None:
            vectors[start : start + BLOCK] = self._encode_block(texts[start : start + BLOCK])

        Parallel(n_jobs=-1, prefer="threads")(delayed(encode_into)(start) for start in starts)
        return vectors

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted state as plain arrays."""
        arrays = {**self.features.to_arrays(), "basis": self.basis}
        return arrays if self.middle is None else {**arrays, "middle": self.middle}

    def to_params(self) -> dict[str, Any]:
        """What `from_arrays` needs beside the arrays, as plain JSON."""
        return {"features": self.features.get_params(), "encoder": self.encoder}

    @classmethod
    def from_arrays(cls, params: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> LexicalSpace:
        """The reverse of `to_params` and `to_arrays`."""
        features = LexicalFeatures.from_arrays(params["features"], arrays)
        return cls(features, arrays["basis"], params["encoder"], arrays.get("middle"))

    @property
    def _meaning(self) -> Encoder:
        return _loaded(self.encoder)

    def _encode_block(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = _units(self._projected(self.features.transform(texts)))
        if self.middle is None:
            return vectors
        said = np.array([[bool(text)] for text in texts], dtype=np.float32).reshape(-1, 1)
        meaning = _units(
            (self._meaning(texts) - self.middle) * said
        )  # an empty close note means nothing, not the middle
        return _units(np.concatenate([vectors, np.float32(ENCODER_WEIGHT) * meaning], axis=1))

    def _projected(self, matrix: sparse.csr_matrix) -> NDArray[np.float32]:
        """A matrix of shape (n, columns) times the basis, of which only the rows that it needs are read."""
        if matrix.shape[0] == 1:  # its terms are distinct already
            row: NDArray[np.float32] = matrix.data @ self.basis[matrix.indices].astype(np.float32)
            return row[None]
        used, local = np.unique(matrix.indices, return_inverse=True)
        matrix = type(matrix)((matrix.data, local, matrix.indptr), shape=(matrix.shape[0], len(used)))
        return np.asarray(matrix @ self.basis[used].astype(np.float32), dtype=np.float32)


@lru_cache(maxsize=2)
def _loaded(encoder: str) -> Encoder:
    return load_encoder(encoder)


def _units(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: NDArray[np.float32] = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 1e-6)
    return units


def _most_frequent(counts: Sequence[int], most: int) -> list[int]:
    """The places of the `most` largest counts, in order; ties go to the first."""
    return sorted(sorted(range(len(counts)), key=lambda index: -counts[index])[:most])


def _right_vectors(matrix: sparse.csr_matrix, dimensions: int) -> NDArray[np.float32]:
    """The leading right singular vectors of a matrix of shape (texts, columns), as columns; fewer where its rank is less.

    Only bases of the texts' side are made orthogonal, and the last step is an eigenproblem of `dimensions` rows: there are
    far more columns than texts, and this is fifteen times faster than orthogonalising both sides.
    """
    transposed = matrix.T.tocsr()
    size = min(dimensions + OVERSAMPLED, matrix.shape[0])
    basis = np.random.default_rng(0).standard_normal((matrix.shape[0], size), dtype=np.float32)
    for _ in range(POWER_STEPS + 1):
        basis, _ = np.linalg.qr(matrix @ (transposed @ basis))
    projected = np.asarray(transposed @ basis, dtype=np.float32)
    values, rotation = np.linalg.eigh(projected.T.astype(np.float64) @ projected)
    leading = np.argsort(-values, kind="stable")[:dimensions]
    leading = leading[values[leading] > SMALLEST_VALUE * values.max()]
    right: NDArray[np.float32] = projected @ (rotation[:, leading] / np.sqrt(values[leading])).astype(np.float32)
    return right
