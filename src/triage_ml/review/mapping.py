"""The map of a week's patterns, from its list and the book of patterns."""

from __future__ import annotations

from functools import lru_cache
from weakref import ref

from triage_ml.patterns import MapPoint, PatternBook, pattern_map
from triage_ml.review.weeks import ReviewedWeek

__all__ = ["week_map"]

#: Patterns on the map; more of them are specks, and the last ones of a list are worth little.
MAPPED = 120


def week_map(report: ReviewedWeek, book: PatternBook | None) -> str | None:
    """An SVG of the first patterns of the list with the tickets of the week and the hours a week that they take; None where
    there is nothing to draw. Titles are escaped in it."""
    points = tuple(
        MapPoint(one["pattern_id"], one["title"], int(one["volume"]), float(one["work"]["p50"]))
        for one in report.candidates[:MAPPED]
    )
    if book is None or not {point.pattern_id for point in points} & set(book.ids):
        return None
    return _drawn(_Drawable(book), points)


class _Drawable:
    """A book that is known by its object: books don't change, and a page is asked for more often than one is made.

    The cache does not keep it, for a book holds files mapped.
    """

    def __init__(self, book: PatternBook) -> None:
        self._book = ref(book)
        self._hash = id(book)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Drawable) and other._book() is self._book()

    def drawn(self, points: tuple[MapPoint, ...]) -> str:
        if (book := self._book()) is None:
            raise ReferenceError("Whoever asks for its map has the book.")
        return pattern_map(book, points)


@lru_cache(maxsize=4)
def _drawn(drawable: _Drawable, points: tuple[MapPoint, ...]) -> str:
    return drawable.drawn(points)
