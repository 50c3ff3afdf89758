"""Words, pairs of words and pieces of words -> sparse float32 vectors.

Two blocks of hashed terms, words and pieces, are each weighted by tf-idf and scaled to a length of their own, so that the
many pieces of a long word don't drown the words. A fitted `LexicalFeatures` is a few arrays and holds no text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from triage_ml.features.counts import count_pieces, count_words
from triage_ml.features.hashing import Layout, TermBatch, hash_pieces, hash_words, lay_out
from triage_ml.features.terms import TermTable, choose_terms, count_texts

__all__ = ["LexicalFeatures", "Occurrences"]

_BLOCKS = ("words", "pieces")
_CHUNK_TEXTS = 2048
_CHUNK_CHARACTERS = 2_000_000


@dataclass(frozen=True)
class Occurrences:
    """Every occurrence of a known term in a batch, for explanations.

    `text`, `column`, `first`, `last` and `share` have shape (occurrences,): the text, the column of the vector, the words
    of `layout` that the term covers, and the part of the vector's value that this occurrence carries: the shares of one
    text and column sum to the value of the vector there. Where nothing is to be explained these are empty, and
    `known_words`, shape (texts,), says how many words of each text are columns.
    """

    layout: Layout
    text: NDArray[np.int64]
    column: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    share: NDArray[np.float32]
    known_words: NDArray[np.int64] | None = None


class LexicalFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Texts to tf-idf vectors of hashed words and pieces of words.

    Parameters
    ----------
    words
        1 for words, 2 for pairs in a row as well.
    skip
        Also pairs with one word in between.
    pieces
        Shortest and longest piece of a word in bytes, or None.
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
    """

    def __init__(
        self,
        words: int = 2,
        skip: bool = True,
        pieces: tuple[int, int] | None = (3, 5),
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
        tables, idf = [], []
        for block in _BLOCKS:
            hashes, counts = count_texts(self._occurrences_of(block, texts))
            table, texts_with = choose_terms(hashes, counts, min_texts=self.min_texts, most=self.max_columns)
            tables.append(table)
            idf.append((np.log((1 + len(texts)) / (1 + texts_with)) + 1).astype(np.float32))
        self._set_columns(tables, np.concatenate(idf))
        return self

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Vectors of shape (texts, n_columns_), float32."""
        check_is_fitted(self, "n_columns_")
        parts = [self._vectors(chunk) for chunk in _chunks(texts)]
        if not parts:
            return sparse.csr_matrix(np.zeros((0, self.n_columns_), dtype=np.float32))
        return parts[0] if len(parts) == 1 else sparse.vstack(parts, format="csr")

    def transform_with_occurrences(self, texts: Sequence[str]) -> tuple[sparse.csr_matrix, Occurrences]:
        """The vectors, and where in the texts each value comes from. For batches of up to some thousand texts."""
        check_is_fitted(self, "n_columns_")
        layout = lay_out(texts)
        text, column, first, last = self._known_terms(layout)
        key = text * self.n_columns_ + column
        unique, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
        row = unique // max(self.n_columns_, 1)
        vectors = self._weigh(row, unique - row * self.n_columns_, counts, len(texts))
        share = (vectors.data / counts)[inverse].astype(np.float32)
        return vectors, Occurrences(layout, text, column, first, last, share)

    def transform_with_words(self, texts: Sequence[str]) -> tuple[sparse.csr_matrix, Occurrences]:
        """The same vectors, to decide but not to explain, in a third of the time."""
        check_is_fitted(self, "n_columns_")
        layout = lay_out(texts)
        vectors, known_words = self._counted(layout)
        nothing = np.zeros(0, dtype=np.int64)
        share = nothing.astype(np.float32)
        return vectors, Occurrences(layout, nothing, nothing, nothing, nothing, share, known_words)

    def known_share(self, occurrences: Occurrences) -> NDArray[np.float32]:
        """Share of each text's words that are columns, shape (texts,); 0 for a text without words."""
        layout, known = occurrences.layout, occurrences.known_words
        single = (occurrences.first == occurrences.last) & (occurrences.column < len(self._tables[0]))
        if known is None:
            known = np.bincount(occurrences.text[single], minlength=layout.texts)
        total = np.bincount(layout.text_of_word, minlength=layout.texts)
        return (known / np.maximum(total, 1)).astype(np.float32)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The fitted state as plain arrays."""
        check_is_fitted(self, "n_columns_")
        arrays: dict[str, NDArray[Any]] = {"idf": self._idf}
        for block, table in zip(_BLOCKS, self._tables, strict=True):
            arrays |= {f"{block}_slots": table.slots, f"{block}_fingerprints": table.fingerprints}
        return arrays

    @classmethod
    def from_arrays(cls, params: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The reverse of `to_arrays`, with what `get_params` gave."""
        pieces = params.get("pieces")
        features = cls(**{**params, "pieces": tuple(pieces) if pieces else None})
        tables = [TermTable(arrays[f"{block}_slots"], arrays[f"{block}_fingerprints"]) for block in _BLOCKS]
        features._set_columns(tables, arrays["idf"])
        return features

    def _set_columns(self, tables: Sequence[TermTable], idf: NDArray[np.float32]) -> None:
        self._tables, self._idf = tables, idf
        self.n_columns_ = len(idf)

    def _occurrences_of(
        self, block: str, texts: Sequence[str]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint64]]]:
        for chunk in _chunks(texts):
            batch = self._terms(lay_out(chunk), block)
            yield batch.text, batch.hashes

    def _terms(self, layout: Layout, block: str) -> TermBatch:
        if block == "words":
            return hash_words(layout, longest=self.words, skip=self.skip)
        return hash_pieces(layout, self.pieces)

    def _known_terms(self, layout: Layout) -> tuple[NDArray[np.int64], ...]:
        """(text, column, first word, last word) of every occurrence of a term that is a column."""
        found = []
        for block, table, offset in zip(_BLOCKS, self._tables, (0, len(self._tables[0])), strict=True):
            batch = self._terms(layout, block)
            column = table.columns(batch.hashes)
            known = np.flatnonzero(column >= 0)
            found.append((batch.text[known], column[known] + offset, batch.first[known], batch.last[known]))
        return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))

    def _vectors(self, texts: Sequence[str]) -> sparse.csr_matrix:
        return self._counted(lay_out(texts))[0]

    def _counted(self, layout: Layout) -> tuple[sparse.csr_matrix, NDArray[np.int64]]:
        """The vectors, and how many words of each text are columns."""
        words, pieces = self._tables
        batch = self._terms(layout, "words")
        counts, known_words = count_words(batch, words, layout.texts, len(layout.starts))
        more = count_pieces(layout, batch.hashes[: len(layout.starts)], self.pieces, pieces)
        joined = sparse.hstack([counts, more], format="csr")
        row = np.repeat(np.arange(layout.texts), np.diff(joined.indptr))
        return self._weigh(row, joined.indices, joined.data, layout.texts), known_words

    def _weigh(
        self, row: NDArray[np.int64], column: NDArray[Any], counts: NDArray[Any], texts: int
    ) -> sparse.csr_matrix:
        """tf-idf with 1 + log(tf), each block of each text scaled to its length; rows and columns in order."""
        values = (1 + np.log(counts, dtype=np.float32)) * self._idf[column]
        block = 2 * row + (column >= len(self._tables[0]))
        length = np.sqrt(np.bincount(block, weights=values * values, minlength=2 * texts))
        scale = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
        scale[1::2] *= self.piece_weight
        values *= scale[block].astype(np.float32)
        pointers = np.searchsorted(row, np.arange(texts + 1))
        return sparse.csr_matrix((values, column.astype(np.int32), pointers), shape=(texts, self.n_columns_))


def _chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Runs of texts that fit the cache, and of a bounded number of characters."""
    begin = characters = 0
    for index, text in enumerate(texts):
        characters += len(text)
        if index - begin + 1 >= _CHUNK_TEXTS or characters > _CHUNK_CHARACTERS:
            yield texts[begin : index + 1]
            begin, characters = index + 1, 0
    if begin < len(texts):
        yield texts[begin:]
