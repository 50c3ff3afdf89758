"""Search what no known pattern explains for new ones; at any size, a search looks at no more than some thousand texts.

The most frequent texts of the rest come first, and what is found takes its share of the others before the next search. When
the most frequent ones show nothing new and much is left, texts that are alike are searched together, so that a kind with a
dozen texts among a million is looked at in one piece.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from triage_ml.patterns.assign import NO_PATTERN
from triage_ml.patterns.book import PatternBook
from triage_ml.patterns.cases import LABEL
from triage_ml.patterns.discover import ALIKE, centroids_of, discover
from triage_ml.patterns.groups import Group, with_groups
from triage_ml.patterns.placing import BLOCK, Placed, recognise
from triage_ml.patterns.space import LexicalSpace
from triage_ml.patterns.texts import Texts

__all__ = ["alike_of", "find_groups", "search"]

IntArray = NDArray[np.int64]

#: Texts that one search looks at.
SEARCHED = 12_000

#: The second search looks through what the first left over. There are more only where more is left than one can look at.
SEARCHES, MOST_SEARCHES = 2, 8

#: Mean cosine of a group's texts to their centre below which they have nothing in common.
COHESION = 0.35

#: As `ALIKE`, for texts with close note and label. Chosen on the simulated desk, seeds 1 and 2.
ALIKE_CASES = 0.33

#: With so many labels or fewer, a shared one says nothing of the kind; with so many or more, groups are one from this part of
#: the likeness of two labels that are the same. Chosen on the simulated desk of seed 1 without close notes.
COARSE_LABELS, FINE_LABELS, SHARED_LABEL = 16, 64, 0.77

#: As `ALIKE`, where an encoder joins the space: texts are alike there that share no word. Chosen on train parts of banking77
#: and clinc150 with a static encoder. A desk whose closed tickets have notes does not use it (`ALIKE_CASES` decides there).
ALIKE_IN_MEANING = 0.26

PIVOTS = 64


def search(book: PatternBook, pool: Placed, week: str, min_tickets: int) -> PatternBook:
    """The book with what was found in the pool."""
    rest = _unexplained(book, pool)
    searches = 0
    while searches < SEARCHES or (len(rest) > SEARCHED and searches < MOST_SEARCHES):
        grown = _with_found(book, rest.at(_most_frequent(rest)), week, min_tickets)
        searches += 1
        if len(grown.prototypes.owner) == len(book.prototypes.owner):
            break
        book, rest = grown, _unexplained(grown, rest)
    if len(rest) > SEARCHED:
        for piece in _alike_together(rest):
            book = _with_found(book, _unexplained(book, rest.at(piece)), week, min_tickets)
    return book


def find_groups(searched: Placed, min_tickets: int, alike: float) -> list[Group]:
    """Groups with enough tickets whose texts have something in common, largest first."""
    tickets = searched.tickets
    if tickets.sum() < min_tickets:
        return []
    cases = searched.cases
    found = discover(cases, tickets, alike=alike)
    centres = centroids_of(cases, found.labels)
    volume = np.bincount(found.labels, weights=tickets)
    groups = []
    for label in np.flatnonzero(volume >= min_tickets):
        members = np.flatnonzero(found.labels == label)
        similarities = cases[members] @ centres[label]
        if np.average(similarities, weights=tickets[members]) >= COHESION:
            members = members[np.argsort(-similarities, kind="stable")]
            groups.append(Group(searched.at(members), found.parts[members]))
    return groups


def alike_of(texts: Texts, space: LexicalSpace) -> float:
    """How alike two groups must be to be one: more where cases are compared, because a shared label alone says little."""
    if not len(texts):
        return ALIKE
    alone = ALIKE_IN_MEANING if space.encoder else ALIKE
    noted = texts.note.is_said
    labelled = texts.label.is_said & ~noted
    by_label = labelled.mean() * (_alike_labelled(texts.label.codes[labelled], alone) - alone)
    return float(alone + noted.mean() * (ALIKE_CASES - alone) + by_label)


def _alike_labelled(labels: NDArray[np.int32], alone: float) -> float:
    """As `ALIKE_CASES` for texts with a label and no close note, from how many labels there really are.

    Two groups that share a label must be as alike as without labels where the label is one of few (it says nothing of the
    kind); the more labels there are, the more it says. Their number is that of equally frequent ones, 1 / sum of squares.
    """
    share = np.bincount(labels) / max(len(labels), 1)
    really = 1 / max(float((share**2).sum()), 1e-9)
    fine = np.clip(np.log(really / COARSE_LABELS) / np.log(FINE_LABELS / COARSE_LABELS), 0, 1)
    shared = 1 - float(fine) * (1 - SHARED_LABEL)
    return (alone + LABEL**2 * shared) / (1 + LABEL**2)


def _with_found(book: PatternBook, searched: Placed, week: str, min_tickets: int) -> PatternBook:
    alike = alike_of(searched.texts, book.space)
    return with_groups(book, find_groups(searched, min_tickets, alike), week, alike)


def _unexplained(book: PatternBook, pool: Placed) -> Placed:
    """The texts of the pool that are placed anywhere and belong to no pattern."""
    left = recognise(book, pool).pattern == NO_PATTERN
    return pool.at(np.flatnonzero(left & pool.anywhere))


def _most_frequent(rest: Placed) -> IntArray:
    often = np.argsort(-rest.tickets, kind="stable")[:SEARCHED]
    return np.sort(often)


def _alike_together(rest: Placed) -> Iterator[IntArray]:
    """The rest in pieces of at most `SEARCHED` texts, each next to those that lie nearest to the same texts."""
    pivots = rest.at(np.linspace(0, len(rest) - 1, PIVOTS).astype(np.int64)).vectors
    blocks = (rest.at(np.arange(start, min(start + BLOCK, len(rest)))) for start in range(0, len(rest), BLOCK))
    ordered = np.argsort(np.concatenate([(one.vectors @ pivots.T).argmax(axis=1) for one in blocks]), kind="stable")
    for start in range(0, len(ordered), SEARCHED):
        yield np.sort(ordered[start : start + SEARCHED])
