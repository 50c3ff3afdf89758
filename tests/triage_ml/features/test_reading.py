"""Reading to decide and reading to explain: the same vectors, bit for bit, in batches of any size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage_ml.features import Encoder, JoinedFeatures, LexicalFeatures, normalise

WORDS = [
    "password",
    "passwords",
    "vpn",
    "vpn-gateway",
    "banana",
    "zürich",
    "a",
    "aaaaaaa",
    "x" * 60,
    "مرحبا",
    "😀",
    "12",
]
SOME_TEXTS = [" ".join(WORDS[i:] + WORDS[:i] + WORDS[::2]) for i in range(len(WORDS))]


@pytest.fixture(
    scope="module",
    params=[{}, {"pieces": None}, {"words": 1, "pieces": (2, 3)}, {"skip": True, "piece_weight": 0.5}],
    ids=["default", "no pieces", "short pieces", "skips"],
)
def features(request: pytest.FixtureRequest) -> Any:
    return LexicalFeatures(**request.param, min_texts=1).fit(SOME_TEXTS)


@given(st.lists(st.lists(st.sampled_from([*WORDS, "unknown", "Password", "\n"]), max_size=9).map(" ".join), max_size=6))
def test_deciding_and_explaining_see_the_same_vectors(features: Any, texts: list[str]) -> None:
    to_explain, occurrences = features.transform_with_occurrences(texts)
    to_decide, words = features.transform_with_words(texts)
    for part in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(to_decide, part), getattr(to_explain, part))
    np.testing.assert_array_equal(words.known_share, occurrences.known_share)
    assert abs(features.transform(texts) - to_explain).sum() == 0


def test_words_that_are_remembered_count_like_new_ones(features: Any) -> None:
    """A batch of many texts remembers the pieces of a word, one text alone does not."""
    many = SOME_TEXTS * 8
    together = features.transform(many)
    for row, text in enumerate(many):
        assert abs(together[row] - features.transform([text])).sum() == 0


def test_phrases_point_at_what_the_text_says(features: Any) -> None:
    texts = ["Password VPN password", "", "vpn-gateway"]
    _, occurrences = features.transform_with_occurrences(texts)
    said = [
        (int(text), normalise(texts[text]).encode()[begin:end].decode())
        for text, begin, end in zip(occurrences.text, occurrences.begin, occurrences.end, strict=True)
    ]
    assert len(said) == len(set(said))
    assert {(0, "password"), (0, "vpn"), (2, "vpn"), (2, "gateway")} <= set(said)
    assert set(occurrences.phrase.tolist()) == set(range(len(said)))


def test_deciding_and_explaining_see_the_same_vectors_with_an_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    def by_length(texts: list[str]) -> np.ndarray:
        return np.array([[len(text), 1.0] for text in texts], dtype=np.float32)

    monkeypatch.setattr("triage_ml.features.joined.load_encoder", lambda _: Encoder("fake", by_length))
    features = JoinedFeatures("model2vec:fake", min_texts=1).fit(SOME_TEXTS)
    to_explain, _ = features.transform_with_occurrences(SOME_TEXTS)
    to_decide, _ = features.transform_with_words(SOME_TEXTS)
    assert to_decide.shape == to_explain.shape
    assert abs(to_decide - to_explain).sum() == 0
