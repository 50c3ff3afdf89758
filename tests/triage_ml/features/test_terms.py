"""Counting, choosing and finding hashed terms, against plain Python counting."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage_ml.features.hashing import Shape
from triage_ml.features.packing import chunks, normalise, pack
from triage_ml.features.terms import TermCounter, choose_terms

SHAPE = Shape(run=2, skip=True, shortest=3, longest=5)

hashes = st.integers(0, 2**64 - 1)
texts = st.lists(st.text(alphabet="ab c.é9", max_size=25), max_size=12)


def words_of(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in normalise(text)).split()


def terms_of(text: str) -> set[tuple[str, ...]]:
    """Words, pairs, and pairs over one word."""
    words = words_of(text)
    pairs = itertools.pairwise(words)
    skips = (("skip", left, right) for left, right in zip(words, words[2:], strict=False))
    return {(word,) for word in words} | {("pair", *pair) for pair in pairs} | set(skips)


def pieces_of(text: str) -> set[bytes]:
    spaced = [f" {word} ".encode() for word in words_of(text)]
    return {word[i : i + n] for word in spaced for n in (3, 4, 5) for i in range(len(word) - n + 1)}


@pytest.mark.parametrize(("words", "of"), [(True, terms_of), (False, pieces_of)], ids=["words", "pieces"])
@given(texts=texts)
def test_counts_in_how_many_texts_each_term_stands(words: bool, of: object, texts: list[str]) -> None:
    """Hashes have no names, so what must be the same is how many terms stand in how many texts."""
    _, counts = TermCounter(SHAPE, words=words).count([pack(texts)]).at_least(1)
    expected = Counter(term for text in texts for term in of(text))  # type: ignore[operator]
    assert sorted(counts.tolist()) == sorted(expected.values())


@given(texts=texts)
def test_batches_count_as_one(texts: list[str]) -> None:
    together = TermCounter(SHAPE, words=True).count([pack(texts)]).at_least(1)
    apart = TermCounter(SHAPE, words=True).count(pack([text]) for text in texts).at_least(1)
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_table_grows_and_forgets_nothing() -> None:
    many = [f"ticket {number} of {number * 7919}" for number in range(30_000)]
    keys, counts = TermCounter(SHAPE, words=True).count(pack(chunk) for chunk in chunks(many)).at_least(1)
    assert len(np.unique(keys)) == len(keys)
    assert counts.max() == len(many)
    assert len(keys) == len(set().union(*(terms_of(text) for text in many)))


@given(st.lists(hashes, min_size=1, max_size=300, unique_by=lambda value: value % 2**32), hashes)
def test_finds_what_was_chosen_and_nothing_else(chosen: list[int], other: int) -> None:
    """Hashes with the same fingerprint may be one term to the table: one in a billion, so none are drawn here."""
    known = np.array(sorted(chosen), dtype=np.uint64)
    table, counts = choose_terms(known, np.ones(len(known), dtype=np.int64), most=1000)
    assert table.find(known).tolist() == list(range(len(known)))
    assert len(counts) == len(table)
    if other % 2**32 not in {value % 2**32 for value in chosen}:
        assert table.find(np.array([other], dtype=np.uint64)).tolist() == [-1]


def test_the_most_frequent_win() -> None:
    known = np.sort(np.random.default_rng(1).integers(0, 2**63, 100).astype(np.uint64))
    counts = np.arange(100, dtype=np.int64)
    table, kept = choose_terms(known, counts, most=10)
    assert kept.tolist() == list(range(90, 100))
    assert (table.find(known[90:]) >= 0).all()
    assert (table.find(known[:90]) == -1).all()


def test_an_empty_table_finds_nothing() -> None:
    table, _ = choose_terms(np.zeros(0, np.uint64), np.zeros(0, np.int64), most=10)
    assert table.find(np.array([1, 2], dtype=np.uint64)).tolist() == [-1, -1]
