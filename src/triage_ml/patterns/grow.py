"""One step of mining: known patterns take what is theirs, and the rest is searched for new ones.

Because nothing is clustered that a known pattern already explains, ids hold by construction. What is too rare to be a
pattern is kept and searched again together with later weeks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from triage_ml.patterns.assign import NO_PATTERN, Prototypes, assign_vectors, threshold_of
from triage_ml.patterns.book import Pattern, PatternBook, Rare
from triage_ml.patterns.discover import centroids_of, discover
from triage_ml.patterns.identity import choose_anchors, match_known, new_pattern_id
from triage_ml.patterns.space import LexicalSpace
from triage_ml.patterns.titles import name_groups
from triage_ml.patterns.uniques import text_key

__all__ = ["Growth", "Said", "grow"]

#: Texts that one search looks at; the most frequent come first, the others are assigned to what was found.
SEARCHED = 12_000

#: The second search looks through what the first left over.
SEARCHES = 2

#: Mean cosine of a group's texts to their centre below which they have nothing in common.
COHESION = 0.35

EXAMPLES = 5


@dataclass(frozen=True)
class Said:
    """A masked text of one run: how tickets that say it look to people (redacted), and how many there are.

    `hint` is the label that most of them carry (their category). It helps to tell kinds apart that are put alike, and is
    never needed to recognise a pattern.
    """

    text: str
    headline: str
    example: str
    tickets: int
    hint: str = ""


@dataclass(frozen=True)
class Growth:
    """What a step gave.

    Attributes
    ----------
    book
        The known patterns afterwards.
    pattern
        Shape (said,), index into `book.patterns` or -1, for each text of the run.
    similarity
        Shape (said,), cosine to the nearest prototype.
    claimed
        Text key -> pattern id, for rare texts of earlier runs that belong to a pattern now.
    """

    book: PatternBook
    pattern: NDArray[np.int64]
    similarity: NDArray[np.float32]
    claimed: Mapping[str, str]


@dataclass(frozen=True)
class _Group:
    """A group that was found: its texts, most typical first, their cosines to its centre, and the centre."""

    members: tuple[Rare, ...]
    similarities: NDArray[np.float32]
    centre: NDArray[np.float32]

    @property
    def tickets(self) -> NDArray[np.int64]:
        return np.array([member.tickets for member in self.members], dtype=np.int64)


def grow(
    book: PatternBook | None, said: Sequence[Said], *, week: str, min_tickets: int, forget_before: str = ""
) -> Growth:
    """Assign, then discover in the rest.

    Parameters
    ----------
    book
        The known patterns, or None to fit a space and start one.
    said
        Distinct masked texts, in the order of `collapse`.
    week
        Label of the run, kept with new patterns and rare texts.
    min_tickets
        A group with fewer tickets is no pattern yet.
    forget_before
        Rare texts last seen before this week are dropped.
    """
    texts = [one.text for one in said]
    with threadpool_limits(limits=1):  # products of matrices round differently with other numbers of threads
        start = book or _empty_book(said)
        vectors = start.space.encode(texts)
        known, _ = assign_vectors(vectors, start.prototypes)
        left = [one for one, index in zip(said, known.tolist(), strict=True) if index == NO_PATTERN]
        pool = _pool(left, [one for one in start.rare if one.seen >= forget_before], week)
        placed = start.space.encode([one.text for one in pool])
        grown = start
        for _ in range(SEARCHES):
            grown, pooled = _search(grown, pool, placed, week, min_tickets)
        pattern, similarity = assign_vectors(vectors, grown.prototypes)
    still_rare = tuple(one for one, index in zip(pool, pooled.tolist(), strict=True) if index == NO_PATTERN)
    claimed = {
        text_key(one.text): grown.ids[index]
        for one, index in zip(pool, pooled.tolist(), strict=True)
        if index != NO_PATTERN
    }
    return Growth(replace(grown, rare=still_rare), pattern, similarity, claimed)


def _empty_book(said: Sequence[Said]) -> PatternBook:
    space = LexicalSpace.fit([one.text for one in said], [one.tickets for one in said])
    return PatternBook(space, (), Prototypes.none(space.basis.shape[1]))


def _pool(left: Sequence[Said], rare: Sequence[Rare], week: str) -> list[Rare]:
    """What no pattern explains, of this run and of earlier ones, the same text once."""
    pool = {one.text: one for one in rare}
    for one in left:
        before = pool[one.text].tickets if one.text in pool else 0
        pool[one.text] = Rare(one.text, one.headline, one.example, before + one.tickets, week, one.hint)
    return [pool[text] for text in sorted(pool, key=lambda text: (text_key(text), text))]


def _search(
    book: PatternBook, pool: Sequence[Rare], placed: NDArray[np.float32], week: str, min_tickets: int
) -> tuple[PatternBook, NDArray[np.int64]]:
    """The book after one search, and where the whole pool belongs by it."""
    before, _ = assign_vectors(placed, book.prototypes)
    rest = np.flatnonzero(before == NO_PATTERN)
    groups = _find_groups([pool[index] for index in rest.tolist()], placed[rest], min_tickets)
    grown = _with_groups(book, groups, week)
    return grown, assign_vectors(placed, grown.prototypes)[0]


def _find_groups(pool: Sequence[Rare], vectors: NDArray[np.float32], min_tickets: int) -> list[_Group]:
    """Groups with enough tickets whose texts have something in common, largest first."""
    tickets = np.array([one.tickets for one in pool], dtype=np.int64)
    placed = np.flatnonzero(vectors.any(axis=1))
    searched = placed[np.argsort(-tickets[placed], kind="stable")][:SEARCHED]
    if tickets[searched].sum() < min_tickets:
        return []
    searched = np.sort(searched)
    labels = discover(
        vectors[searched], tickets[searched], _codes([pool[index].hint for index in searched.tolist()])
    ).labels
    centres = centroids_of(vectors[searched], labels)
    volume = np.bincount(labels, weights=tickets[searched])
    groups = []
    for label in np.flatnonzero(volume >= min_tickets):
        members = searched[labels == label]
        similarities = vectors[members] @ centres[label]
        if np.average(similarities, weights=tickets[members]) >= COHESION:
            order = np.argsort(-similarities, kind="stable")
            groups.append(
                _Group(tuple(pool[index] for index in members[order].tolist()), similarities[order], centres[label])
            )
    return groups


def _codes(hints: Sequence[str]) -> NDArray[np.int64]:
    """Numbers for hints, -1 for none."""
    number = {hint: index for index, hint in enumerate(sorted({hint for hint in hints if hint}))}
    return np.array([number.get(hint, -1) for hint in hints], dtype=np.int64)


def _with_groups(book: PatternBook, groups: Sequence[_Group], week: str) -> PatternBook:
    """The book with a prototype more a group: of a new pattern, or of the known one that the group repeats."""
    if not groups:
        return book
    centres = np.stack([group.centre for group in groups])
    repeats = match_known(centres, book.prototypes.vectors)
    fresh = repeats < 0
    patterns = _new_patterns(book, [group for group, new in zip(groups, fresh, strict=True) if new], week)
    owner = np.empty(len(groups), dtype=np.int64)
    owner[fresh] = len(book) + np.arange(len(patterns))
    owner[~fresh] = book.prototypes.owner[repeats[~fresh]]
    thresholds = [threshold_of(group.similarities, group.tickets) for group in groups]
    added = Prototypes(centres, owner, np.array(thresholds, dtype=np.float32))
    return replace(book, patterns=(*book.patterns, *patterns), prototypes=book.prototypes.joined(added))


def _new_patterns(book: PatternBook, groups: Sequence[_Group], week: str) -> list[Pattern]:
    headlines = [[(member.headline, member.tickets) for member in group.members] for group in groups]
    names = name_groups(headlines, taken=[pattern.title for pattern in book.patterns])
    taken = set(book.ids)
    patterns = []
    for group, name in zip(groups, names, strict=True):
        anchors = choose_anchors([member.text for member in group.members])
        pattern_id = new_pattern_id(anchors, taken)
        taken.add(pattern_id)
        examples = tuple(dict.fromkeys(member.example for member in group.members))[:EXAMPLES]
        volume = int(group.tickets.sum())
        patterns.append(Pattern(pattern_id, name.title, name.keywords, examples, anchors, week, volume))
    return patterns
