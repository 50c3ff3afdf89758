"""Variants: the ways in which one pattern is resolved, where close notes tell them apart.

A variant is found by its close notes, once, and keeps its id. A closed ticket is of the variant that its own note is nearest
to. A filed ticket has no note: its text says the variant only where it was right often enough, by halves of the texts that
check each other; a variant that text can't separate is never answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from triage_ml.patterns.assign import NO_PATTERN
from triage_ml.patterns.discover import centroids_of, discover
from triage_ml.patterns.grouping import rows_by_label
from triage_ml.patterns.uniques import text_key

__all__ = ["NO_VARIANT", "PROMISE", "Variant", "VariantSet", "find_variants"]

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

NO_VARIANT = -1

#: Mean cosine between the notes of two ways from which they are one. Chosen on simulated desks of seeds 1 and 2.
ALIKE_NOTES = 0.30
#: A note with a lower cosine to its variant's centre belongs to none.
NEAR_NOTE = 0.35
#: A way with a smaller share of the pattern's closed tickets is no variant: ops could not act on it.
SMALLEST_SHARE = 0.05
#: How often the text must be right about a variant before it may say so (lower bound, one-sided 95 %).
PROMISE = 0.90
#: A variant that text would name for so few of its own tickets is not worth naming.
NAMED = 0.2
Z = 1.645

TITLE_LENGTH = 80


@dataclass(frozen=True)
class Variant:
    """One way in which the tickets of a pattern are resolved.

    `title` is a typical close note (redacted and masked), `share` its part of the closed tickets when it was found. `margin` is
    how much nearer (cosine) a filed text must be to it than to the next variant to be answered; None where text can't tell.
    """

    variant_id: str
    pattern_id: str
    title: str
    share: float
    margin: float | None


@dataclass(frozen=True)
class VariantSet:
    """Variants of all patterns: `owner`, shape (v,), is the pattern of each; `notes` and `texts`, shape (v, d), their centres."""

    variants: tuple[Variant, ...]
    owner: IntArray
    notes: FloatArray
    texts: FloatArray

    @classmethod
    def none(cls, dimensions: int) -> VariantSet:
        """No variants, in a space of `dimensions`."""
        nothing = np.zeros((0, dimensions), dtype=np.float32)
        return cls((), np.zeros(0, dtype=np.int64), nothing, nothing)

    def joined(self, other: VariantSet) -> VariantSet:
        """These and then the other ones."""
        return VariantSet(
            (*self.variants, *other.variants),
            np.concatenate([self.owner, other.owner]),
            np.concatenate([self.notes, other.notes]),
            np.concatenate([self.texts, other.texts]),
        )

    def by_note(self, pattern: IntArray, notes: FloatArray) -> IntArray:
        """Variant (or -1) of closed tickets of these patterns by their notes' vectors, shapes (n,) and (n, d)."""
        found = np.full(len(pattern), NO_VARIANT, dtype=np.int64)
        for own, rows in self._by_pattern(pattern):
            likeness = notes[rows] @ self.notes[own].T
            best = likeness.argmax(axis=1)
            near = likeness[np.arange(len(rows)), best] >= NEAR_NOTE
            found[rows] = np.where(near, own[best], NO_VARIANT)
        return found

    def by_text(self, pattern: IntArray, texts: FloatArray) -> IntArray:
        """Variant (or -1) of filed tickets of these patterns, only where their text tells it."""
        found = np.full(len(pattern), NO_VARIANT, dtype=np.int64)
        for own, rows in self._by_pattern(pattern):
            if np.isfinite(self._margins[own]).any():
                best, lead = _lead(texts[rows] @ self.texts[own].T)
                found[rows] = np.where(lead >= self._margins[own[best]], own[best], NO_VARIANT)
        return found

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Ids of the variants, in their order."""
        return tuple(one.variant_id for one in self.variants)

    @cached_property
    def _margins(self) -> NDArray[np.float64]:
        return np.array([np.inf if one.margin is None else one.margin for one in self.variants])

    def _by_pattern(self, pattern: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
        """The variants and the rows of each pattern that has any of both."""
        for one, rows in rows_by_label(pattern):
            own = np.flatnonzero(self.owner == one)
            if one != NO_PATTERN and len(own):
                yield own, rows


def find_variants(
    pattern_id: str,
    pattern: int,
    notes: Sequence[str],
    note_vectors: FloatArray,
    text_vectors: FloatArray,
    tickets: IntArray,
    *,
    min_tickets: int,
) -> VariantSet:
    """The variants of one pattern from n closed texts of it; none where it is resolved in one way.

    Parameters
    ----------
    notes
        Masked close notes, none of them empty.
    tickets
        Shape (n,), how many tickets say each text.
    """
    none = VariantSet.none(note_vectors.shape[1])
    if tickets.sum() < 2 * min_tickets or len(notes) < 2:
        return none
    labels = discover(note_vectors, tickets, alike=ALIKE_NOTES).labels
    volume = np.bincount(labels, weights=tickets)
    kept = np.flatnonzero(volume >= max(min_tickets, SMALLEST_SHARE * tickets.sum()))
    if len(kept) < 2:
        return none
    inside = np.isin(labels, kept)
    way = np.searchsorted(kept, labels[inside])
    note_centres, text_centres = (centroids_of(vectors[inside], way) for vectors in (note_vectors, text_vectors))
    margins = _margins(text_vectors[inside], way, tickets[inside])
    own_notes = [note for note, keep in zip(notes, inside.tolist(), strict=True) if keep]
    likeness = (note_vectors[inside] * note_centres[way]).sum(axis=1)
    variants = []
    for one in range(len(kept)):
        typical = min(np.flatnonzero(way == one).tolist(), key=lambda row: (-likeness[row], own_notes[row]))
        title = own_notes[typical][:TITLE_LENGTH]
        variant_id = f"{pattern_id}-{text_key(own_notes[typical])[:5]}"
        share = round(float(volume[kept[one]] / tickets.sum()), 3)
        variants.append(Variant(variant_id, pattern_id, title, share, margins[one]))
    owner = np.full(len(kept), pattern, dtype=np.int64)
    return VariantSet(tuple(variants), owner, note_centres, text_centres)


def _margins(texts: FloatArray, way: IntArray, tickets: IntArray) -> list[float | None]:
    """For each way the smallest lead from which texts were right about it often enough, each half judged by the other."""
    ways = int(way.max()) + 1
    half = np.zeros(len(way), dtype=np.int64)
    for _, rows in rows_by_label(way):
        half[rows] = np.arange(len(rows)) % 2
    best = np.zeros(len(way), dtype=np.int64)
    lead = np.zeros(len(way), dtype=np.float32)
    for side in (0, 1):
        other = half != side
        if len(np.unique(way[other])) < ways:
            return [None] * ways
        rows = np.flatnonzero(half == side)
        best[rows], lead[rows] = _lead(texts[rows] @ centroids_of(texts[other], way[other]).T)
    return [
        _margin(lead[best == one], way[best == one] == one, tickets[best == one], tickets[way == one].sum())
        for one in range(ways)
    ]


def _margin(lead: FloatArray, right: NDArray[np.bool_], tickets: IntArray, own: int) -> float | None:
    """The smallest lead whose tickets are right with a Wilson (1927) lower bound of `PROMISE`."""
    order = np.argsort(-lead, kind="stable")
    said = np.cumsum(tickets[order])
    share = np.cumsum((tickets * right)[order]) / np.maximum(said, 1)
    centre = share + Z * Z / (2 * np.maximum(said, 1))
    spread = Z * np.sqrt(share * (1 - share) / np.maximum(said, 1) + Z * Z / (4 * np.maximum(said, 1) ** 2))
    bound = (centre - spread) / (1 + Z * Z / np.maximum(said, 1))
    good = np.flatnonzero((bound >= PROMISE) & (said >= NAMED * own))
    return round(float(lead[order][good[-1]]), 4) if len(good) else None


def _lead(likeness: FloatArray) -> tuple[IntArray, FloatArray]:
    """The nearest column of each row, and how much nearer it is than the next."""
    best = likeness.argmax(axis=1)
    ordered = np.sort(likeness, axis=1)
    return best.astype(np.int64), (ordered[:, -1] - ordered[:, -2]).astype(np.float32)
