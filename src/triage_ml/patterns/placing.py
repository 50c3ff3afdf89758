"""Texts in their places: vectors by the text alone, and by the case where a close note or a label is known.

A million texts are held as one vector each; the longer vectors of cases are put together a block at a time, from the
distinct notes and labels, of which there are few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage_ml.patterns.assign import NO_PATTERN, Near, Prototypes, belongs, nearest
from triage_ml.patterns.book import PatternBook
from triage_ml.patterns.cases import join_blocks, label_vectors
from triage_ml.patterns.space import COUNTED_IN, LexicalSpace
from triage_ml.patterns.texts import Rare, Texts
from triage_ml.patterns.uniques import text_key

__all__ = ["Placed", "Recognised", "fit_space", "place", "recognise"]

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

#: Texts whose cases are compared at a time.
BLOCK = 16_384


@dataclass(frozen=True)
class Placed:
    """n texts in a table of places that several of these share: text i lies at row `rows[i]` of `table`.

    Rows `note_of[i]` of `notes` and `label_of[i]` of `labels` belong to it, a row of zeros for none.
    """

    texts: Texts
    table: FloatArray
    rows: IntArray
    notes: FloatArray
    note_of: IntArray
    labels: FloatArray
    label_of: IntArray

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def tickets(self) -> IntArray:
        """How many tickets say each text, shape (n,)."""
        return self.texts.tickets

    @property
    def closed(self) -> NDArray[np.bool_]:
        """Which texts have a close note, shape (n,)."""
        return self.texts.note.is_said

    @property
    def anywhere(self) -> NDArray[np.bool_]:
        """Which texts have a term that the space knows, shape (n,)."""
        blocks = [self.table[self.rows[start : start + BLOCK]].any(axis=1) for start in range(0, len(self), BLOCK)]
        return np.concatenate(blocks) if blocks else np.zeros(0, dtype=bool)

    @property
    def vectors(self) -> FloatArray:
        """Vectors by the text alone, shape (n, d)."""
        return self.table[self.rows]

    @property
    def cases(self) -> FloatArray:
        """Vectors of the cases, shape (n, 2 d + 128)."""
        return join_blocks(self.vectors, self.notes[self.note_of], self.labels[self.label_of])

    def at(self, index: IntArray) -> Placed:
        """Some of the texts, in the order of `index`."""
        return replace(
            self,
            texts=self.texts.at(index),
            rows=self.rows[index],
            note_of=self.note_of[index],
            label_of=self.label_of[index],
        )

    def joined(self, other: Placed) -> Placed:
        """These and then the other ones."""
        if not len(other):
            return self
        return Placed(
            self.texts.joined(other.texts),
            np.concatenate([self.vectors, other.vectors]),
            np.arange(len(self) + len(other)),
            np.concatenate([self.notes, other.notes]),
            np.concatenate([self.note_of, other.note_of + len(self.notes)]),
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.label_of, other.label_of + len(self.labels)]),
        )


class Recognised(NamedTuple):
    """For each of n texts: the pattern that founded the nearest prototype (or `NO_PATTERN`), the cosine, the prototype's
    index, and whether it was recognised by its case."""

    pattern: IntArray
    similarity: FloatArray
    prototype: IntArray
    by_case: NDArray[np.bool_]


def fit_space(texts: Texts, encoder: str | None = None, more: Sequence[Rare] = ()) -> LexicalSpace:
    """A space for texts and their close notes; `more` are others that may say the same as some of them.

    No more than the most frequent are counted, so no more than those are held as strings.
    """
    often = texts.at(np.lexsort((texts.keys, -texts.tickets))[:COUNTED_IN])
    tickets = dict(zip(often.text, often.tickets.tolist(), strict=True))
    for one in more:
        tickets.setdefault(one.text, one.tickets)
    notes = {texts.note.names[code] for code in np.unique(texts.note.codes).tolist()} | {one.note for one in more}
    for note in sorted(notes - {""}, key=text_key)[:COUNTED_IN]:
        tickets.setdefault(note, 1)
    key_of = {text: text_key(text) for text in tickets}
    ordered = sorted(tickets, key=key_of.__getitem__)
    return LexicalSpace.fit(ordered, [tickets[text] for text in ordered], encoder)


def place(space: LexicalSpace, texts: Sequence[Rare]) -> Placed:
    """Place texts in a space."""
    own = Texts.of(texts)
    note, label = own.note.used(), own.label.used()
    vectors = space.encode(own.text)
    return Placed(
        own,
        vectors,
        np.arange(len(own)),
        space.encode(note.names),
        note.codes.astype(np.int64),
        label_vectors(label.names),
        label.codes.astype(np.int64),
    )


def recognise(book: PatternBook, placed: Placed) -> Recognised:
    """The pattern of each text: by its case if it has a close note, else, or if that fits none, by its text."""
    count = len(placed)
    found = Recognised(
        np.full(count, NO_PATTERN, dtype=np.int64),
        np.zeros(count, dtype=np.float32),
        np.zeros(count, dtype=np.int64),
        np.zeros(count, dtype=bool),
    )
    if not len(book.prototypes.owner):
        return found
    closed = np.flatnonzero(placed.closed)
    for start in range(0, len(closed), BLOCK):
        rows = closed[start : start + BLOCK]
        _note(found, rows, nearest(placed.at(rows).cases, book.cases, book.goes_on), book.cases, by_case=True)
    rest = np.flatnonzero(found.pattern == NO_PATTERN)
    for start in range(0, len(rest), BLOCK):
        rows = rest[start : start + BLOCK]
        _note(found, rows, nearest(placed.at(rows).vectors, book.prototypes, book.goes_on), book.prototypes)
    return found


def _note(found: Recognised, rows: IntArray, near: Near, prototypes: Prototypes, *, by_case: bool = False) -> None:
    inside = belongs(near, prototypes)
    found.pattern[rows] = np.where(inside, prototypes.owner[near.prototype], NO_PATTERN)
    found.similarity[rows] = near.similarity
    found.prototype[rows] = near.prototype
    found.by_case[rows] = by_case & inside
