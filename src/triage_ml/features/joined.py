"""Words and meaning in one vector: the lexical columns, then the dimensions of an encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from triage_ml.features.lexical import LexicalFeatures, Occurrences
from triage_ml.features.semantic import Encoder, load_encoder

__all__ = ["JoinedFeatures", "features_from_arrays"]


class JoinedFeatures(LexicalFeatures):
    """`LexicalFeatures` with a dense block of an encoder beside it.

    Parameters
    ----------
    encoder
        Its name, as `load_encoder` takes it.
    encoder_weight
        Length of the encoder's block where the words' block has length 1.
    words, skip, pieces, min_texts, max_columns, piece_weight
        As for `LexicalFeatures`.

    Notes
    -----
    Occurrences cover the lexical columns alone: what the meaning adds to a margin belongs to no single word.
    """

    def __init__(
        self,
        encoder: str,
        encoder_weight: float = 1.5,
        words: int = 2,
        skip: bool = True,
        pieces: tuple[int, int] | None = (3, 5),
        min_texts: int = 2,
        max_columns: int = 300_000,
        piece_weight: float = 1.0,
    ) -> None:
        super().__init__(words, skip, pieces, min_texts, max_columns, piece_weight)
        self.encoder = encoder
        self.encoder_weight = encoder_weight

    def fit(self, texts: Sequence[str], y: object = None) -> Self:
        """Learn the lexical columns; the encoder stays as it is."""
        super().fit(texts)
        self._load()
        return self

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Vectors of shape (texts, lexical columns + dimensions), float32."""
        return self._join(super().transform(texts), texts)

    def transform_with_occurrences(self, texts: Sequence[str]) -> tuple[sparse.csr_matrix, Occurrences]:
        """The vectors, and where in the texts each lexical value comes from."""
        vectors, occurrences = super().transform_with_occurrences(texts)
        return self._join(vectors, texts), occurrences

    def transform_with_words(self, texts: Sequence[str]) -> tuple[sparse.csr_matrix, Occurrences]:
        """The same vectors, to decide but not to explain."""
        vectors, words = super().transform_with_words(texts)
        return self._join(vectors, texts), words

    @classmethod
    def from_arrays(cls, params: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_arrays`; the encoder is loaded from where it is named."""
        features = super().from_arrays(params, arrays)
        features._load()
        return features

    def _load(self) -> None:
        self._encoder: Encoder = load_encoder(self.encoder)

    def _join(self, vectors: sparse.csr_matrix, texts: Sequence[str]) -> sparse.csr_matrix:
        meaning = np.float32(self.encoder_weight) * self._encoder(texts)
        joined: sparse.csr_matrix = sparse.hstack([vectors, sparse.csr_matrix(meaning)], format="csr", dtype=np.float32)
        return joined


def features_from_arrays(params: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> LexicalFeatures:
    """Features of the kind that `params` describe."""
    kind = JoinedFeatures if "encoder" in params else LexicalFeatures
    return kind.from_arrays(params, arrays)
