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


def test_without_a_folder_nothing_is_remembered() -> None:
    fake = CountingEncoder()
    encoder = Encoder("fake", fake)
    for _ in range(2):
        encoder(["vpn", "vpn"])
    assert fake.asked == ["x", "vpn", "vpn"]


def test_another_model_under_the_same_name_has_a_cache_of_its_own(tmp_path: Path) -> None:
    first = Encoder("fake", CountingEncoder(), cache=tmp_path)
    first(["printer"])
    first.save()
    other = Encoder("fake", lambda texts: np.ones((len(texts), 2), dtype=np.float32), cache=tmp_path)
    np.testing.assert_allclose(other(["printer"]), [[0.5**0.5] * 2], rtol=1e-6)


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


@pytest.mark.needs_shared
def test_another_encoder_in_the_same_place_is_refused(static: str) -> None:
    features = JoinedFeatures(static).fit(["cannot log in", "cannot log in"])
    arrays = features.to_arrays()
    arrays["encoder_probe"] = -arrays["encoder_probe"]
    with pytest.raises(SettingsError, match=r"is not the one that this model was trained with\.\n.*train again"):
        JoinedFeatures.from_arrays(features.get_params(), arrays)


@pytest.mark.needs_shared
def test_vectors_are_kept_for_the_next_training(static: str, tmp_path: Path) -> None:
    features = JoinedFeatures(static).keep_vectors(tmp_path / "kept").fit(["cannot log in", "vpn drops"])
    features.transform(["cannot log in", "vpn drops"])
    features.save_vectors()
    with np.load(next((tmp_path / "kept").iterdir())) as stored:
        assert stored["vectors"].shape == (2, 256)


@pytest.mark.needs_shared
def test_the_classifier_chooses_the_encoder_weight_and_the_bundle_keeps_it(static: str) -> None:
    texts = ["cannot log in to windows", "printer jammed on floor two", "vpn drops at home"] * 30
    labels = pd.DataFrame({"category": ["Access", "Printing", "Network"] * 30})
    features = JoinedFeatures(static)
    model = TriageClassifier(features=features).fit(texts, labels)
    chosen = model.features_.get_params()["encoder_weight"]
    assert chosen in (1.0, 1.5, 2.5, 4.0)
    assert features.encoder_weight is None, "what was passed in stays as it was"
    vectors = model.vectors(texts[:1])[0][:, model.features_.n_columns_ :].toarray()
    np.testing.assert_allclose(np.linalg.norm(vectors), chosen, rtol=1e-4)
    again = classifier_from_bundle(*classifier_to_bundle(model))
    assert again.features_.get_params()["encoder_weight"] == chosen
