"""Keep the variants of a book: search patterns that have none yet, carry the others into a new space."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from triage_ml.patterns.assign import NO_PATTERN
from triage_ml.patterns.book import PatternBook
from triage_ml.patterns.discover import centroids_of
from triage_ml.patterns.grouping import rows_by_label
from triage_ml.patterns.placing import Placed
from triage_ml.patterns.variants import VariantSet, find_variants

__all__ = ["carried", "with_variants"]

IntArray = NDArray[np.int64]

#: Closed texts of a pattern that are looked at for variants, the most frequent first.
LOOKED_AT = 3_000


def with_variants(book: PatternBook, placed: Placed, pattern: IntArray, min_tickets: int) -> PatternBook:
    """The book with variants of the patterns that had none; `pattern`, shape (texts,), is the pattern of each text."""
    known = set(book.known_variants.owner.tolist())
    closed = np.flatnonzero(placed.closed & (pattern != NO_PATTERN))
    searched = [(index, closed[rows]) for index, rows in rows_by_label(pattern[closed]) if index not in known]

    def search(index: int, rows: IntArray) -> VariantSet:
        often = np.argsort(-placed.tickets[rows], kind="stable")[:LOOKED_AT]
        own = placed.at(np.sort(rows[often]))
        return find_variants(
            book.ids[index],
            index,
            [own.texts.note[place] for place in range(len(own))],
            own.notes[own.note_of],
            own.vectors,
            own.tickets,
            min_tickets=min_tickets,
        )

    variants = book.known_variants
    for found in Parallel(n_jobs=-1, prefer="threads")(delayed(search)(index, rows) for index, rows in searched):
        variants = variants.joined(found)
    return replace(book, variants=variants)


def carried(book: PatternBook, old: Placed, new: Placed, pattern: IntArray) -> VariantSet:
    """The variants of a book in a new space: `old` and `new` are the same texts in both, `pattern` their patterns.

    A variant that none of the texts is of is placed by its title alone, and by no text.
    """
    before = book.known_variants
    closed = np.flatnonzero(old.closed & (pattern != NO_PATTERN))
    way = before.by_note(pattern[closed], old.notes[old.note_of[closed]])
    notes = np.zeros((len(before.owner), new.notes.shape[1]), dtype=np.float32)
    texts = np.zeros_like(notes)
    inside = way >= 0
    present, local = np.unique(way[inside], return_inverse=True)
    if len(present):
        notes[present] = centroids_of(new.notes[new.note_of[closed[inside]]], local)
        texts[present] = centroids_of(new.at(closed[inside]).vectors, local)
    gone = np.setdiff1d(np.arange(len(before.owner)), present)
    variants = tuple(
        replace(one, margin=None) if place in set(gone.tolist()) else one for place, one in enumerate(before.variants)
    )
    return VariantSet(variants, before.owner, notes, texts)
