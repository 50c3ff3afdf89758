"""Groups of texts -> patterns: new ones with an id, a title and anchors, or more prototypes of the ones they repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from triage_ml.patterns.assign import Prototypes, threshold_of
from triage_ml.patterns.book import Pattern, PatternBook
from triage_ml.patterns.discover import mean_vectors
from triage_ml.patterns.identity import ANCHOR_LENGTH, anchor_places, new_pattern_id
from triage_ml.patterns.placing import Placed
from triage_ml.patterns.titles import name_groups

__all__ = ["Group", "new_patterns", "prototypes_of", "repeated", "with_groups"]

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

#: A part of a group with so many texts is a way to put it, and gets a prototype of its own.
SMALLEST_PART = 4

#: Examples that are shown: the most typical ones, then some from the edge, so that people see how far the pattern reaches.
TYPICAL, EDGE = 3, 2


@dataclass(frozen=True)
class Group:
    """A group that was found: its texts, most typical first, and the small tight part that each text is in."""

    members: Placed
    parts: IntArray


def with_groups(book: PatternBook, groups: Sequence[Group], week: str, alike: float) -> PatternBook:
    """The book with the prototypes of the groups: of new patterns, or of the known ones that they repeat."""
    if not groups:
        return book
    owner = repeated(book, groups, alike)
    fresh = [group for group, known in zip(groups, owner.tolist(), strict=True) if known < 0]
    patterns = new_patterns(book, fresh, week)
    owner[owner < 0] = len(book) + np.arange(len(patterns))
    texts, cases = prototypes_of(groups, owner)
    return replace(
        book,
        patterns=(*book.patterns, *patterns),
        prototypes=book.prototypes.joined(texts),
        cases=book.cases.joined(cases),
    )


def repeated(book: PatternBook, groups: Sequence[Group], alike: float) -> IntArray:
    """The known pattern that each group is, by the measure that joins groups: the mean cosine between the texts of the two
    is at least `alike`; -1 for a group that is none. So what was rejected once can't come back under a new id."""
    none = np.full(len(groups), -1, dtype=np.int64)
    if not len(book) or not len(book.cases.owner):
        return none
    sums, counts = book.cases.sums(len(book))
    known = sums / np.maximum(counts, 1)[:, None]
    means = np.stack([group.members.cases.mean(axis=0) for group in groups])
    likeness = means @ known.T
    most = likeness.argmax(axis=1)
    return np.where(likeness[np.arange(len(groups)), most] >= alike, most, none)


def prototypes_of(groups: Sequence[Group], owner: IntArray) -> tuple[Prototypes, Prototypes]:
    """Prototypes by text and by case: one for each part of each group that has enough texts, one for the rest of it."""
    by_text = [
        _prototypes(group.members.vectors, group, own) for group, own in zip(groups, owner.tolist(), strict=True)
    ]
    by_case = [_prototypes(group.members.cases, group, own) for group, own in zip(groups, owner.tolist(), strict=True)]
    return _joined(by_text), _joined(by_case)


def new_patterns(book: PatternBook, groups: Sequence[Group], week: str, parent: str = "") -> list[Pattern]:
    """A pattern for each group, with an id and a title that no other one has."""
    headlines = [[(member.headline, member.tickets) for member in group.members.texts] for group in groups]
    names = name_groups(headlines, taken=[*(pattern.title for pattern in book.patterns), *book.bound.titles.values()])
    taken = set(book.ids)
    patterns = []
    for group, name in zip(groups, names, strict=True):
        texts = group.members.texts
        picks = anchor_places(len(texts))
        anchors = tuple(texts[pick].text[:ANCHOR_LENGTH] for pick in picks)
        pattern_id = new_pattern_id(anchors, taken)
        taken.add(pattern_id)
        patterns.append(
            Pattern(
                pattern_id,
                name.title,
                name.keywords,
                examples=_examples([member.example for member in texts]),
                anchors=anchors,
                born=week,
                founded_on=int(group.members.tickets.sum()),
                anchor_notes=tuple(texts[pick].note for pick in picks),
                label=_commonest(texts[pick].label for pick in picks),
                parent=parent,
            )
        )
    return patterns


def _examples(ordered: Sequence[str]) -> tuple[str, ...]:
    """Of examples with the most typical first: typical ones, then ones from the edge, none twice."""
    distinct = list(dict.fromkeys(ordered))
    return tuple(distinct[:TYPICAL] + distinct[TYPICAL:][-EDGE:])


def _prototypes(places: FloatArray, group: Group, owner: int) -> Prototypes:
    parts = _large_parts(group.parts)
    means = mean_vectors(places, parts)
    spread = np.linalg.norm(means, axis=1)
    centroids = (means / np.maximum(spread, 1e-9)[:, None]).astype(np.float32)
    closest = (places @ centroids.T).max(axis=1)
    tickets = group.members.tickets
    thresholds = [threshold_of(closest[parts == part], tickets[parts == part]) for part in range(len(centroids))]
    return Prototypes(
        centroids,
        np.full(len(centroids), owner, dtype=np.int64),
        np.array(thresholds, dtype=np.float32),
        spread.astype(np.float32),
        np.bincount(parts).astype(np.int64),
    )


def _joined(parts: Sequence[Prototypes]) -> Prototypes:
    first, *others = parts
    for other in others:
        first = first.joined(other)
    return first


def _large_parts(parts: IntArray) -> IntArray:
    """Parts numbered from 0; those with fewer than `SMALLEST_PART` texts are one part together."""
    _, number, size = np.unique(parts, return_inverse=True, return_counts=True)
    merged = np.where(size[number] >= SMALLEST_PART, number, -1)
    return np.unique(merged, return_inverse=True)[1].astype(np.int64)


def _commonest(labels: Iterable[str]) -> str:
    counts = Counter(label for label in labels if label)
    return min(counts, key=lambda label: (-counts[label], label), default="")
