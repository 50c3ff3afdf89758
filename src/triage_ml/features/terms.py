"""Which hashed terms are columns: count them, choose them, look them up.

The lookup is a table of 2^b slots. A term's slot is the top b bits of its hash, and the column found there must carry the
term's fingerprint (the low 32 bits), so a term that training never saw is taken for a known one about once in four
billion lookups. Where two chosen terms want one slot, the one in more texts has it; the table has at least sixteen slots a
column up to 2^22, so few do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["TermTable", "choose_terms", "count_texts"]

UInt64Array = NDArray[np.uint64]

_MOST_BITS = 22
_LEAST_BITS = 12
_MERGE_AT = 1 << 23


@dataclass(frozen=True)
class TermTable:
    """From hash to column.

    `slots` has shape (2^b,): a column, or -1. `fingerprints` has shape (columns,).
    """

    slots: NDArray[np.int32]
    fingerprints: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.fingerprints)

    def columns(self, hashes: UInt64Array) -> NDArray[np.int64]:
        """The column of each hash, -1 for an unknown one; same shape."""
        if not len(self):
            return np.full(hashes.shape, -1, dtype=np.int64)
        shift = np.uint64(64 - (len(self.slots).bit_length() - 1))
        found = self.slots[hashes >> shift].astype(np.int64)
        same = self.fingerprints[found] == hashes.astype(np.uint32)
        return np.where(same & (found >= 0), found, -1)


def count_texts(batches: Iterable[tuple[NDArray[np.int64], UInt64Array]]) -> tuple[UInt64Array, NDArray[np.int64]]:
    """In how many texts each term stands: sorted hashes and their counts.

    Each batch is (text, hash) of every occurrence, texts numbered within the batch.
    """
    pending: list[tuple[UInt64Array, NDArray[np.int64]]] = []
    size = 0
    for text, hashes in batches:
        once = _once_a_text(text, hashes)
        pending.append((once, np.ones(len(once), dtype=np.int64)))
        size += len(once)
        if size > _MERGE_AT:
            pending = [_merge(pending)]
            size = 0
    return _merge(pending)


def choose_terms(
    hashes: UInt64Array, counts: NDArray[np.int64], *, min_texts: int, most: int
) -> tuple[TermTable, NDArray[np.int64]]:
    """The table over the terms that stand in at least `min_texts` texts (the `most` frequent of them), and their counts.

    Columns are in the order of their hashes.
    """
    enough = np.flatnonzero(counts >= min_texts)
    by_count = enough[np.argsort(-counts[enough], kind="stable")][:most]
    bits = int(np.clip(np.ceil(np.log2(max(16 * len(by_count), 1))), _LEAST_BITS, _MOST_BITS))
    slot = (hashes[by_count] >> np.uint64(64 - bits)).astype(np.int64)
    _, winners = np.unique(slot, return_index=True)  # the first, which is the most frequent
    chosen = np.sort(by_count[winners])
    slots = np.full(1 << bits, -1, dtype=np.int32)
    slots[hashes[chosen] >> np.uint64(64 - bits)] = np.arange(len(chosen), dtype=np.int32)
    return TermTable(slots, hashes[chosen].astype(np.uint32)), counts[chosen]


def _once_a_text(text: NDArray[np.int64], hashes: UInt64Array) -> UInt64Array:
    order = np.lexsort((hashes, text))
    text, hashes = text[order], hashes[order]
    new = np.ones(len(hashes), dtype=bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (text[1:] != text[:-1])
    return hashes[new]


def _merge(parts: list[tuple[UInt64Array, NDArray[np.int64]]]) -> tuple[UInt64Array, NDArray[np.int64]]:
    if not parts:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)
    hashes = np.concatenate([part[0] for part in parts])
    counts = np.concatenate([part[1] for part in parts])
    order = np.argsort(hashes, kind="stable")
    hashes, counts = hashes[order], counts[order]
    new = np.ones(len(hashes), dtype=bool)
    new[1:] = hashes[1:] != hashes[:-1]
    first = np.flatnonzero(new)
    return hashes[first], np.add.reduceat(counts, first) if len(first) else counts
