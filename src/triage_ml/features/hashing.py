"""Text -> hashed terms, for thousands of texts at once, in numpy alone.

A term is a word, two words in a row, or a piece of a word. Each is named by a 64-bit hash and nothing else: there is no
vocabulary to keep, load or leak, and the words that drove an answer are read off the ticket in question.

All hashes of a batch come from one pass. The texts are laid end to end as UTF-8 bytes c[0..n). With an odd base B and its
inverse modulo 2^64, the prefix sums S[i] = sum of (c[k] + 1) B^k for k < i give the polynomial hash of any piece [i, j) as
(S[j] - S[i]) B^-i (Karp and Rabin 1987), so words and pieces of every length cost a subtraction and a product each.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Layout", "TermBatch", "hash_pieces", "hash_words", "lay_out", "normalise"]

UInt64Array = NDArray[np.uint64]
IntArray = NDArray[np.int64]

_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 2**64)
_PAIR = np.uint64(0xC2B2AE3D27D4EB4F)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_SPACE = 32
_LONGEST_WORD = 40  # bytes; what is longer is no word (base64, a hash, a minified line) and gives no pieces
_LONGEST_TEXT = 20_000  # characters; what a ticket is about stands before that
_NOT_WORD = re.compile(r"\W|_")

_IS_WORD = np.zeros(256, dtype=bool)
_IS_WORD[ord("0") : ord("9") + 1] = True
_IS_WORD[ord("a") : ord("z") + 1] = True
_IS_WORD[128:] = True


@dataclass(frozen=True)
class Layout:
    """A batch of texts as one row of bytes: words, each followed by one separator.

    Attributes
    ----------
    texts
        How many texts there are.
    codes
        Shape (n,), the bytes; position 0 and every gap between words is a space.
    origin
        Shape (n,), where each byte stood in its text's normalised UTF-8 form; used to point back at the text.
    starts, ends
        Shape (words,), each word's first position and one past its last.
    text_of_word
        Shape (words,), which text the word is in.
    """

    texts: int
    codes: NDArray[np.uint8]
    origin: IntArray
    starts: IntArray
    ends: IntArray
    text_of_word: IntArray

    def hash_of_spans(self, first: IntArray, last: IntArray) -> UInt64Array:
        """A hash of how words `first` to `last` are written, shape (spans,): alike for spans that are written alike."""
        sums, inverse = _prefix_sums(self.codes)
        begin = self.starts[first]
        return (sums[self.ends[last]] - sums[begin]) * inverse[begin]

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Where words `first` to `last` stand in their text's normalised UTF-8 form: begin, end."""
        return int(self.origin[self.starts[first]]), int(self.origin[self.ends[last] - 1]) + 1


@dataclass(frozen=True)
class TermBatch:
    """Occurrences of terms of one sort (`words` or `pieces`).

    `text` says which text, `hashes` which term, `first` and `last` which words of the layout it covers (both included).
    All have shape (occurrences,).
    """

    text: IntArray
    hashes: UInt64Array
    first: IntArray
    last: IntArray


def normalise(text: str) -> str:
    """Lower case; where there is more than ASCII, everything that is no letter or digit becomes a space.

    The number of characters stays as it was (but for a handful of letters whose lower case is longer).
    """
    lowered = text[:_LONGEST_TEXT].lower()
    return lowered if lowered.isascii() else _NOT_WORD.sub(" ", lowered)


def lay_out(texts: Sequence[str]) -> Layout:
    """Lay the texts end to end and find their words."""
    encoded = [normalise(text).encode("utf-8", "replace") for text in texts]
    lengths = np.fromiter((len(part) + 1 for part in encoded), dtype=np.int64, count=len(encoded))
    raw = np.frombuffer(b"\n".join([*encoded, b""]), dtype=np.uint8)
    is_word = _IS_WORD[raw]
    keep = is_word.copy()
    keep[1:] |= is_word[:-1]
    kept = np.flatnonzero(keep)
    codes = np.where(is_word[kept], raw[kept], np.uint8(_SPACE))
    codes = np.concatenate([np.array([_SPACE], dtype=np.uint8), codes])
    word_here = codes != _SPACE
    edges = np.diff(word_here.astype(np.int8), append=0)
    starts, ends = np.flatnonzero(edges == 1) + 1, np.flatnonzero(edges == -1) + 1
    begins = np.concatenate([[0], np.cumsum(lengths)])
    position = np.concatenate([[0], kept])
    text_of_word = np.searchsorted(begins, position[starts], side="right") - 1
    of_text = np.diff(np.searchsorted(position, begins), append=len(position))
    origin = position - np.repeat(begins, of_text)
    return Layout(len(texts), codes, origin, starts, ends, text_of_word)


