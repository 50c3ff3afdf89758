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
from triage_ml.patterns.cases import case_vectors
from triage_ml.patterns.discover import ALIKE, centroids_of, discover
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

#: A part of a group with so many texts is a way to put it, and gets a prototype of its own.
SMALLEST_PART = 4

EXAMPLES = 5

#: As `ALIKE`, for texts with close note and label. Chosen on the simulated desk, seeds 1 and 2.
ALIKE_CASES = 0.30


@dataclass(frozen=True)
class Said:
    """A masked text of one run: how tickets that say it look to people (redacted), and how many there are.

    `label` is the category that most of them carry, `note` a masked close note. Both help to tell kinds apart that are put
    alike, and are never needed to recognise a pattern.
    """

    text: str
    headline: str
    example: str
    tickets: int
    label: str = ""
    note: str = ""


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
        Shape (said,), cosine to the nearest prototype, by the case where that decided, else by the text.
    claimed
        Text key -> pattern id, for rare texts of earlier runs that belong to a pattern now.
    """

    book: PatternBook
    pattern: NDArray[np.int64]
    similarity: NDArray[np.float32]
    claimed: Mapping[str, str]


@dataclass(frozen=True)
class _Placed:
    """Texts in their places: `vectors` by the text alone, `cases` with close note and label."""

    texts: Sequence[Rare]
    vectors: NDArray[np.float32]
    cases: NDArray[np.float32]

    def at(self, index: NDArray[np.int64]) -> _Placed:
        return _Placed([self.texts[one] for one in index.tolist()], self.vectors[index], self.cases[index])

    @property
    def tickets(self) -> NDArray[np.int64]:
        return np.array([one.tickets for one in self.texts], dtype=np.int64)


@dataclass(frozen=True)
class _Group:
    """A group that was found: its texts, most typical first, its centre, and the small tight part that each text is in."""

    members: _Placed
    centre: NDArray[np.float32]
    parts: NDArray[np.int64]


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
    with threadpool_limits(limits=1):  # products of matrices round differently with other numbers of threads
        start = book or _empty_book(said)
        week_said = _place(start.space, [_rare(one, week) for one in said])
        known, _ = _recognise(start, week_said)
        left = [one for one, index in zip(week_said.texts, known.tolist(), strict=True) if index == NO_PATTERN]
        pool = _place(start.space, _pool(left, [one for one in start.rare if one.seen >= forget_before]))
        grown = start
        for _ in range(SEARCHES):
            grown = _search(grown, pool, week, min_tickets)
        pooled, _ = _recognise(grown, pool)
        pattern, similarity = _recognise(grown, week_said)
    still_rare = tuple(one for one, index in zip(pool.texts, pooled.tolist(), strict=True) if index == NO_PATTERN)
    claimed = {
        text_key(one.text): grown.ids[index]
        for one, index in zip(pool.texts, pooled.tolist(), strict=True)
        if index != NO_PATTERN
    }
    return Growth(replace(grown, rare=still_rare), pattern, similarity, claimed)


def _empty_book(said: Sequence[Said]) -> PatternBook:
    tickets = {one.text: one.tickets for one in said}
    for one in said:
        if one.note:
            tickets.setdefault(one.note, 1)
    space = LexicalSpace.fit(sorted(tickets, key=text_key), [tickets[text] for text in sorted(tickets, key=text_key)])
    nothing = case_vectors(space, space.encode([]), [], [])
    return PatternBook(space, (), Prototypes.none(space.basis.shape[1]), Prototypes.none(nothing.shape[1]))


def _rare(one: Said, week: str) -> Rare:
    return Rare(one.text, one.headline, one.example, one.tickets, week, one.label, one.note)


def _place(space: LexicalSpace, texts: Sequence[Rare]) -> _Placed:
    vectors = space.encode([one.text for one in texts])
    cases = case_vectors(space, vectors, [one.note for one in texts], [one.label for one in texts])
    return _Placed(texts, vectors, cases)


def _recognise(book: PatternBook, placed: _Placed) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Pattern and cosine of each text: by its case if it has a close note, else, or if that fits none, by its text."""
    pattern = np.full(len(placed.texts), NO_PATTERN, dtype=np.int64)
    similarity = np.zeros(len(placed.texts), dtype=np.float32)
    closed = np.flatnonzero([bool(one.note) for one in placed.texts])
    pattern[closed], similarity[closed] = assign_vectors(placed.cases[closed], book.cases)
    rest = np.flatnonzero(pattern == NO_PATTERN)
    pattern[rest], similarity[rest] = assign_vectors(placed.vectors[rest], book.prototypes)
    return pattern, similarity


