"""People's decisions bind later runs: must-link, cannot-link, titles; and a pattern's id survives a new space."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from triage_ml.patterns import (
    NO_PATTERN,
    Decided,
    Event,
    PatternBook,
    Said,
    Split,
    events_between,
    grow,
    propose,
)

Say = Callable[[list[str]], list[Said]]
WEEK = "2026-W02"


@pytest.fixture
def book(said: list[Said]) -> PatternBook:
    return grow(None, said, week="2026-W01", min_tickets=4).book


@pytest.fixture
def pattern_of(book: PatternBook, texts_of: dict[str, list[str]]) -> dict[str, str]:
    """The largest pattern of each kind."""
    found = {}
    for kind, texts in texts_of.items():
        pattern = book.assign_masked(texts)[0]
        found[kind] = book.ids[np.bincount(pattern[pattern >= 0]).argmax()]
    return found


def grown(book: PatternBook, said: list[Said], decided: Decided) -> PatternBook:
    return grow(book, said, week=WEEK, min_tickets=4, decided=decided).book


def ids(book: PatternBook, texts: list[str]) -> set[str | None]:
    return {one.pattern_id if one else None for one in book.assign(texts)}


def test_a_merged_pattern_goes_on_as_the_other_one(
    book: PatternBook, said: list[Said], pattern_of: dict[str, str], texts_of: dict[str, list[str]]
) -> None:
    before = {kind: ids(book, texts) for kind, texts in texts_of.items()}
    merged = grown(book, said, Decided(merges=((pattern_of["vpn"], pattern_of["disk"]),)))

    assert pattern_of["vpn"] not in ids(merged, texts_of["vpn"])
    assert ids(merged, texts_of["vpn"]) >= {pattern_of["disk"]}
    assert ids(merged, texts_of["printer"]) == before["printer"]
    assert len(merged) == len(book)


def test_a_text_between_two_merged_patterns_is_no_toss_up(book: PatternBook) -> None:
    one, other, *_ = book.ids
    twins = replace(book, prototypes=replace(book.prototypes, vectors=np.ones_like(book.prototypes.vectors)))
    apart = np.full(len(book.prototypes.owner), -1.0, dtype=np.float32)
    twins = replace(twins, prototypes=replace(twins.prototypes, thresholds=apart))
    first_two = np.isin(twins.prototypes.owner, [0, 1])
    twins = replace(twins, prototypes=twins.prototypes.at(first_two))

    bound = grow(twins, [], week=WEEK, min_tickets=4, decided=Decided(merges=((one, other),))).book

    assert ids(twins, ["vpn is slow"]) == {None}
    assert ids(bound, ["vpn is slow"]) == {other}


def test_an_undone_merge_leaves_everything_as_it_was(
    book: PatternBook, said: list[Said], pattern_of: dict[str, str], texts_of: dict[str, list[str]]
) -> None:
    merged = grown(book, said, Decided(merges=((pattern_of["vpn"], pattern_of["disk"]),)))
    undone = grown(merged, said, Decided())

    assert {kind: ids(undone, texts) for kind, texts in texts_of.items()} == {
        kind: ids(book, texts) for kind, texts in texts_of.items()
    }
    assert events_between(book, merged) == [Event(pattern_of["vpn"], "merged", pattern_of["disk"])]
    assert events_between(merged, undone) == [Event(pattern_of["vpn"], "unmerged", pattern_of["disk"])]


def test_merges_in_a_chain_end_at_the_last_and_a_circle_is_not_closed(book: PatternBook, said: list[Said]) -> None:
    one, two, three, *_ = book.ids

    chain = grown(book, said, Decided(merges=((one, two), (two, three))))
    circle = grown(book, said, Decided(merges=((one, two), (two, one))))

    assert chain.bound.merged == {one: three, two: three}
    assert circle.bound.merged == {one: two}


def test_a_title_of_a_person_stays(book: PatternBook, said: list[Said], pattern_of: dict[str, str]) -> None:
    named = grown(book, said, Decided(titles={pattern_of["vpn"]: "Tunnel trouble"}))

    (found,) = named.assign(["vpn connection drops on hotel wifi"])
    assert found is not None
    assert found.title == "Tunnel trouble"


def test_not_one_thing_is_split_and_the_largest_part_keeps_the_id(
    book: PatternBook, said: list[Said], pattern_of: dict[str, str], texts_of: dict[str, list[str]]
) -> None:
    own, other = pattern_of["vpn"], pattern_of["disk"]
    merged_for_good = replace(
        book,
        prototypes=replace(book.prototypes, owner=_as_one(book, book.prototypes.owner, own, other)),
        cases=replace(book.cases, owner=_as_one(book, book.cases.owner, own, other)),
    )
    split = Decided(splits=(Split(f"{own}/1", own),))

    after = grow(merged_for_good, said, week=WEEK, min_tickets=4, decided=split)

    children = after.book.bound.splits[f"{own}/1"]
    assert children
    assert {after.book.patterns[after.book.ids.index(child)].parent for child in children} == {own}
    assert not ids(after.book, texts_of["vpn"]) & ids(after.book, texts_of["disk"]) - {None}
    assert {old for _, old, _ in after.moved} == {own}
    assert {new for _, _, new in after.moved} == set(children)
    assert after.book.bound.apart[0] == (own, children[0])


def test_a_split_is_made_once_and_undone_its_parts_are_one_again(
    book: PatternBook, said: list[Said], pattern_of: dict[str, str]
) -> None:
    own = pattern_of["printer"]
    split = Decided(splits=(Split("d/1", own),))
    once = grown(book, said, split)
    twice = grown(once, said, split)
    undone = grown(twice, said, Decided())

    children = once.bound.splits["d/1"]
    assert twice.ids == once.ids
    assert undone.bound.merged == dict.fromkeys(children, own)
    assert undone.bound.apart == ()


def test_examples_that_are_something_else_leave(
    book: PatternBook, said: list[Said], pattern_of: dict[str, str], texts_of: dict[str, list[str]]
) -> None:
    own = pattern_of["printer"]
    (away,) = [text for text in texts_of["printer"] if text == "printer shows paper jam next to the kitchen"]

    after = grown(book, said, Decided(splits=(Split("d/1", own, (away,)),)))

    (child,) = after.bound.splits["d/1"]
    assert ids(after, [away]) == {child}
    assert own in ids(after, texts_of["printer"])


def test_a_pattern_of_one_text_can_not_be_split(say: Say) -> None:
    one = grow(None, say(["disk full on <host>"] * 40), week="2026-W01", min_tickets=4).book

    after = grown(one, say(["disk full on <host>"] * 10), Decided(splits=(Split("d/1", one.ids[0]),)))

    assert after.ids == one.ids
    assert after.bound.splits == {"d/1": ()}


def test_decisions_on_patterns_that_are_not_known_are_left_out(book: PatternBook, said: list[Said]) -> None:
    nowhere = Decided(merges=(("x", book.ids[0]), (book.ids[0], "x")), titles={"x": "X"}, splits=(Split("d", "x"),))

    assert grown(book, said, nowhere).bound == book.bound


def test_a_group_that_repeats_a_known_pattern_does_not_come_back_under_another_id(
    book: PatternBook, texts_of: dict[str, list[str]], say: Say
) -> None:
    deaf = replace(
        book,
        **{
            name: replace(part, thresholds=np.full(len(part.owner), 2.0, dtype=np.float32))
            for name, part in (("prototypes", book.prototypes), ("cases", book.cases))
        },
    )

    again = grow(deaf, say(texts_of["vpn"] * 2), week=WEEK, min_tickets=4)

    assert again.book.ids == book.ids
    assert (again.pattern != NO_PATTERN).any()


def test_in_a_new_space_patterns_keep_their_ids(
    book: PatternBook, said: list[Said], texts_of: dict[str, list[str]], say: Say
) -> None:
    words = say([f"teams meeting silent {word}" for word in ("call", "guests", "headset", "microphone")] * 3)

    after = grow(book, [*said, *words], week=WEEK, min_tickets=4, refitted=True).book

    assert after.space.version != book.space.version
    assert after.ids[: len(book)] == book.ids
    for texts in texts_of.values():
        before = [one and one.pattern_id for one in book.assign(texts)]
        now = [one and one.pattern_id for one in after.assign(texts)]
        assert np.mean([one == other for one, other in zip(before, now, strict=True)]) > 0.9
    assert ids(after, ["teams meeting silent headset"]).isdisjoint(book.ids)


def test_anchors_alone_carry_patterns_over(book: PatternBook, say: Say, texts_of: dict[str, list[str]]) -> None:
    after = grow(book, say(["something else entirely"]), week=WEEK, min_tickets=4, refitted=True).book

    for texts in texts_of.values():
        assert ids(after, texts) & ids(book, texts) - {None}


def test_twins_are_proposed_to_be_merged_unless_people_put_them_apart(book: PatternBook, said: list[Said]) -> None:
    own = book.cases.at(book.cases.owner == 0)
    twin = replace(
        book,
        patterns=(*book.patterns, replace(book.patterns[0], pattern_id="twin")),
        cases=book.cases.joined(replace(own, owner=own.owner + len(book))),
    )
    both = {book.ids[0], "twin"}

    first = propose(twin, said, week=WEEK, min_tickets=4)[0]
    kept_apart = replace(twin, bound=replace(twin.bound, apart=((book.ids[0], "twin"),)))

    assert (first.action, {first.pattern_id, first.other}) == ("merge", both)
    assert both not in [{one.pattern_id, one.other} for one in propose(kept_apart, said, week=WEEK, min_tickets=4)]


def test_a_pattern_with_two_things_in_it_is_proposed_to_be_split(
    book: PatternBook, said: list[Said], pattern_of: dict[str, str]
) -> None:
    mixed = grown(book, said, Decided(merges=((pattern_of["vpn"], pattern_of["disk"]),)))

    found = [one for one in propose(mixed, said, week=WEEK, min_tickets=4) if one.action == "split"]

    (split,) = [one for one in found if one.pattern_id == pattern_of["disk"]]
    assert len(split.parts) >= 2
    assert all(examples for _, examples in split.parts)


def _as_one(book: PatternBook, owner: np.ndarray, own: str, other: str) -> np.ndarray:
    return np.where(owner == book.ids.index(other), book.ids.index(own), owner)
