from __future__ import annotations

from pathlib import Path

import pytest

from triage_ml.bundle import read_bundle, write_bundle
from triage_ml.errors import BundleCorruptError, BundleError, BundleFormatError
from triage_ml.patterns import KIND, PatternBook, Said, book_folder, grow, load_book, masked_texts, publish_book


@pytest.fixture
def book(said: list[Said]) -> PatternBook:
    return grow(None, said, week="2026-W01", min_tickets=8).book


def test_a_ticket_is_recognised_with_title_and_similarity(book: PatternBook) -> None:
    found, none = book.assign(
        ["Hello team,\n\nI forgot my PASSWORD since my holiday.\n\nKind regards\nJo", "Where is the canteen?"]
    )

    assert found is not None
    assert found.pattern_id in book.ids
    assert found.title == book.patterns[book.ids.index(found.pattern_id)].title
    assert 0.5 < found.similarity <= 1
    assert none is None


def test_one_text_is_recognised_as_in_a_batch(book: PatternBook, texts_of: dict[str, list[str]]) -> None:
    texts = [text for group in texts_of.values() for text in group]

    assert [book.assign([text])[0] for text in texts] == pytest.approx(book.assign(texts))


def test_texts_that_are_masked_already_are_recognised_the_same(
    book: PatternBook, texts_of: dict[str, list[str]]
) -> None:
    texts = [text for group in texts_of.values() for text in group]

    assert book.assign(masked_texts(texts), masked=True) == book.assign(texts)


def test_nothing_to_recognise(book: PatternBook) -> None:
    assert book.assign([]) == []
    assert book.assign(["", "\x00"]) == [None, None]


def test_a_published_book_recognises_the_same(book: PatternBook, tmp_path: Path) -> None:
    digest = publish_book(book, tmp_path)

    again = load_book(tmp_path, digest)

    assert book_folder(tmp_path, digest).name == f"patterns-{digest.removeprefix('sha256:')}"
    assert again.patterns == book.patterns
    assert again.rare == book.rare
    assert again.assign(["vpn is slow on hotel wifi"]) == book.assign(["vpn is slow on hotel wifi"])


def test_published_twice_it_is_one_folder_and_no_draft(book: PatternBook, tmp_path: Path) -> None:
    assert publish_book(book, tmp_path) == publish_book(book, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_book_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no bundle there"):
        load_book(tmp_path, "sha256:00")


def test_a_changed_byte_is_found(book: PatternBook, tmp_path: Path) -> None:
    digest = publish_book(book, tmp_path)
    file = book_folder(tmp_path, digest) / "prototype_vectors.npy"
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")

    with pytest.raises(BundleCorruptError, match="checksum differs"):
        load_book(tmp_path, digest)


def test_a_bundle_that_lacks_a_part(tmp_path: Path) -> None:
    write_bundle(tmp_path / "b", KIND, {"patterns": []}, {})

    with pytest.raises(BundleFormatError, match="lacks a part"):
        PatternBook.from_bundle(read_bundle(tmp_path / "b", KIND))


def test_anchors_and_examples_hold_no_personal_data() -> None:
    said = masked_texts(["Reset the password of jo.doe@example.com, host srv-db-01, call 10.1.2.3"])

    assert "jo.doe" not in said[0]
    assert masked_texts(said) == said
