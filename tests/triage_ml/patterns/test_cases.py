from __future__ import annotations

import hashlib

import numpy as np
import pytest

from triage_ml.patterns import LexicalSpace, Said, collapse, grow
from triage_ml.patterns.cases import case_vectors, label_vectors


@pytest.fixture
def space(texts_of: dict[str, list[str]]) -> LexicalSpace:
    return LexicalSpace.fit([text for texts in texts_of.values() for text in texts])


def test_a_label_has_the_same_place_for_ever_and_two_are_nearly_at_right_angles() -> None:
    vectors = label_vectors(["Access", "Network", "", "Access"])
    signs = hashlib.blake2b(b"Access", digest_size=16).digest()

    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 0, 1], abs=1e-6)
    np.testing.assert_array_equal(vectors[0], vectors[3])
    assert bytes(np.packbits(vectors[0] > 0)) == signs
    assert abs(float(vectors[0] @ vectors[1])) < 0.3


def test_two_subcategories_of_one_category_are_half_the_same() -> None:
    one, other = label_vectors(["Access > Password", "Access > Share"])

    assert float(one @ other) == pytest.approx(0.5, abs=0.25)


def test_without_note_and_label_a_case_is_its_text(space: LexicalSpace, texts_of: dict[str, list[str]]) -> None:
    vectors = space.encode(texts_of["vpn"])

    cases = case_vectors(space, vectors, [""] * len(vectors), [""] * len(vectors))

    np.testing.assert_allclose(cases @ cases.T, vectors @ vectors.T, atol=1e-5)


def test_the_same_words_resolved_in_two_ways_are_two_patterns() -> None:
    starts = ("it does not work", "it is not working", "does not work any more", "no longer works")
    ends = ("since monday", "again", "please help", "today", "for the whole team")
    notes = ("toner replaced in the printer", "certificate renewed on the vpn gateway")
    texts = [f"{start} {end}" for start in starts for end in ends]
    said = [
        Said(text, text, text, 3, label, note)
        for index, text in enumerate(collapse(texts).texts)
        for label, note in [(("Printing", notes[0]), ("Network", notes[1]))[index % 2]]
    ]

    grown = grow(None, said, week="2026-W01", min_tickets=5)

    of_note = [
        {index for index, one in zip(grown.pattern.tolist(), said, strict=True) if one.note == note} for note in notes
    ]
    assert not of_note[0] & of_note[1]
