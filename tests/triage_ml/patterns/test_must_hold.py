"""Weeks that are unlike others: one kind that is most of the volume, machines that write, texts that say next to nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from triage_ml.patterns import NO_PATTERN, Said, grow, load_book, masked_texts, publish_book
from triage_ml.patterns.assign import Prototypes

Say = Callable[[list[str]], list[Said]]

FIVE_LANGUAGES = (
    "the printer on my floor shows a paper jam",
    "der drucker im zweiten stock meldet einen papierstau",
    "la impresora de la oficina tiene un atasco de papel",
    "l'imprimante du bureau signale un bourrage papier",
    "принтер на этаже сообщает о замятии бумаги",
)


def test_one_kind_with_most_of_the_volume_does_not_swallow_the_others(texts_of: dict[str, list[str]], say: Say) -> None:
    texts = [text for kind, texts in texts_of.items() for text in texts * (15 if kind == "vpn" else 3)]

    book = grow(None, say(texts), week="2026-W01", min_tickets=4).book

    of_kind = {kind: set(book.assign_masked(texts)[0].tolist()) - {NO_PATTERN} for kind, texts in texts_of.items()}
    assert all(of_kind.values())
    assert all(not of_kind["vpn"] & of_kind[kind] for kind in ("password", "printer", "disk"))


@pytest.mark.parametrize("labels", [["IT"], ["IT", "IT", "IT", "Other"]], ids=["one for all", "one for most"])
def test_a_category_that_most_tickets_share_does_not_make_them_one_pattern(
    labels: list[str], texts_of: dict[str, list[str]], say: Say
) -> None:
    said = say([text for texts in texts_of.values() for text in texts])
    labelled = [replace(one, label=labels[number % len(labels)]) for number, one in enumerate(said)]

    found = grow(None, labelled, week="2026-W01", min_tickets=4)

    kind_of = {text: kind for kind, texts in texts_of.items() for text in texts}
    kinds = [
        {kind_of[one.text] for one, own in zip(labelled, found.pattern.tolist(), strict=True) if own == pattern}
        for pattern in range(len(found.book))
    ]
    assert len(kinds) >= len(texts_of)
    assert all(len(one) <= 1 for one in kinds)


def test_machine_made_tickets_are_one_pattern_for_a_template(texts_of: dict[str, list[str]], say: Say) -> None:
    disks = masked_texts([f"ALERT disk C: at {80 + number % 20} % on srv-app-{number:02d}" for number in range(22)])
    jobs = masked_texts(
        [f"Job nightly_load_{number} ended with code {number} on etl-{number:02d}" for number in range(22)]
    )
    people = [text for texts in texts_of.values() for text in texts]

    grown = grow(None, say([*people, *disks, *jobs]), week="2026-W01", min_tickets=4)

    found = [set(grown.book.assign_masked(alerts)[0].tolist()) for alerts in (disks, jobs)]
    assert [len(one) for one in found] == [1, 1]
    assert NO_PATTERN not in found[0] | found[1]
    assert found[0].isdisjoint(found[1])


def test_empty_and_one_word_texts_are_no_trouble(texts_of: dict[str, list[str]], say: Say) -> None:
    people = [text for texts in texts_of.values() for text in texts]

    grown = grow(None, say([*people, "", " ", "help", "?", "vpn", "\x00"]), week="2026-W01", min_tickets=4)

    assert len(grown.book) > 0
    assert len(grown.pattern) == len(say([*people, "help", "?", "vpn", "\x00"]))


def test_nothing_but_empty_texts_is_no_pattern(say: Say) -> None:
    grown = grow(None, say(["", "  "]), week="2026-W01", min_tickets=1)

    assert len(grown.book) == 0
    assert grown.pattern.tolist() == []


def test_five_languages_are_recognised_each_in_its_own_words(say: Say) -> None:
    texts = [f"{text} {suffix}" for text in FIVE_LANGUAGES for suffix in ("1a", "2b", "3c", "4d", "5e", "6f")]

    grown = grow(None, say(texts), week="2026-W01", min_tickets=4)

    assert (grown.pattern != NO_PATTERN).all()
    of_language = [
        {own for one, own in zip(say(texts), grown.pattern.tolist(), strict=True) if one.text.startswith(text)}
        for text in FIVE_LANGUAGES
    ]
    assert all(of_language)
    assert sum(map(len, of_language)) == len(set().union(*of_language))


@pytest.mark.parametrize("threads", [1, 2])
def test_any_number_of_threads_gives_the_same_bytes(said: list[Said], threads: int) -> None:
    reference = grow(None, said, week="2026-W01", min_tickets=4).book.to_bundle()

    with threadpool_limits(limits=threads):
        contents, arrays = grow(None, said, week="2026-W01", min_tickets=4).book.to_bundle()

    assert contents == reference[0]
    assert all(arrays[name].tobytes() == reference[1][name].tobytes() for name in reference[1])


@pytest.mark.slow
def test_fifty_thousand_patterns_are_known_and_a_week_is_mined(said: list[Said], tmp_path: Path) -> None:
    """A book as large as any: it grows, keeps its ids, is published, read and asked."""
    book = grow(None, said, week="2026-W01", min_tickets=4).book
    many = 50_000
    random = np.random.default_rng(0)
    space = random.standard_normal((many, book.prototypes.vectors.shape[1])).astype(np.float32)
    cases = random.standard_normal((many, book.cases.vectors.shape[1])).astype(np.float32)
    filler = [
        replace(book.patterns[0], pattern_id=f"q{number:05d}", title=f"Filler {number}") for number in range(many)
    ]

    def with_filler(known: Prototypes, vectors: np.ndarray) -> Prototypes:
        ones = np.ones(many, dtype=np.float32)
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return known.joined(Prototypes(unit, len(book) + np.arange(many), ones, ones, ones.astype(np.int64)))

    large = replace(
        book,
        patterns=(*book.patterns, *filler),
        prototypes=with_filler(book.prototypes, space),
        cases=with_filler(book.cases, cases),
    )

    grown = grow(large, said, week="2026-W02", min_tickets=4)
    again = load_book(tmp_path, publish_book(grown.book, tmp_path))

    assert grown.book.ids[: len(large)] == large.ids
    assert (grown.pattern != NO_PATTERN).mean() > 0.9
    assert again.assign([said[0].text]) == book.assign([said[0].text])
