from __future__ import annotations

import numpy as np
import pytest

from triage_ml.features import Encoder
from triage_ml.patterns import LexicalSpace
from triage_ml.patterns import space as space_module


def test_vectors_have_unit_length_and_alike_texts_are_near(texts_of: dict[str, list[str]]) -> None:
    texts = [text for group in texts_of.values() for text in group]
    space = LexicalSpace.fit(texts)

    vectors = space.encode(["password expired today", "my password has expired", "printer out of paper"])

    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.3


def test_a_text_without_a_known_term_is_the_zero_vector(texts_of: dict[str, list[str]]) -> None:
    space = LexicalSpace.fit(texts_of["vpn"])

    assert not space.encode(["", "§§§", "qqqqxxxx"]).any()


def test_one_text_is_encoded_as_in_a_batch(texts_of: dict[str, list[str]]) -> None:
    texts = [text for group in texts_of.values() for text in group]
    space = LexicalSpace.fit(texts)

    batch = space.encode(texts)
    alone = np.concatenate([space.encode([text]) for text in texts])

    np.testing.assert_allclose(alone, batch, atol=1e-6)


def test_fitted_twice_it_has_the_same_version_and_on_other_texts_another(texts_of: dict[str, list[str]]) -> None:
    assert LexicalSpace.fit(texts_of["vpn"]).version == LexicalSpace.fit(texts_of["vpn"]).version
    assert LexicalSpace.fit(texts_of["vpn"]).version != LexicalSpace.fit(texts_of["disk"]).version


def test_arrays_and_params_give_the_same_space(texts_of: dict[str, list[str]]) -> None:
    space = LexicalSpace.fit(texts_of["printer"])

    again = LexicalSpace.from_arrays(space.to_params(), space.to_arrays())

    assert again.version == space.version
    np.testing.assert_array_equal(again.encode(texts_of["printer"]), space.encode(texts_of["printer"]))


def test_texts_without_any_letter_give_a_space_that_places_nothing() -> None:
    space = LexicalSpace.fit(["", ""])

    assert not space.encode(["printer"]).any()


def test_an_encoder_joins_the_space_without_what_all_texts_share(monkeypatch: pytest.MonkeyPatch) -> None:
    meaning = {"disk full": [5.0, 1.0], "volume has no space": [5.0, 1.0], "printer jam": [5.0, -1.0]}

    def fake(name: str) -> Encoder:
        return Encoder(
            name, lambda texts: np.array([meaning.get(text, [1.0, 0.0]) for text in texts], dtype=np.float32)
        )

    monkeypatch.setattr(space_module, "_loaded", fake)
    space = LexicalSpace.fit(list(meaning), encoder="fake:x")
    again = LexicalSpace.from_arrays(space.to_params(), space.to_arrays())

    vectors = space.encode(list(meaning))
    assert vectors.shape == (3, space.dimensions)
    assert vectors[0] @ vectors[1] > 0.4
    assert vectors[0] @ vectors[2] < 0
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    assert again.version == space.version != LexicalSpace.fit(list(meaning)).version
    assert again.encode(list(meaning)) == pytest.approx(vectors)
    assert not space.encode([""]).any()
    assert not space.encode(["disk full", ""])[1].any()
