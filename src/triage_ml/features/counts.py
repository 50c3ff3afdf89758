"""How often each known term stands in each text, for batches: a word's pieces are looked up once, however often it is said.

Tickets are made of the same words. Counting all pieces of all words costs a sort of some thousand pieces a text; here the
distinct words of the batch are cut up once, and (texts x words) @ (words x pieces) gives the counts. They are whole numbers,
so nothing is rounded and the result is the same, bit for bit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from triage_ml.features.hashing import Layout, TermBatch, hash_pieces
from triage_ml.features.terms import TermTable

__all__ = ["count_pieces", "count_words"]


def count_words(
    batch: TermBatch, table: TermTable, texts: int, words: int
) -> tuple[sparse.csr_matrix, NDArray[np.int64]]:
    """Counts of words and pairs, shape (texts, len(table)), and how many of each text's words are columns, shape (texts,).

    The first `words` occurrences of the batch are the words themselves.
    """
    column = table.columns(batch.hashes)
    known = np.flatnonzero(column >= 0)
    single = known[: np.searchsorted(known, words)]
    counts = _counts(batch.text[known], column[known], (texts, len(table)))
    return counts, np.bincount(batch.text[single], minlength=texts)


def count_pieces(
    layout: Layout, word_hashes: NDArray[np.uint64], lengths: tuple[int, int] | None, table: TermTable
) -> sparse.csr_matrix:
    """Counts of pieces of words, shape (texts, len(table)); `word_hashes` tells the words of the layout apart."""
    if lengths is None or not len(table):
        nothing = np.zeros(0, dtype=np.int64)
        return _counts(nothing, nothing, (layout.texts, len(table)))
    distinct, first, place = np.unique(word_hashes, return_index=True, return_inverse=True)
    once = replace(
        layout,
        texts=len(distinct),
        starts=layout.starts[first],
        ends=layout.ends[first],
        text_of_word=np.arange(len(distinct)),
    )
    batch = hash_pieces(once, lengths)
    column = table.columns(batch.hashes)
    known = np.flatnonzero(column >= 0)
    pieces_of_word = _counts(batch.text[known], column[known], (len(distinct), len(table)))
    begins = np.searchsorted(layout.text_of_word, np.arange(layout.texts + 1))
    said = np.ones(len(place), dtype=np.float32)
    words_of_text = sparse.csr_matrix((said, place, begins), shape=(layout.texts, len(distinct)))
    counts: sparse.csr_matrix = (words_of_text @ pieces_of_word).tocsc().tocsr()
    return counts  # columns in order: two passes are faster than a sort of each row


def _counts(text: NDArray[np.int64], column: NDArray[np.int64], shape: tuple[int, int]) -> sparse.csr_matrix:
    return sparse.csr_matrix((np.ones(len(text), dtype=np.float32), (text, column)), shape=shape)
