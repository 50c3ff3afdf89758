"""What a batch of texts says in known terms: counted, weighed, and where each value comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage_ml.compiled import compiled
from triage_ml.features.hashing import Shape, hash_pieces, hash_words, room_for, scratch
from triage_ml.features.terms import find_columns

__all__ = ["KnownTerms", "Occurrences", "Reading", "count_terms", "locate_terms"]

UInt64Array = NDArray[np.uint64]
IntArray = NDArray[np.int32]
FloatArray = NDArray[np.float32]

_SAID = (1 + np.log(np.maximum(np.arange(32), 1))).astype(np.float32)  # by how often
_WORTH_REMEMBERING = 32  # texts
_REMEMBERED_WORDS, _REMEMBERED_PIECES = 1 << 15, 1 << 19


class KnownTerms(NamedTuple):
    """The terms that are columns: the tables of words and pieces (see `TermTable`), the weight of each column, how many
    columns are words, and the length of the pieces' block where the words' block has length 1."""

    words: UInt64Array
    pieces: UInt64Array
    idf: FloatArray
    word_columns: int
    piece_weight: float


@dataclass(frozen=True)
class Reading:
    """How many words each text has and how many of them are columns; both of shape (texts,)."""

    words: NDArray[np.int64]
    known_words: NDArray[np.int64]

    @property
    def known_share(self) -> FloatArray:
        """Share of each text's words that are columns, shape (texts,); 0 for a text without words."""
        share: FloatArray = (self.known_words / np.maximum(self.words, 1)).astype(np.float32)
        return share


@dataclass(frozen=True)
class Occurrences(Reading):
    """Where the values of the vectors come from, for explanations.

    A phrase is a word, or the words from the first to the last of a pair; phrases of one text that are written alike are one.
    `column`, `phrase` and `share` have shape (occurrences,): an occurrence of a term, the phrase that it is in, and the part
    of the vector's value that it carries: the shares of one text and column sum to the value of the vector there.
    `text`, `begin` and `end` have shape (phrases,): the text, and where the phrase first stands in its normalised UTF-8 form.
    Phrases are in the order of their texts.
    """

    column: IntArray
    phrase: IntArray
    share: FloatArray
    text: IntArray
    begin: IntArray
    end: IntArray


