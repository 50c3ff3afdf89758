"""A new space on purpose: vocabulary that came up since the last fit takes part, and every pattern keeps its id.

A pattern is carried over by its texts: those of this run that it recognises in the old space, and its anchors, which are
kept for this. In the new space they are its prototypes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from triage_ml.patterns.assign import NO_PATTERN
from triage_ml.patterns.book import Pattern, PatternBook
from triage_ml.patterns.grouping import rows_by_label
from triage_ml.patterns.groups import Group, prototypes_of
from triage_ml.patterns.placing import Placed, fit_space, place, recognise
from triage_ml.patterns.resolving import carried
from triage_ml.patterns.texts import Rare

__all__ = ["anchors_of", "refit"]

IntArray = NDArray[np.int64]

#: Tickets that an anchor stands for, beside the texts of the run.
ANCHOR_TICKETS = 1


def refit(book: PatternBook, placed: Placed, encoder: str | None = None) -> tuple[PatternBook, Placed]:
    """The book in a space that is fitted on the texts of this run, and those texts in it.

    Parameters
    ----------
    placed
        The texts of the run in the old space.
    """
    found = recognise(book, placed)
    anchors = [anchor for pattern in book.patterns for anchor in anchors_of(pattern)]
    founder = np.repeat(np.arange(len(book)), [len(pattern.anchors) for pattern in book.patterns])
    space = fit_space(placed.texts, encoder, [*anchors, *book.rare])
    texts = place(space, placed.texts)
    if not len(book):
        return replace(book, space=space, variants=None), texts
    both = texts.joined(place(space, anchors))
    owner = np.concatenate([found.pattern, founder])
    part = np.concatenate([np.where(found.by_case, -2 - found.prototype, found.prototype), np.full(len(founder), -1)])
    groups, owners = _by_pattern(both, owner, part)
    by_text, by_case = prototypes_of(groups, owners)
    variants = carried(book, placed, texts, found.pattern)
    return replace(book, space=space, prototypes=by_text, cases=by_case, variants=variants), texts


def anchors_of(pattern: Pattern) -> list[Rare]:
    """A pattern's anchors as texts."""
    notes: Sequence[str] = pattern.anchor_notes or [""] * len(pattern.anchors)
    return [
        Rare(anchor, pattern.title, anchor, ANCHOR_TICKETS, pattern.born, pattern.label, note)
        for anchor, note in zip(pattern.anchors, notes, strict=True)
    ]


def _by_pattern(placed: Placed, owner: IntArray, part: IntArray) -> tuple[list[Group], IntArray]:
    """The texts of each pattern, and the old prototypes that told them as their parts."""
    known = np.flatnonzero(owner != NO_PATTERN)
    known = known[placed.anywhere[known]]
    found = [(index, known[rows]) for index, rows in rows_by_label(owner[known])]
    groups = [Group(placed.at(own), part[own]) for _, own in found]
    return groups, np.array([index for index, _ in found], dtype=np.int64)
