"""Words and meaning in one vector: the lexical columns, then the dimensions of an encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from triage_ml.errors import SettingsError
from triage_ml.features.lexical import LexicalFeatures
from triage_ml.features.reading import Occurrences, Reading
from triage_ml.features.semantic import Encoder, load_encoder

__all__ = ["JoinedFeatures", "features_from_arrays"]


#: Cosine of what two copies of one encoder make of the same text, rounding on another processor allowed for.
_SAME_ENCODER = 0.999


class JoinedFeatures(LexicalFeatures):
    """`LexicalFeatures` with a dense block of an encoder beside it.

    Parameters
    ----------
    encoder
        Its name, as `load_encoder` takes it.
    encoder_weight
        Length of the encoder's block where the words' block has length 1. None leaves it to the classifier that is fitted
        on the vectors, which tries some; until then it is 1.
    words, skip, pieces, min_texts, max_columns, piece_weight
        As for `LexicalFeatures`.

    Notes
    -----
    Occurrences cover the lexical columns alone: what the meaning adds to a margin belongs to no single word.
    """

    _encoder: Encoder

    def __init__(
        self,
        encoder: str,
        encoder_weight: float | None = None,
        words: int = 2,
        skip: bool = True,
        pieces: tuple[int, int] | None = (3, 4),
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

    def keep_vectors(self, folder: Path) -> Self:
        """Keep what the encoder makes of each text in `folder`, by the sha256 of the text, for the next training."""
        self._encoder = load_encoder(self.encoder, cache=folder)
        return self

    def save_vectors(self) -> None:
        """Write what `keep_vectors` kept; nothing without it."""
        self._encoder.save()

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted state as plain arrays; of the encoder only what it makes of a fixed text, to know it again."""
        return super().to_arrays() | {"encoder_probe": self._encoder.probe}

    def transform_with_occurrences(self, texts: Sequence[str]) -> tuple[sparse.csr_matrix, Occurrences]:
        """Vectors of shape (texts, lexical columns + dimensions), and where in the texts each lexical value comes from."""
        vectors, occurrences = super().transform_with_occurrences(texts)
        return self._join(vectors, texts), occurrences

    def transform_with_words(self, texts: Sequence[str]) -> tuple[sparse.csr_matrix, Reading]:
        """The vectors, and how much of each text is known."""
        vectors, words = super().transform_with_words(texts)
        return self._join(vectors, texts), words

    @classmethod
    def from_arrays(cls, params: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_arrays`; the encoder is loaded from where it is named."""
        features = super().from_arrays(params, arrays)
        features._load()
        probe, expected = features._encoder.probe, arrays["encoder_probe"]
        if probe.shape != expected.shape or float(probe @ expected) < _SAME_ENCODER * float(expected @ expected):
            raise SettingsError(
                f"Encoder {features.encoder!r} is not the one that this model was trained with.",
                hint="Put that one back where it was, or train again.",
            )
        return features

    def _load(self) -> None:
        if "_encoder" not in vars(self):
            self._encoder = load_encoder(self.encoder)

    def _join(self, vectors: sparse.csr_matrix, texts: Sequence[str]) -> sparse.csr_matrix:
        meaning = np.float32(self.encoder_weight or 1.0) * self._encoder(texts)
        joined: sparse.csr_matrix = sparse.hstack([vectors, sparse.csr_matrix(meaning)], format="csr", dtype=np.float32)
        return joined


def features_from_arrays(params: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> LexicalFeatures:
    """Features of the kind that `params` describe."""
    kind = JoinedFeatures if "encoder" in params else LexicalFeatures
    return kind.from_arrays(params, arrays)