def _pool(left: Sequence[Rare], rare: Sequence[Rare]) -> list[Rare]:
    """What no pattern explains, of this run and of earlier ones, the same text once."""
    pool = {one.text: one for one in rare}
    for one in left:
        before = pool[one.text].tickets if one.text in pool else 0
        pool[one.text] = replace(one, tickets=before + one.tickets)
    return [pool[text] for text in sorted(pool, key=lambda text: (text_key(text), text))]


def _search(book: PatternBook, pool: _Placed, week: str, min_tickets: int) -> PatternBook:
    """The book after one search of what it does not explain yet."""
    rest = pool.at(np.flatnonzero(_recognise(book, pool)[0] == NO_PATTERN))
    return _with_groups(book, _find_groups(rest, min_tickets), week)


def _find_groups(pool: _Placed, min_tickets: int) -> list[_Group]:
    """Groups with enough tickets whose texts have something in common, largest first."""
    placed = np.flatnonzero(pool.vectors.any(axis=1))
    often = placed[np.argsort(-pool.tickets[placed], kind="stable")][:SEARCHED]
    searched = pool.at(np.sort(often))
    tickets = searched.tickets
    if tickets.sum() < min_tickets:
        return []
    found = discover(searched.cases, tickets, alike=_alike(searched.texts))
    centres = centroids_of(searched.cases, found.labels)
    volume = np.bincount(found.labels, weights=tickets)
    groups = []
    for label in np.flatnonzero(volume >= min_tickets):
        members = np.flatnonzero(found.labels == label)
        similarities = searched.cases[members] @ centres[label]
        if np.average(similarities, weights=tickets[members]) >= COHESION:
            members = members[np.argsort(-similarities, kind="stable")]
            groups.append(_Group(searched.at(members), centres[label], found.parts[members]))
    return groups


def _alike(texts: Sequence[Rare]) -> float:
    """How alike two groups must be to be one: more where cases are compared, because a shared label alone says little."""
    known = np.mean([bool(one.note or one.label) for one in texts])
    return float(ALIKE + known * (ALIKE_CASES - ALIKE))


def _with_groups(book: PatternBook, groups: Sequence[_Group], week: str) -> PatternBook:
    """The book with the prototypes of the groups: of new patterns, or of the known ones that they repeat."""
    if not groups:
        return book
    repeats = match_known(np.stack([group.centre for group in groups]), book.cases.vectors)
    fresh = repeats < 0
    patterns = _new_patterns(book, [group for group, new in zip(groups, fresh, strict=True) if new], week)
    owner = np.empty(len(groups), dtype=np.int64)
    owner[fresh] = len(book) + np.arange(len(patterns))
    owner[~fresh] = book.cases.owner[repeats[~fresh]]
    return replace(
        book,
        patterns=(*book.patterns, *patterns),
        prototypes=book.prototypes.joined(_prototypes([group.members.vectors for group in groups], groups, owner)),
        cases=book.cases.joined(_prototypes([group.members.cases for group in groups], groups, owner)),
    )


def _prototypes(
    vectors: Sequence[NDArray[np.float32]], groups: Sequence[_Group], owner: NDArray[np.int64]
) -> Prototypes:
    """A prototype for each part of each group that has enough texts, and one for the rest of it."""
    centres, thresholds, owners = [], [], []
    for places, group, own in zip(vectors, groups, owner.tolist(), strict=True):
        parts = _large_parts(group.parts)
        centroids = centroids_of(places, parts)
        nearest = (places @ centroids.T).max(axis=1)
        for part, centroid in enumerate(centroids):
            inside = parts == part
            centres.append(centroid)
            thresholds.append(threshold_of(nearest[inside], group.members.tickets[inside]))
            owners.append(own)
    return Prototypes(np.stack(centres), np.array(owners, dtype=np.int64), np.array(thresholds, dtype=np.float32))


def _large_parts(parts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Parts numbered from 0; those with fewer than `SMALLEST_PART` texts are one part together."""
    _, number, size = np.unique(parts, return_inverse=True, return_counts=True)
    merged = np.where(size[number] >= SMALLEST_PART, number, -1)
    return np.unique(merged, return_inverse=True)[1].astype(np.int64)


def _new_patterns(book: PatternBook, groups: Sequence[_Group], week: str) -> list[Pattern]:
    headlines = [[(member.headline, member.tickets) for member in group.members.texts] for group in groups]
    names = name_groups(headlines, taken=[pattern.title for pattern in book.patterns])
    taken = set(book.ids)
    patterns = []
    for group, name in zip(groups, names, strict=True):
        anchors = choose_anchors([member.text for member in group.members.texts])
        pattern_id = new_pattern_id(anchors, taken)
        taken.add(pattern_id)
        examples = tuple(dict.fromkeys(member.example for member in group.members.texts))[:EXAMPLES]
        volume = int(group.members.tickets.sum())
        patterns.append(Pattern(pattern_id, name.title, name.keywords, examples, anchors, week, volume))
    return patterns
