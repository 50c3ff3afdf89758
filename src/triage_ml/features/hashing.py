"""Text -> hashed terms.

A term is a word, two words in a row or with one between them, or a piece of a word. Each is named by a 64-bit hash and
nothing else: there is no vocabulary to keep, load or leak, and the words that drove an answer are read off the ticket in
question. A word is hashed byte by byte (FNV-1a); a piece of at most eight bytes is its own name. Both are then spread over
all 64 bits, each sort of term its own way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage_ml.compiled import compiled

__all__ = ["LONGEST_PIECE", "Shape", "hash_pieces", "hash_words", "room_for", "scratch"]

IntArray = NDArray[np.int32]

LONGEST_PIECE = 8  # bytes

_OFFSET = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)
_PAIR = np.uint64(0xC2B2AE3D27D4EB4F)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_SPACE = np.uint64(32)
_LONGEST_WORD = 40  # bytes; what is longer is no word (base64, a hash, a minified line) and gives no pieces

_IS_WORD = np.zeros(256, dtype=np.bool_)
_IS_WORD[ord("0") : ord("9") + 1] = True
_IS_WORD[ord("a") : ord("z") + 1] = True
_IS_WORD[128:] = True


class Shape(NamedTuple):
    """Which terms: words (and with `run` 2 pairs in a row, with `skip` pairs with one word between), and pieces of
    `shortest` to `longest` bytes, a space before and after the word included; `longest` 0 for none."""

    run: int
    skip: bool
    shortest: int
    longest: int


@compiled
def room_for(begins: NDArray[np.int64], shape: Shape) -> tuple[int, int]:
    """No text between these bounds has more terms than the first number, and all together not more than the second."""
    most, room = 0, 0
    for text in range(len(begins) - 1):
        size = begins[text + 1] - begins[text]
        words = size // 2 + 1
        here = 3 * words + max(shape.longest - shape.shortest + 1, 0) * (size + 2 * words)
        most, room = max(most, here), room + here
    return most, room


@compiled
def scratch(most: int) -> tuple[NDArray[np.uint64], IntArray, IntArray, IntArray, IntArray, NDArray[np.uint64]]:
    """What `hash_words` and `hash_pieces` fill: hashes, first, last, starts, ends; and room for as many hashes."""
    return (
        np.empty(most, dtype=np.uint64),
        np.empty(most, dtype=np.int32),
        np.empty(most, dtype=np.int32),
        np.empty(most, dtype=np.int32),
        np.empty(most, dtype=np.int32),
        np.empty(most, dtype=np.uint64),
    )


@compiled
def hash_words(
    codes: NDArray[np.uint8],
    shape: Shape,
    hashes: NDArray[np.uint64],
    first: IntArray,
    last: IntArray,
    starts: IntArray,
    ends: IntArray,
) -> tuple[int, int]:
    """The words and pairs of words of one normalised text, every occurrence.

    Parameters
    ----------
    codes
        Its bytes; the last is no part of a word.
    hashes, first, last
        Filled: each occurrence's term, first and last word; first the words themselves.
    starts, ends
        Filled: where each word begins and ends.

    Returns
    -------
    tuple of int
        How many words there are, and how many terms.
    """
    words = 0
    inside = False
    hashed = _OFFSET
    for place in range(len(codes)):
        code = codes[place]
        if _IS_WORD[code]:
            if not inside:
                inside, hashed = True, _OFFSET
                starts[words] = place
            hashed = (hashed ^ np.uint64(code)) * _PRIME
        elif inside:
            inside = False
            ends[words], hashes[words] = place, hashed
            words += 1
    found = words
    for distance in range(1, 3):
        if (distance == 1 and shape.run > 1) or (distance == 2 and shape.skip):
            for word in range(words - distance):
                joined = hashes[word] * _PAIR + hashes[word + distance]
                hashes[found] = _spread(joined, 1 + distance)
                first[found], last[found] = word, word + distance
                found += 1
    for word in range(words):
        hashes[word] = _spread(hashes[word], 1)
        first[word] = last[word] = word
    return words, found


@compiled
def hash_pieces(
    codes: NDArray[np.uint8], begin: int, end: int, shape: Shape, hashes: NDArray[np.uint64], found: int
) -> int:
    """Append the pieces of the word codes[begin:end] to the `found` hashes; return how many there are then."""
    if end - begin > _LONGEST_WORD:
        return found
    for length in range(shape.shortest, min(shape.longest, end - begin + 2) + 1):
        top = np.uint64(8 * (length - 1))
        piece = np.uint64(0)
        for place in range(begin - 1, end + 1):
            code = np.uint64(codes[place]) if begin <= place < end else _SPACE
            piece = (piece >> np.uint64(8)) | (code << top)
            if place - begin + 2 >= length:
                hashes[found] = _spread(piece, 16 + length)
                found += 1
    return found


@compiled
def _spread(hashed: np.uint64, sort: int) -> np.uint64:
    """Spread over all 64 bits, each sort of term its own way (a finaliser as in MurmurHash3)."""
    mixed = (hashed + np.uint64(sort)) * _MIX
    mixed ^= mixed >> np.uint64(32)
    mixed *= _MIX
    mixed ^= mixed >> np.uint64(29)
    return mixed