@compiled
def count_terms(
    codes: NDArray[np.uint8],
    begins: NDArray[np.int64],
    shape: Shape,
    known: KnownTerms,
) -> tuple[FloatArray, IntArray, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The vectors of packed texts as (data, indices, indptr), and the words and known words of each text.

    A value is (1 + log tf) idf, each block of each text scaled to its length. The columns of a row are in the order in which
    the text first says them.
    """
    texts = len(begins) - 1
    most, room = room_for(begins, shape)
    room_of_text, memo = scratch(most), _memo(texts)
    columns, table = np.empty(most, dtype=np.int32), np.zeros(_power_of_two(4 * most), dtype=np.int64)
    data, indices = np.empty(room, dtype=np.float32), np.empty(room, dtype=np.int32)
    indptr = np.zeros(texts + 1, dtype=np.int64)
    words, known_words = np.zeros(texts, dtype=np.int64), np.zeros(texts, dtype=np.int64)
    filled = 0
    for text in range(texts):
        mine = codes[begins[text] : begins[text + 1]]
        words[text], known_words[text], of_words, found = _known_terms(mine, shape, known, room_of_text, columns, memo)
        for block in range(2):
            row = filled
            terms = columns[:of_words] if block == 0 else columns[of_words:found]
            mask = _power_of_two(4 * len(terms)) - 1
            for index in range(len(terms)):  # a slot holds 0, or the column plus 1 and then its place in the row
                column = np.int64(terms[index])
                slot = column & mask
                while table[slot] != 0 and table[slot] >> 32 != column + 1:
                    slot = (slot + 1) & mask
                # Written as if the column were new: a branch that nothing foretells costs more than the writing.
                indices[filled], data[filled] = column, 0
                place = filled if table[slot] == 0 else row + (table[slot] & 0xFFFFFFFF)
                table[slot] = ((column + 1) << 32) | (place - row)
                data[place] += 1
                filled += place == filled
            table[: mask + 1] = 0
            _weigh(data, indices, known.idf, row, filled, 1.0 if block == 0 else known.piece_weight)
        indptr[text + 1] = filled
    return data[:filled].copy(), indices[:filled].copy(), indptr, words, known_words


@compiled
def _weigh(values: FloatArray, columns: IntArray, idf: FloatArray, begin: int, end: int, length: float) -> None:
    """Counts become values, in place."""
    squares = 0.0
    for place in range(begin, end):
        count = np.int64(values[place])
        said = _SAID[count] if count < len(_SAID) else np.float32(1 + np.log(count))
        value = said * idf[columns[place]]
        values[place] = value
        squares += np.float64(value) * np.float64(value)
    scale = np.float32(length / np.sqrt(squares)) if squares > 0 else np.float32(0)
    for place in range(begin, end):
        values[place] *= scale


@compiled
def locate_terms(
    codes: NDArray[np.uint8],
    begins: NDArray[np.int64],
    shape: Shape,
    known: KnownTerms,
    data: FloatArray,
    indices: IntArray,
    indptr: NDArray[np.int64],
) -> tuple[IntArray, IntArray, FloatArray, IntArray, IntArray, IntArray]:
    """Every occurrence of a known term, given the vectors: (column, phrase, share, text, begin, end), see `Occurrences`."""
    texts = len(begins) - 1
    most, room = room_for(begins, shape)
    room_of_text, memo = scratch(most), _memo(texts)
    _, first, last, starts, ends, _ = room_of_text
    columns, slots = np.empty(most, dtype=np.int32), np.empty(most, dtype=np.int32)
    table = _power_of_two(2 * most)
    keys, times = np.empty(table, dtype=np.int32), np.empty(table, dtype=np.int32)
    values, phrases = np.empty(table, dtype=np.float32), np.empty(table, dtype=np.int32)
    column, phrase = np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32)
    share, of_text = np.empty(room, dtype=np.float32), np.empty(room, dtype=np.int32)
    begin, end = np.empty(room, dtype=np.int32), np.empty(room, dtype=np.int32)
    filled, named = 0, 0
    for text in range(texts):
        mine = codes[begins[text] : begins[text + 1]]
        _, _, _, found = _known_terms(mine, shape, known, room_of_text, columns, memo)
        mask = _power_of_two(2 * found) - 1
        keys[: mask + 1], times[: mask + 1], phrases[: mask + 1] = -1, 0, 0
        for place in range(indptr[text], indptr[text + 1]):
            slot = indices[place] & mask
            while keys[slot] >= 0:
                slot = (slot + 1) & mask
            keys[slot], values[slot] = indices[place], data[place]
        first_named, said = named, 0
        for index in range(found):
            slot = columns[index] & mask
            while keys[slot] != columns[index]:
                slot = (slot + 1) & mask
            slots[index] = slot
            times[slot] += 1
            if index == 0 or first[index] != first[index - 1] or last[index] != last[index - 1]:
                left, right = starts[first[index]], ends[last[index]]
                said = _phrase(mine, left, right, phrases[: mask + 1], begin[first_named:named], end[first_named:named])
                if first_named + said == named:
                    of_text[named], begin[named], end[named] = text, left, right
                    named += 1
            column[filled + index], phrase[filled + index] = columns[index], first_named + said
        for index in range(found):
            share[filled + index] = values[slots[index]] / times[slots[index]]
        filled += found
    return (
        column[:filled].copy(),
        phrase[:filled].copy(),
        share[:filled].copy(),
        of_text[:named].copy(),
        begin[:named].copy(),
        end[:named].copy(),
    )


@compiled
def _phrase(codes: NDArray[np.uint8], left: int, right: int, table: IntArray, begin: IntArray, end: IntArray) -> int:
    """The number of the phrase that is written like codes[left:right]; a new one has the next number."""
    hashed = np.uint64(right - left)
    for place in range(left, right):
        hashed = (hashed ^ np.uint64(codes[place])) * np.uint64(0x100000001B3)
    mask = len(table) - 1
    slot = np.int64(hashed ^ (hashed >> np.uint64(32))) & mask
    while table[slot] != 0:
        known = table[slot] - 1
        if end[known] - begin[known] == right - left and _same(codes, begin[known], left, right - left):
            return int(known)
        slot = (slot + 1) & mask
    table[slot] = len(begin) + 1
    return len(begin)


@compiled
def _same(codes: NDArray[np.uint8], one: int, other: int, size: int) -> bool:
    offset = 0
    while offset < size and codes[one + offset] == codes[other + offset]:
        offset += 1
    return offset == size


@compiled
def _known_terms(
    codes: NDArray[np.uint8],
    shape: Shape,
    known: KnownTerms,
    room: tuple[UInt64Array, IntArray, IntArray, IntArray, IntArray, UInt64Array],
    columns: IntArray,
    memo: tuple[UInt64Array, IntArray, IntArray, NDArray[np.int64]],
) -> tuple[int, int, int, int]:
    """Fill `columns`, and first and last word in `room`, for every occurrence of a known term in one text.

    Returns how many words the text has, how many of them are columns, how many occurrences are of words and pairs, and how
    many in all: those of pieces come last.
    """
    hashes, first, last, starts, ends, looked = room
    words, terms = hash_words(codes, shape, hashes, first, last, starts, ends)
    find_columns(known.words, hashes[:terms], columns[:terms], looked)
    known_words, of_words = 0, 0
    for index in range(terms):  # written as if the term were known, for the sake of a loop without branches
        column = columns[index]
        columns[of_words], first[of_words], last[of_words] = column, first[index], last[index]
        known_words += (column >= 0) & (index < words)
        of_words += column >= 0
    found, spare = of_words, 3 * words  # behind the hashes of words and pairs there is room for those of pieces
    keys, bounds, pool, used = memo  # tickets are made of the same words: the pieces of most are remembered
    mask = np.uint64(len(keys) - 1)
    for word in range(words):
        begin, name = found, hashes[word]
        slot = name & mask
        while keys[slot] != 0 and keys[slot] != name:
            slot = (slot + np.uint64(1)) & mask
        place = np.int64(2 * slot)
        if keys[slot] == name:
            for index in range(bounds[place], bounds[place + 1]):
                columns[found] = pool[index]
                found += 1
        else:
            pieces = hash_pieces(codes, starts[word], ends[word], shape, hashes, spare) - spare
            find_columns(known.pieces, hashes[spare : spare + pieces], columns[begin : begin + pieces], looked)
            for index in range(begin, begin + pieces):
                column = columns[index]
                columns[found] = known.word_columns + column
                found += column >= 0
            if 2 * used[0] < len(keys) and used[1] + found - begin <= len(pool):
                keys[slot] = name
                bounds[place], bounds[place + 1] = used[1], used[1] + found - begin
                pool[used[1] : used[1] + found - begin] = columns[begin:found]
                used[0] += 1
                used[1] += found - begin
        first[begin:found] = word
        last[begin:found] = word
    return words, known_words, of_words, found


@compiled
def _memo(texts: int) -> tuple[UInt64Array, IntArray, IntArray, NDArray[np.int64]]:
    """Which pieces a word has: words by hash, where their columns begin and end in the pool, the pool, and what is used."""
    words, pieces = (_REMEMBERED_WORDS, _REMEMBERED_PIECES) if texts >= _WORTH_REMEMBERING else (2, 0)
    return (
        np.zeros(words, dtype=np.uint64),
        np.empty(2 * words, dtype=np.int32),
        np.empty(pieces, dtype=np.int32),
        np.zeros(2, dtype=np.int64),
    )


@compiled
def _power_of_two(least: int) -> int:
    size = 16
    while size < least:
        size *= 2
    return size
