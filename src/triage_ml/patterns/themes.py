"""Themes: patterns that are about the same thing, one level above them. A pattern gets its theme once and keeps it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from triage_ml.patterns.book import PatternBook
from triage_ml.patterns.discover import join_alike

__all__ = ["with_themes"]

FloatArray = NDArray[np.float32]

#: Mean likeness from which patterns are of one theme. Chosen on simulated desks of seeds 1 and 2, against true categories.
ALIKE_THEMES = 0.22
#: Patterns that are joined with each other at a time; more come one by one.
JOINED = 2_000


def with_themes(book: PatternBook) -> PatternBook:
    """The book with a theme for each pattern that had none: a known one that is alike enough, else one of the new ones."""
    fresh = [index for index, pattern in enumerate(book.patterns) if not pattern.theme_id]
    if not fresh:
        return book
    sums, counts = book.cases.sums(len(book))
    places = _units((sums / np.maximum(counts, 1)[:, None]).astype(np.float32))
    theme_of = {index: pattern.theme_id for index, pattern in enumerate(book.patterns) if pattern.theme_id}
    homeless = [index for index in fresh if not _join_known(index, places, theme_of)]
    first, later = homeless[:JOINED], homeless[JOINED:]
    if first:
        labels = join_alike(places[first], np.arange(len(first), dtype=np.int64), ALIKE_THEMES)
        for place, index in enumerate(first):
            founder = first[int(np.flatnonzero(labels == labels[place])[0])]
            theme_of[index] = f"t{book.ids[founder][1:]}"
    for index in later:
        if not _join_known(index, places, theme_of):
            theme_of[index] = f"t{book.ids[index][1:]}"
    patterns = tuple(replace(one, theme_id=theme_of[index]) for index, one in enumerate(book.patterns))
    return replace(book, patterns=patterns)


def _join_known(index: int, places: FloatArray, theme_of: dict[int, str]) -> bool:
    """Give a pattern the theme whose patterns are most like it on average, if they are alike enough."""
    known = np.array(sorted(theme_of), dtype=np.int64)
    if not len(known):
        return False
    likeness = places[known] @ places[index]
    names, group = np.unique([theme_of[one] for one in known.tolist()], return_inverse=True)
    mean = np.bincount(group, weights=likeness) / np.bincount(group)
    best = int(mean.argmax())
    if mean[best] < ALIKE_THEMES:
        return False
    theme_of[index] = str(names[best])
    return True


def _units(vectors: FloatArray) -> FloatArray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: FloatArray = np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 1e-6)
    return units
