from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

from triage_ml.patterns import NO_PATTERN, PatternBook, Said, grow

Say = Callable[[list[str]], list[Said]]


def kinds_of(book: PatternBook, texts_of: dict[str, list[str]]) -> dict[str, set[int]]:
    """Patterns that the texts of each kind belong to."""
    return {kind: set(book.assign_masked(texts)[0].tolist()) - {NO_PATTERN} for kind, texts in texts_of.items()}


def test_kinds_become_patterns_and_no_pattern_holds_two(said: list[Said], texts_of: dict[str, list[str]]) -> None:
    grown = grow(None, said, week="2026-W01", min_tickets=4)

    patterns = kinds_of(grown.book, texts_of)
    assert all(patterns.values())
    assert sum(len(found) for found in patterns.values()) == len(set().union(*patterns.values()))
    assert np.mean(grown.pattern != NO_PATTERN) > 0.9


def test_the_same_tickets_in_another_order_give_the_same_bytes(texts_of: dict[str, list[str]], say: Say) -> None:
    texts = [text for group in texts_of.values() for text in group] * 3
    shuffled = random.Random(1).sample(texts, len(texts))

    first = grow(None, say(texts), week="2026-W01", min_tickets=4).book.to_bundle()
    second = grow(None, say(shuffled), week="2026-W01", min_tickets=4).book.to_bundle()

    assert first[0] == second[0]
    assert first[1].keys() == second[1].keys()
    assert all(first[1][name].tobytes() == second[1][name].tobytes() for name in first[1])


def test_ids_stay_when_the_next_week_brings_new_ways_to_say_the_same(said: list[Said], say: Say) -> None:
    first = grow(None, said, week="2026-W01", min_tickets=4)
    later = say(["password expired again and not accepted", "printer paper jam in the finance office today"] * 5)

    second = grow(first.book, later, week="2026-W02", min_tickets=8)

    assert second.book.ids[: len(first.book)] == first.book.ids
    assert second.book.space.version == first.book.space.version
    assert (second.pattern != NO_PATTERN).all()


def test_what_is_too_rare_waits_and_is_found_when_there_is_enough(said: list[Said], say: Say) -> None:
    scanner = [f"scanner sends empty pdf {word}" for word in ("by mail", "to folder", "again", "since update")]
    first = grow(None, say([one.text for one in said for _ in range(2)] + scanner), week="2026-W01", min_tickets=8)

    second = grow(first.book, say([f"{text} please check" for text in scanner] * 3), week="2026-W02", min_tickets=8)

    assert {one.text for one in first.book.rare} >= set(scanner)
    assert len(second.book) == len(first.book) + 1
    assert second.book.patterns[-1].born == "2026-W02"
    assert set(second.claimed.values()) == {second.book.ids[-1]}
    assert len(second.claimed) == 8


def test_rare_texts_are_forgotten_in_the_end(said: list[Said], say: Say) -> None:
    first = grow(None, [*said, *say(["scanner sends empty pdf"])], week="2026-W01", min_tickets=8)

    later = grow(first.book, say(["scanner blinks red"]), week="2026-W20", min_tickets=8, forget_before="2026-W12")

    assert "scanner sends empty pdf" in {one.text for one in first.book.rare}
    assert "scanner sends empty pdf" not in {one.text for one in later.book.rare}


def test_identical_texts_are_one_pattern(say: Say) -> None:
    grown = grow(None, say(["disk full on <host>"] * 500), week="2026-W01", min_tickets=10)

    assert len(grown.book) == 1
    assert grown.pattern.tolist() == [0]
    assert grown.book.patterns[0].founded_on == 500


def test_a_frequent_text_in_words_of_its_own_is_a_pattern(said: list[Said], say: Say) -> None:
    grown = grow(None, [*said, *say(["zqx heartbeat tjk"] * 40)], week="2026-W01", min_tickets=8)

    (index,) = grown.book.assign_masked(["zqx heartbeat tjk"])[0].tolist()
    assert index != NO_PATTERN
    assert grown.book.patterns[index].founded_on == 40


def test_texts_that_have_nothing_in_common_are_no_pattern(say: Say) -> None:
    letters = random.Random(0)
    nonsense = ["".join(letters.choices("abcdefghijklmnopqrstuvwxyz", k=12)) for _ in range(200)]

    grown = grow(None, say(nonsense), week="2026-W01", min_tickets=10)

    assert len(grown.book) == 0
    assert len(grown.book.rare) == 200


@pytest.mark.parametrize("texts", [[], ["vpn"], ["", "  "]], ids=["no tickets", "one word", "blank"])
def test_next_to_nothing_is_no_error(texts: list[str], say: Say) -> None:
    grown = grow(None, say(texts), week="2026-W01", min_tickets=2)

    assert len(grown.book) == 0


def test_examples_show_what_is_typical_and_how_far_a_pattern_reaches(said: list[Said]) -> None:
    book = grow(None, said, week="2026-W01", min_tickets=4).book

    for place, pattern in enumerate(book.patterns):
        assert len(pattern.examples) == len(set(pattern.examples)) <= 5
        centre = book.cases.at(book.cases.owner == place).vectors.mean(axis=0)
        near = book.space.encode(pattern.examples) @ centre[: book.space.dimensions]
        assert near[0] >= near[-1]
