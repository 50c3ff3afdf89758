"""Words, pairs of words and pieces of words -> sparse float32 vectors.

Two blocks of hashed terms, words and pieces, are each weighted by tf-idf and scaled to a length of their own, so that the
many pieces of a long word don't drown the words. A fitted `LexicalFeatures` is a few arrays and holds no text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from triage_ml.compiled import readonly
from triage_ml.features.hashing import LONGEST_PIECE, Shape
from triage_ml.features.packing import Packed, chunks, pack
from triage_ml.features.reading import KnownTerms, Occurrences, Reading, count_terms, locate_terms
from triage_ml.features.terms import TermCounter, TermTable, choose_terms

__all__ = ["LexicalFeatures"]

_BLOCKS = ("words", "pieces")


class LexicalFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Texts to tf-idf vectors of hashed words and pieces of words.

    Parameters
    ----------
    words
        1 for words, 2 for pairs in a row as well.
    skip
        Also pairs with one word in between.
    pieces
        Shortest and longest piece of a word in bytes (1 to 8), the space before and after the word included, or None.
    min_texts
        A term in fewer training texts is no column.
    max_columns
        Most columns a block may have; the terms in most texts stay.
    piece_weight
        Length of the pieces' block where the words' block has length 1.

    Attributes
    ----------
    n_columns_ : int
        Width of the vectors.

    Notes
    -----
    The columns of a row are in the order in which the text first says them, not sorted.
    """

    def __init__(
        self,
        words: int = 2,
        skip: bool = True,
        pieces: tuple[int, int] | None = (3, 4),
        min_texts: int = 2,
        max_columns: int = 300_000,
        piece_weight: float = 1.0,
    ) -> None:
        self.words = words
        self.skip = skip
        self.pieces = pieces
        self.min_texts = min_texts
        self.max_columns = max_columns
        self.piece_weight = piece_weight

    def fit(self, texts: Sequence[str], y: object = None) -> Self:
        """Count in how many texts each term stands, choose the columns and weigh them.

        The weight of a term is log((1 + n) / (1 + texts with it)) + 1 (Spärck Jones 1972, smoothed).
        """
        if self.pieces is not None and not 1 <= self.pieces[0] <= self.pieces[1] <= LONGEST_PIECE:
            raise ValueError(f"pieces must be (shortest, longest) within 1 to {LONGEST_PIECE}, found {self.pieces}")
        packed = [pack(chunk) for chunk in chunks(texts)]
        with ThreadPoolExecutor(len(_BLOCKS)) as threads:
            chosen = list(threads.map(lambda block: self._choose(block, packed), _BLOCKS))
        with_term = np.concatenate([counts for _, counts in chosen])
        idf = (np.log((1 + len(texts)) / (1 + with_term)) + 1).astype(np.float32)
        self._set_columns([table for table, _ in chosen], idf)
        return self

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Vectors of shape (texts, n_columns_), float32."""
        return self.transform_with_words(texts)[0]

    def transform_with_words(self, texts: Sequence[str]) -> tuple[sparse.csr_matrix, Reading]:
        """The vectors, and how much of each text is known: all that deciding needs."""
        check_is_fitted(self, "n_columns_")
        parts = [self._count(pack(chunk)) for chunk in chunks(texts)]
        if len(parts) == 1:
            return parts[0]
        vectors, read = zip(*parts, strict=True)
        words, known = (np.concatenate([getattr(one, name) for one in read]) for name in ("words", "known_words"))
        return sparse.csr_matrix(sparse.vstack(vectors, format="csr")), Reading(words, known)

    def transform_with_occurrences(self, texts: Sequence[str]) -> tuple[sparse.csr_matrix, Occurrences]:
        """The same vectors, and where in the texts each value comes from. For batches of up to some thousand texts."""
        check_is_fitted(self, "n_columns_")
        packed = pack(texts)
        vectors, reading = self._count(packed)
        indptr = vectors.indptr.astype(np.int64, copy=False)
        located = locate_terms(
            packed.codes, packed.begins, self._shape, self._known, vectors.data, vectors.indices, indptr
        )
        return vectors, Occurrences(reading.words, reading.known_words, *located)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted state as plain arrays."""
        check_is_fitted(self, "n_columns_")
        columns = np.array([table.columns for table in self._tables], dtype=np.int64)
        entries = {f"{block}_entries": table.entries for block, table in zip(_BLOCKS, self._tables, strict=True)}
        return {"idf": self._idf, "columns": columns, **entries}

    @classmethod
    def from_arrays(cls, params: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_arrays`, with what `get_params` gave."""
        pieces = params.get("pieces")
        features = cls(**{**params, "pieces": tuple(pieces) if pieces else None})
        tables = [
            TermTable(arrays[f"{block}_entries"], int(columns))
            for block, columns in zip(_BLOCKS, arrays["columns"], strict=True)
        ]
        features._set_columns(tables, arrays["idf"])
        return features

    def _set_columns(self, tables: Sequence[TermTable], idf: NDArray[np.float32]) -> None:
        self._tables, self._idf = tables, idf
        words, pieces = tables
        self._known = KnownTerms(
            readonly(words.entries), readonly(pieces.entries), readonly(idf), words.columns, float(self.piece_weight)
        )
        self.n_columns_ = len(idf)

    @property
    def _shape(self) -> Shape:
        shortest, longest = self.pieces or (1, 0)
        return Shape(self.words, self.skip, shortest, longest)

    def _choose(self, block: str, packed: Sequence[Packed]) -> tuple[TermTable, NDArray[np.int64]]:
        counter = TermCounter(self._shape, words=block == "words").count(packed)
        return choose_terms(*counter.at_least(self.min_texts), most=self.max_columns)

    def _count(self, packed: Packed) -> tuple[sparse.csr_matrix, Reading]:
        data, indices, indptr, words, known = count_terms(packed.codes, packed.begins, self._shape, self._known)
        vectors = sparse.csr_matrix((data, indices, indptr), shape=(len(packed), self.n_columns_))
        return vectors, Reading(words, known)
