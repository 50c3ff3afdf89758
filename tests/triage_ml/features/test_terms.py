"""Choosing and finding hashed terms, against plain Python counting."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from triage_ml.features.terms import choose_terms, count_texts

hashes = st.integers(0, 2**64 - 1)


@given(st.lists(st.lists(hashes, max_size=6), max_size=6))
def test_counts_texts_and_not_occurrences(batches: list[list[int]]) -> None:
    given_batches = [
        (np.arange(len(batch), dtype=np.int64) // 2, np.array(batch, dtype=np.uint64)) for batch in batches
    ]
    expected: Counter[int] = Counter()
    for batch in batches:
        for begin in range(0, len(batch), 2):
            expected.update(set(batch[begin : begin + 2]))
    found, counts = count_texts(given_batches)
    assert dict(zip(found.tolist(), counts.tolist(), strict=True)) == dict(expected)
    assert found.tolist() == sorted(found.tolist())


@given(st.lists(hashes, min_size=1, max_size=50, unique_by=lambda value: value % 2**32), hashes)
def test_finds_what_was_chosen_and_nothing_else(chosen: list[int], other: int) -> None:
    """Hashes with the same fingerprint and slot are one term to the table: one in four billion, so none are drawn here."""
    known = np.array(sorted(chosen), dtype=np.uint64)
    table, counts = choose_terms(known, np.ones(len(known), dtype=np.int64), min_texts=1, most=1000)
    columns = table.columns(known)
    kept = columns[columns >= 0]
    assert sorted(kept.tolist()) == list(range(len(table)))
    assert len(counts) == len(table)
    if other % 2**32 not in {value % 2**32 for value in chosen}:
        assert table.columns(np.array([other], dtype=np.uint64)).tolist() == [-1]


def test_the_most_frequent_win() -> None:
    known = (np.arange(100, dtype=np.uint64) * np.uint64(2**57)) + np.uint64(7)
    counts = np.arange(100, dtype=np.int64)
    table, kept = choose_terms(known, counts, min_texts=5, most=10)
    assert sorted(kept.tolist()) == list(range(90, 100))
    assert (table.columns(known[90:]) >= 0).all()
    assert (table.columns(known[:90]) == -1).all()


def test_an_empty_table_finds_nothing() -> None:
    table, _ = choose_terms(np.zeros(0, np.uint64), np.zeros(0, np.int64), min_texts=1, most=10)
    assert table.columns(np.array([1, 2], dtype=np.uint64)).tolist() == [-1, -1]
