"""Which hashed terms are columns: count them, choose them, look them up.

The lookup is a table with open addressing (Knuth 1973, linear probing): a term's search begins at the slot that the top bits
of its hash name and ends at an empty one. An entry holds the term's fingerprint (the low 32 bits of its hash) and its column,
so a term that training never saw is taken for a known one about once in a billion lookups.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from triage_ml.compiled import compiled, readonly
from triage_ml.features.hashing import Shape, hash_pieces, hash_words, room_for, scratch
from triage_ml.features.packing import Packed

__all__ = ["TermCounter", "TermTable", "choose_terms", "find_columns"]

UInt64Array = NDArray[np.uint64]

_LEAST_BITS = 8
_COUNTER_BITS = 16
_LOW = np.uint64(0xFFFFFFFF)


@dataclass(frozen=True)
class TermTable:
    """From hash to column.

    `entries` has shape (2^b,), b at least 1: 0, or the fingerprint times 2^32 plus the column plus 1.
    """

    entries: UInt64Array
    columns: int

    def __len__(self) -> int:
        return self.columns

    def find(self, hashes: UInt64Array) -> NDArray[np.int64]:
        """The column of each hash, -1 for an unknown one; same shape."""
        return _find_all(readonly(self.entries), np.ascontiguousarray(hashes))


class TermCounter:
    """Counts in how many texts each term stands.

    Parameters
    ----------
    shape
        Which terms.
    words
        True for the terms made of whole words, False for the pieces.
    """

    def __init__(self, shape: Shape, *, words: bool) -> None:
        self._shape = shape
        self._words = words
        self._keys = np.zeros(1 << _COUNTER_BITS, dtype=np.uint64)
        self._counts = np.zeros(1 << _COUNTER_BITS, dtype=np.int32)
        self._used = 0

    def count(self, batches: Iterable[Packed]) -> TermCounter:
        """Add these texts."""
        for packed in batches:
            self._keys, self._counts, self._used = _count_texts(
                packed.codes, packed.begins, self._shape, self._words, self._keys, self._counts, self._used
            )
        return self

    def at_least(self, texts: int) -> tuple[UInt64Array, NDArray[np.int64]]:
        """The terms in at least so many texts, sorted by hash, and their counts."""
        enough = np.flatnonzero(self._counts >= max(texts, 1))
        order = enough[np.argsort(self._keys[enough], kind="stable")]
        return self._keys[order], self._counts[order].astype(np.int64)


def choose_terms(hashes: UInt64Array, counts: NDArray[np.int64], *, most: int) -> tuple[TermTable, NDArray[np.int64]]:
    """The table over the `most` frequent of these terms, and their counts; columns are in the order of their hashes."""
    chosen = np.sort(np.argsort(-counts, kind="stable")[:most])
    bits = max(int(np.ceil(np.log2(max(2 * len(chosen), 1)))), _LEAST_BITS)
    table = TermTable(_fill(np.ascontiguousarray(hashes[chosen]), bits), len(chosen))
    return table, counts[chosen]


@compiled
def _find_column(entries: UInt64Array, hashed: np.uint64) -> int:
    """The column of a hash, or -1."""
    mask = np.uint64(len(entries) - 1)
    slot = _home(hashed, len(entries))
    fingerprint = hashed & _LOW
    while True:
        entry = entries[slot]
        if entry == 0:
            return -1
        if entry >> np.uint64(32) == fingerprint:
            return int(entry & _LOW) - 1
        slot = (slot + np.uint64(1)) & mask


@compiled
def find_columns(entries: UInt64Array, hashes: UInt64Array, columns: NDArray[np.int32], room: UInt64Array) -> None:
    """Fill `columns` with the column of each hash, or -1; `room` is as long as `hashes`.

    The slots where the searches begin are read first, all of them: a table of many terms is in no cache, and reads that wait
    for no decision wait for the memory together.
    """
    for index in range(len(hashes)):
        room[index] = entries[_home(hashes[index], len(entries))]
    for index in range(len(hashes)):
        entry, fingerprint = room[index], hashes[index] & _LOW
        if (entry == 0) | (entry >> np.uint64(32) == fingerprint):
            columns[index] = np.int64(entry & _LOW) - 1
        else:
            columns[index] = _find_column(entries, hashes[index])


@compiled
def _home(hashed: np.uint64, size: int) -> np.uint64:
    """The slot where the search begins: the top bits."""
    high = hashed >> np.uint64(32)
    return (high * np.uint64(size)) >> np.uint64(32)


@compiled
def _find_all(entries: UInt64Array, hashes: UInt64Array) -> NDArray[np.int64]:
    columns = np.empty(len(hashes), dtype=np.int32)
    find_columns(entries, hashes, columns, np.empty(len(hashes), dtype=np.uint64))
    return columns.astype(np.int64)


@compiled
def _fill(hashes: UInt64Array, bits: int) -> UInt64Array:
    entries = np.zeros(1 << bits, dtype=np.uint64)
    mask = np.uint64(len(entries) - 1)
    for column in range(len(hashes)):
        slot = _home(hashes[column], len(entries))
        while entries[slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        entries[slot] = ((hashes[column] & _LOW) << np.uint64(32)) | np.uint64(column + 1)
    return entries


@compiled
def _count_texts(
    codes: NDArray[np.uint8],
    begins: NDArray[np.int64],
    shape: Shape,
    words: bool,
    keys: UInt64Array,
    counts: NDArray[np.int32],
    used: int,
) -> tuple[UInt64Array, NDArray[np.int32], int]:
    """Count each term of each text once, in a table that grows when it is half full."""
    most, _ = room_for(begins, shape)
    hashes, first, last, starts, ends, _ = scratch(most)
    seen = np.full(len(keys), -1, dtype=np.int32)
    for text in range(len(begins) - 1):
        mine = codes[begins[text] : begins[text + 1]]
        said, found = hash_words(mine, shape, hashes, first, last, starts, ends)
        if not words:
            found = 0
            for word in range(said):
                found = hash_pieces(mine, starts[word], ends[word], shape, hashes, found)
        if 2 * (used + found) > len(keys):
            keys, counts, seen = _grown(keys, counts, seen, 2 * (used + found))
        mask = np.uint64(len(keys) - 1)
        for index in range(found):
            hashed = max(hashes[index], np.uint64(1))
            slot = _home(hashed, len(keys))
            while keys[slot] != 0 and keys[slot] != hashed:
                slot = (slot + np.uint64(1)) & mask
            if keys[slot] == 0:
                keys[slot] = hashed
                used += 1
            if seen[slot] != text:
                seen[slot] = text
                counts[slot] += 1
    return keys, counts, used


@compiled
def _grown(
    keys: UInt64Array, counts: NDArray[np.int32], seen: NDArray[np.int32], least: int
) -> tuple[UInt64Array, NDArray[np.int32], NDArray[np.int32]]:
    size = len(keys)
    while size < least:
        size *= 2
    mask = np.uint64(size - 1)
    more_keys = np.zeros(size, dtype=np.uint64)
    more_counts = np.zeros(size, dtype=np.int32)
    more_seen = np.full(size, -1, dtype=np.int32)
    for old in range(len(keys)):
        if keys[old] != 0:
            slot = _home(keys[old], size)
            while more_keys[slot] != 0:
                slot = (slot + np.uint64(1)) & mask
            more_keys[slot], more_counts[slot], more_seen[slot] = keys[old], counts[old], seen[old]
    return more_keys, more_counts, more_seen
