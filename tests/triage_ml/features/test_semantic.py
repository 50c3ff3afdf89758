"""Encoders that a user names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from triage_ml.classify import TriageClassifier, classifier_from_bundle, classifier_to_bundle
from triage_ml.errors import SettingsError
from triage_ml.features import Encoder, JoinedFeatures, LexicalFeatures, load_encoder


class CountingEncoder:
    """Encodes a text as its length and its vowels; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: list[str]) -> np.ndarray:
        self.asked += texts
        return np.array([[len(text), sum(text.count(v) for v in "aeiou")] for text in texts], dtype=np.float32)


def test_rows_have_length_one_and_an_empty_text_is_zero() -> None:
    vectors = Encoder("fake", CountingEncoder())(["printer", ""])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 0], rtol=1e-6)


def test_a_text_is_encoded_once_even_between_runs(tmp_path: Path) -> None:
    first = CountingEncoder()
    encoder = Encoder("fake", first, cache=tmp_path)
    vectors = encoder(["printer", "vpn", "printer"])
    encoder(["vpn"])
    encoder.save()
    assert first.asked == ["x", "printer", "vpn"]
    second = CountingEncoder()
    np.testing.assert_array_equal(Encoder("fake", second, cache=tmp_path)(["printer", "vpn", "printer"]), vectors)
    assert second.asked == ["x"]


def test_the_cache_holds_no_text(tmp_path: Path) -> None:
    encoder = Encoder("fake", CountingEncoder(), cache=tmp_path)
    encoder(["printer on fire"])
    encoder.save()
    assert b"printer" not in next(tmp_path.iterdir()).read_bytes()


@pytest.mark.parametrize("name", ["word2vec:x", "model2vec", "model2vec:", "plain"])
def test_another_kind_of_encoder_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"expected model2vec:FOLDER or sentence-transformers:FOLDER"):
        load_encoder(name)


def test_a_missing_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(SettingsError, match="can't be loaded"):
        load_encoder(f"model2vec:{tmp_path / 'nothing'}")


@pytest.mark.needs_shared
def test_a_static_model_knows_meaning(shared: Path) -> None:
    vectors = load_encoder(f"model2vec:{shared / 'models' / 'minilm-static-256'}")(
        ["cannot log in to my account", "sign-in fails with my user", "the coffee machine leaks"]
    )
    assert vectors.shape == (3, 256)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


@pytest.fixture
def static(shared: Path) -> str:
    return f"model2vec:{shared / 'models' / 'minilm-static-256'}"


@pytest.mark.needs_shared
def test_meaning_stands_beside_the_words(static: str) -> None:
    texts = ["cannot log in", "printer jammed again", "cannot log in again"] * 3
    words, both = LexicalFeatures().fit(texts), JoinedFeatures(static, encoder_weight=2.0).fit(texts)
    vectors = both.transform(texts)
    assert vectors.shape == (9, words.n_columns_ + 256)
    np.testing.assert_array_equal(vectors[:, : words.n_columns_].toarray(), words.transform(texts).toarray())
    np.testing.assert_allclose(np.linalg.norm(vectors[:, words.n_columns_ :].toarray(), axis=1), 2, rtol=1e-4)


@pytest.mark.needs_shared
def test_a_classifier_with_an_encoder_goes_to_arrays_and_back(static: str) -> None:
    texts = ["cannot log in to windows", "printer jammed on floor two", "vpn drops at home"] * 30
    labels = pd.DataFrame({"category": ["Access", "Printing", "Network"] * 30})
    model = TriageClassifier(features=JoinedFeatures(static)).fit(texts, labels)
    again = classifier_from_bundle(*classifier_to_bundle(model))
    assert model.predict(["sign-in does not work"])["category"].item() == "Access"
    pd.testing.assert_frame_equal(again.decide(texts), model.decide(texts))
    assert {term.term for term in model.explain(["cannot log in"], "category")[0]} & {"log", "log in", "cannot log"}
