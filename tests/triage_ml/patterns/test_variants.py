from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from triage_ml.patterns import Coded, LexicalSpace, Said, grow
from triage_ml.patterns.variants import PROMISE, VariantSet, find_variants

WAYS = {
    "password reset in active directory done": "login on the laptop fails, domain {} says password wrong",
    "vpn token issued again and synchronised": "tunnel from home asks for a token {} and then drops",
}
TAGS = [a + b for a in "bcdfghklmnprst" for b in ("ar", "en", "il", "os")]


def closed(note: str, text: str, count: int = 56) -> list[Said]:
    return [Said(text.format(tag), text, text, 1, "Access", note) for tag in TAGS[:count]]


def variants_of(said: Sequence[Said], *, min_tickets: int = 10) -> VariantSet:
    texts, notes = [one.text for one in said], [one.note for one in said]
    space = LexicalSpace.fit([*texts, *notes])
    tickets = np.ones(len(said), dtype=np.int64)
    vectors = space.encode(notes), space.encode(texts)
    return find_variants("p1", 0, notes, *vectors, tickets, min_tickets=min_tickets)


@pytest.fixture
def told_apart() -> list[Said]:
    """Two ways to resolve, each with texts of its own, in turn."""
    groups = [closed(note, text) for note, text in WAYS.items()]
    return [one for pair in zip(*groups, strict=True) for one in pair]


@pytest.fixture
def alike() -> list[Said]:
    """The same two ways, whatever the text says."""
    notes = list(WAYS)
    return [Said(f"cannot sign in {tag}", "x", "x", 1, "", notes[place // 2 % 2]) for place, tag in enumerate(TAGS)]


def test_two_ways_are_two_variants_and_one_is_none(told_apart: list[Said]) -> None:
    found = variants_of(told_apart)

    assert sorted(one.title for one in found.variants) == sorted(WAYS)
    assert [one.share for one in found.variants] == [0.5, 0.5]
    assert variants_of(told_apart[::2]).variants == ()


def test_a_text_that_tells_the_way_may_say_so(told_apart: list[Said]) -> None:
    found = variants_of(told_apart)

    assert all(one.margin is not None for one in found.variants)


def test_a_text_that_does_not_tell_never_does(alike: list[Said]) -> None:
    found = variants_of(alike)

    assert len(found.variants) == 2
    assert [one.margin for one in found.variants] == [None, None]
    pattern = np.zeros(len(alike), dtype=np.int64)
    texts = np.repeat(found.texts[:1], len(alike), axis=0)
    assert set(found.by_text(pattern, texts).tolist()) == {-1}


def test_what_is_seldom_is_no_variant(told_apart: list[Said]) -> None:
    few = [*told_apart[::2], *told_apart[1:12:2]]

    assert variants_of(few).variants == ()
    assert 0 < PROMISE < 1


def test_a_closed_ticket_is_of_the_variant_of_its_note(told_apart: list[Said]) -> None:
    book = grow(None, told_apart, week="2026-W01", min_tickets=10).book
    owners = set(book.known_variants.owner.tolist())
    if not owners:  # the two ways were found as two patterns, and each is resolved in one way
        assert len(book) >= 2
        return
    pattern = np.full(3, owners.pop(), dtype=np.int64)
    one, other, none = book.variants_by_note(pattern, Coded.of([*WAYS, "closed without any action whatsoever"]))
    assert one != other
    assert none is None


def test_variants_survive_the_bundle_and_a_new_space(alike: list[Said]) -> None:
    from triage_ml.bundle import Bundle
    from triage_ml.patterns import PatternBook

    book = grow(None, alike, week="2026-W01", min_tickets=10).book
    contents, arrays = book.to_bundle()
    again = PatternBook.from_bundle(Bundle("patterns", contents, arrays, "sha256:0"))
    more = [Said(f"headset silent {tag}", "x", "x", 1, "", "driver updated") for tag in TAGS[:9]]
    refitted = grow(book, [*alike, *more], week="2026-W02", min_tickets=10, refitted=True).book

    pattern, notes = np.zeros(2, dtype=np.int64), Coded.of(list(WAYS))
    ids = book.variants_by_note(pattern, notes)
    assert again.known_variants.variants == book.known_variants.variants
    assert again.variants_by_note(pattern, notes) == ids
    assert refitted.variants_by_note(pattern, notes) == ids
    assert refitted.space.version != book.space.version