def hash_words(layout: Layout, *, longest: int, skip: bool = False) -> TermBatch:
    """Words; with `longest` 2 also pairs of words in a row; with `skip` also pairs with one word in between."""
    sums, inverse = _prefix_sums(layout.codes)
    words = (sums[layout.ends] - sums[layout.starts]) * inverse[layout.starts]
    index = np.arange(len(words))
    batches = [TermBatch(layout.text_of_word, _scramble(words, 1), index, index)]
    if longest > 1:
        batches.append(_pairs(layout.text_of_word, words, 1))
    if skip:
        batches.append(_pairs(layout.text_of_word, words, 2))
    return _join(batches)


def hash_pieces(layout: Layout, lengths: tuple[int, int] | None) -> TermBatch:
    """Pieces of words of `lengths` (shortest, longest) bytes, a leading and a trailing space included; None for none."""
    if lengths is None:
        return _join([])
    sums, inverse = _prefix_sums(layout.codes)
    return _join([_pieces(layout, sums, inverse, length) for length in range(lengths[0], lengths[1] + 1)])


def _prefix_sums(codes: NDArray[np.uint8]) -> tuple[UInt64Array, UInt64Array]:
    size = len(codes) + 1
    sums = np.zeros(size, dtype=np.uint64)
    np.cumsum((codes.astype(np.uint64) + np.uint64(1)) * _powers(_BASE, size)[:-1], out=sums[1:])
    return sums, _powers(_INVERSE, size)


_power_cache: dict[int, UInt64Array] = {}


def _powers(base: int, size: int) -> UInt64Array:
    """base^0 .. base^(size - 1) modulo 2^64; kept, because every batch wants them again."""
    cached = _power_cache.get(base)
    if cached is None or len(cached) < size:
        row = np.full(max(size, 1 << 16), base, dtype=np.uint64)
        row[0] = 1
        cached = _power_cache[base] = np.cumprod(row, dtype=np.uint64)
    return cached[:size]


def _pairs(text_of_word: IntArray, word_hashes: UInt64Array, distance: int) -> TermBatch:
    first = np.flatnonzero(text_of_word[:-distance] == text_of_word[distance:])
    last = first + distance
    hashes = _scramble(word_hashes[first] * _PAIR + word_hashes[last], 1 + distance)
    return TermBatch(text_of_word[first], hashes, first, last)


def _pieces(layout: Layout, sums: UInt64Array, inverse: UInt64Array, length: int) -> TermBatch:
    """All pieces of `length` bytes of " word ", for every word that is long enough and no monster."""
    size = layout.ends - layout.starts
    count = np.where(size <= _LONGEST_WORD, np.maximum(size + 3 - length, 0), 0)
    word = np.repeat(np.arange(len(count)), count)
    offset = np.arange(len(word)) - np.repeat(np.cumsum(count) - count, count)
    begin = layout.starts[word] - 1 + offset
    hashes = (sums[begin + length] - sums[begin]) * inverse[begin]
    return TermBatch(layout.text_of_word[word], _scramble(hashes, 16 + length), word, word)


def _join(batches: Sequence[TermBatch]) -> TermBatch:
    nothing = np.zeros(0, dtype=np.int64)
    return TermBatch(
        np.concatenate([nothing, *(batch.text for batch in batches)]),
        np.concatenate([nothing.astype(np.uint64), *(batch.hashes for batch in batches)]),
        np.concatenate([nothing, *(batch.first for batch in batches)]),
        np.concatenate([nothing, *(batch.last for batch in batches)]),
    )


def _scramble(hashes: UInt64Array, sort: int) -> UInt64Array:
    """Spread a polynomial hash over all 64 bits, each sort of term its own way (a finaliser as in MurmurHash3)."""
    mixed = (hashes + np.uint64(sort)) * _MIX
    mixed ^= mixed >> np.uint64(32)
    mixed *= _MIX
    mixed ^= mixed >> np.uint64(29)
    return mixed
