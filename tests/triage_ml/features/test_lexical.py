"""Texts to vectors: what a vector holds, that nothing but the text decides it, and that every value can be traced back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from triage_ml.features import LexicalFeatures

CORPUS = [
    "Cannot log in, password expired",
    "password reset for my account please",
    "printer on floor 3 is jammed",
    "the printer prints blank pages",
    "Drucker im dritten Stock druckt nicht – Straße",
    "VPN drops every ten minutes, cannot log in",
]


@pytest.fixture(scope="module")
def fitted() -> LexicalFeatures:
    return LexicalFeatures(min_texts=1).fit(CORPUS)


def test_vectors_are_float32_with_two_blocks_of_length_one(fitted: LexicalFeatures) -> None:
    vectors = fitted.transform(CORPUS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(CORPUS), fitted.n_columns_)
    np.testing.assert_allclose(np.sqrt(vectors.multiply(vectors).sum(axis=1)), np.sqrt(2), rtol=1e-5)


def test_texts_that_share_words_are_nearer_than_texts_that_do_not(fitted: LexicalFeatures) -> None:
    similarity = (fitted.transform(CORPUS) @ fitted.transform(CORPUS).T).toarray()
    assert similarity[0, 1] > similarity[0, 2]
    assert similarity[2, 3] > similarity[2, 0]


def test_a_typo_keeps_most_of_the_pieces(fitted: LexicalFeatures) -> None:
    vectors = fitted.transform(["password expired", "pasword expired", "blank pages"])
    similarity = (vectors @ vectors.T).toarray()
    assert similarity[0, 1] > 0.5 > similarity[0, 2]


def test_case_and_punctuation_do_not_matter(fitted: LexicalFeatures) -> None:
    plain, loud = fitted.transform(["password expired cannot log in", "PASSWORD expired: cannot log-in!!!"])
    assert (plain != loud).nnz == 0


@pytest.mark.parametrize(
    "text",
    ["", " ", "\n\n", "?", "😀", "مرحبا بالعالم", "a" * 100_000, "x " * 50_000, "\x00\x01", "QUJD" * 5000, "<b>hi</b>"],
    ids=[
        "empty",
        "space",
        "lines",
        "mark",
        "emoji",
        "right to left",
        "one long word",
        "many",
        "binary",
        "base64",
        "html",
    ],
)
def test_odd_texts_have_a_finite_vector(fitted: LexicalFeatures, text: str) -> None:
    vectors = fitted.transform([text, "printer"])
    assert np.isfinite(vectors.data).all()
    assert vectors[1].nnz > 0


def test_a_batch_gives_what_single_texts_give(fitted: LexicalFeatures) -> None:
    together = fitted.transform(CORPUS).toarray()
    alone = np.vstack([fitted.transform([text]).toarray() for text in CORPUS])
    np.testing.assert_array_equal(together, alone)


@settings(max_examples=50, deadline=None)
@given(texts=st.lists(st.text(max_size=60), min_size=1, max_size=8))
def test_shares_of_occurrences_sum_to_the_vector(fitted: LexicalFeatures, texts: list[str]) -> None:
    vectors, occurrences = fitted.transform_with_occurrences(texts)
    rebuilt = np.zeros(vectors.shape)
    np.add.at(rebuilt, (occurrences.text[occurrences.phrase], occurrences.column), occurrences.share)
    np.testing.assert_allclose(rebuilt, vectors.toarray(), atol=1e-5)
    np.testing.assert_array_equal(vectors.toarray(), fitted.transform(texts).toarray())


def test_arrays_carry_everything(fitted: LexicalFeatures) -> None:
    again = LexicalFeatures.from_arrays(fitted.get_params(), fitted.to_arrays())
    assert (again.transform(CORPUS) != fitted.transform(CORPUS)).nnz == 0


def test_the_arrays_hold_no_word_of_the_texts(fitted: LexicalFeatures) -> None:
    raw = b"".join(array.tobytes() for array in fitted.to_arrays().values())
    assert b"password" not in raw
    assert all(array.dtype.kind in "iuf" for array in fitted.to_arrays().values())


def test_rare_terms_are_no_columns() -> None:
    everything, twice = LexicalFeatures(min_texts=1).fit(CORPUS), LexicalFeatures(min_texts=2).fit(CORPUS)
    assert twice.n_columns_ < everything.n_columns_
    assert twice.transform(["jammed"]).nnz < everything.transform(["jammed"]).nnz


def test_an_unknown_word_is_unknown(fitted: LexicalFeatures) -> None:
    _, occurrences = fitted.transform_with_occurrences(["password zzyzx", "zzyzx qwrt", ""])
    np.testing.assert_allclose(occurrences.known_share, [0.5, 0.0, 0.0])


@pytest.mark.parametrize("pieces", [(0, 3), (4, 3), (2, 9)])
def test_pieces_that_cannot_be_are_refused(pieces: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="pieces must be"):
        LexicalFeatures(pieces=pieces).fit(CORPUS)


def test_an_unfitted_one_says_so() -> None:
    with pytest.raises(NotFittedError, match="not fitted yet"):
        LexicalFeatures().transform(["a"])
