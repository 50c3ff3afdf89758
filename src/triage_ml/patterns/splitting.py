"""Splits that people decided on: a pattern that is not one thing becomes several, once, with the texts at hand.

The largest part keeps the id, so what was decided on the pattern stays with most of it; the others are new patterns that
know where they come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from triage_ml.patterns.book import PatternBook, masked_texts
from triage_ml.patterns.decided import Decided, Split, bind
from triage_ml.patterns.discover import discover
from triage_ml.patterns.groups import Group, new_patterns, prototypes_of
from triage_ml.patterns.placing import Placed, place, recognise
from triage_ml.patterns.refit import anchors_of
from triage_ml.patterns.search import alike_of
from triage_ml.patterns.uniques import text_key

__all__ = ["split_patterns"]

IntArray = NDArray[np.int64]
Moves = tuple[tuple[str, str, str], ...]

#: How much more alike two parts must be to stay one, raised step by step until the pattern falls apart.
STRICTER = (0.1, 0.2, 0.3, 0.4, 0.5)


def split_patterns(
    book: PatternBook, placed: Placed, decided: Decided, week: str, min_tickets: int
) -> tuple[PatternBook, Moves]:
    """The book after the splits that were not made yet, and the (text key, from, to) that changed sides.

    A pattern whose texts can't be told apart stays as it is; the split is tried once.
    """
    moves: list[tuple[str, str, str]] = []
    for split in decided.splits:
        if split.pattern_id in book.ids and split.key not in book.bound.splits:
            book, moved = _split(book, placed, split, week, min_tickets)
            moves += moved
    return (bind(book, decided), tuple(moves)) if decided.splits else (book, ())


def _split(
    book: PatternBook, placed: Placed, split: Split, week: str, min_tickets: int
) -> tuple[PatternBook, list[tuple[str, str, str]]]:
    own = book.ids.index(split.pattern_id)
    texts = placed.at(np.flatnonzero(recognise(book, placed).pattern == own))
    here = {one.text for one in texts.texts}
    anchors = [one for one in anchors_of(book.patterns[own]) if one.text not in here]
    members = texts.joined(place(book.space, anchors))
    members = members.at(np.flatnonzero(members.anywhere))
    groups = _sides(book, members, place_apart(book, split), min_tickets)
    if len(groups) < 2:
        return _noted(book, split, ()), []
    first, *others = groups
    children = new_patterns(book, others, week, parent=split.pattern_id)
    owner = np.array([own, *(len(book) + np.arange(len(children)))], dtype=np.int64)
    by_text, by_case = prototypes_of([first, *others], owner)
    grown = replace(
        book,
        patterns=(*book.patterns, *children),
        prototypes=book.prototypes.at(book.prototypes.owner != own).joined(by_text),
        cases=book.cases.at(book.cases.owner != own).joined(by_case),
    )
    moved = [
        (text_key(one.text), split.pattern_id, child.pattern_id)
        for child, group in zip(children, others, strict=True)
        for one in group.members.texts
    ]
    return _noted(grown, split, tuple(child.pattern_id for child in children)), moved


def place_apart(book: PatternBook, split: Split) -> NDArray[np.float32]:
    """Vectors of the examples that are something else."""
    return book.space.encode(masked_texts(split.apart))


def _sides(book: PatternBook, members: Placed, apart: NDArray[np.float32], min_tickets: int) -> list[Group]:
    """The members in two or more groups, the largest first; fewer where nothing tells them apart."""
    if not len(members):
        return []
    start = alike_of(members.texts, book.space)
    tickets = members.tickets
    for stricter in STRICTER:
        labels = discover(members.cases, tickets, alike=start + stricter).labels
        labels = _small_to_nearest(members, labels, 1 if len(apart) else max(2, min_tickets // 2))
        if len(apart):
            labels = np.isin(labels, _nearest_label(members, labels, apart)).astype(np.int64)
        if len(np.unique(labels)) > 1:
            return _largest_first(members, labels)
    return []


def _nearest_label(members: Placed, labels: IntArray, apart: NDArray[np.float32]) -> IntArray:
    """The groups that the examples are in."""
    closest: IntArray = labels[(apart @ members.vectors.T).argmax(axis=1)]
    return closest


def _small_to_nearest(members: Placed, labels: IntArray, smallest: int) -> IntArray:
    """Groups with too few tickets go to the group of their nearest centre."""
    volume = np.bincount(labels, weights=members.tickets)
    large = np.flatnonzero(volume >= smallest)
    if len(large) == 0:
        return np.zeros_like(labels)
    cases = members.cases
    centres = np.stack([cases[labels == label].mean(axis=0) for label in large])
    closest = large[(cases @ centres.T).argmax(axis=1)]
    return np.where(volume[labels] >= smallest, labels, closest)


def _largest_first(members: Placed, labels: IntArray) -> list[Group]:
    tickets = members.tickets
    found: Sequence[int] = sorted(np.unique(labels).tolist(), key=lambda one: (-int(tickets[labels == one].sum()), one))
    groups = []
    for label in found:
        own = np.flatnonzero(labels == label)
        cases = members.cases[own]
        typical = np.argsort(-(cases @ cases.mean(axis=0)), kind="stable")
        groups.append(Group(members.at(own[typical]), np.zeros(len(own), dtype=np.int64)))
    return groups


def _noted(book: PatternBook, split: Split, children: tuple[str, ...]) -> PatternBook:
    return replace(book, bound=replace(book.bound, splits={**book.bound.splits, split.key: children}))
