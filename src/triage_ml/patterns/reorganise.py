"""What a reorganisation would change: patterns that look like one, and patterns that look like several.

It only proposes. People confirm by a decision (merge, split), and the next run keeps to it; what they put apart is not
proposed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from triage_ml.patterns.assign import NO_PATTERN
from triage_ml.patterns.book import PatternBook
from triage_ml.patterns.discover import discover, mean_vectors
from triage_ml.patterns.grouping import rows_by_label
from triage_ml.patterns.grow import Said, as_texts
from triage_ml.patterns.placing import Placed, place, recognise
from triage_ml.patterns.search import SEARCHED, alike_of
from triage_ml.patterns.texts import Texts

__all__ = ["Proposed", "propose"]

#: Two patterns are proposed to be merged from this share of the likeness at which discovery joins groups.
NEARLY = 0.9
#: A pattern is proposed to be split if its second part has this share of its tickets.
SECOND = 0.15
MOST = 50


@dataclass(frozen=True)
class Proposed:
    """A merge of a pattern into `other`, or a split of it; `likeness` is the mean cosine between the texts of the two."""

    action: Literal["merge", "split"]
    pattern_id: str
    other: str | None
    likeness: float
    #: For a split: tickets and typical examples (redacted) of each part, the largest first.
    parts: tuple[tuple[int, tuple[str, ...]], ...] = ()


def propose(book: PatternBook, said: Sequence[Said] | Texts, *, week: str, min_tickets: int) -> list[Proposed]:
    """Merges, most alike first, then splits, least alike first; `said` are texts to look at the patterns by."""
    if not len(book):
        return []
    with threadpool_limits(limits=1):
        placed = place(book.space, as_texts(said, week))
        return [*_merges(book, alike_of(placed.texts, book.space))[:MOST], *_splits(book, placed, min_tickets)[:MOST]]


def _merges(book: PatternBook, alike: float) -> list[Proposed]:
    sums, counts = book.cases.sums(len(book))
    roots, root_of = np.unique(book.goes_on, return_inverse=True)
    total = np.zeros((len(roots), sums.shape[1]), dtype=np.float32)
    np.add.at(total, root_of, sums)
    size = np.bincount(root_of, weights=counts)
    means = total / np.maximum(size, 1).astype(np.float32)[:, None]
    apart = {frozenset(pair) for pair in book.bound.apart}
    found = []
    for row in range(len(roots) - 1):
        likeness = means[row + 1 :] @ means[row]
        for column in np.flatnonzero(likeness >= NEARLY * alike).tolist():
            small, large = sorted((row, row + 1 + column), key=lambda one: (size[one], one))
            one, other = book.ids[roots[small]], book.ids[roots[large]]
            if frozenset((one, other)) not in apart:
                found.append(Proposed("merge", one, other, round(float(likeness[column]), 3)))
    return sorted(found, key=lambda one: (-one.likeness, one.pattern_id, one.other or ""))


def _splits(book: PatternBook, placed: Placed, min_tickets: int) -> list[Proposed]:
    owner = book.goes_on_as(recognise(book, placed).pattern)
    found = []
    for index, rows in rows_by_label(owner):
        if index != NO_PATTERN:
            parts = _parts(book, placed.at(rows[:SEARCHED]), min_tickets)
            if parts is not None:
                found.append(Proposed("split", book.ids[index], None, *parts))
    return sorted(found, key=lambda one: (one.likeness, one.pattern_id))


def _parts(
    book: PatternBook, members: Placed, min_tickets: int
) -> tuple[float, tuple[tuple[int, tuple[str, ...]], ...]] | None:
    tickets = members.tickets
    if tickets.sum() < 2 * min_tickets:
        return None
    cases = members.cases
    labels: NDArray[np.int64] = discover(cases, tickets, alike=alike_of(members.texts, book.space)).labels
    volume = np.bincount(labels, weights=tickets)
    if len(volume) < 2 or volume[1] < max(min_tickets, SECOND * volume.sum()):
        return None
    means = mean_vectors(cases, labels)
    shown = []
    for label in np.flatnonzero(volume >= min_tickets):
        own = np.flatnonzero(labels == label)
        typical = own[np.argsort(-(cases[own] @ means[label]), kind="stable")[:3]]
        shown.append((int(volume[label]), tuple(members.texts[one].example for one in typical.tolist())))
    return round(float(means[0] @ means[1]), 3), tuple(shown)
