"""What people decided about patterns binds every later run: merge (must be one), split (must not), rename.

A merge changes no prototype: tickets are still recognised by the pattern that founded it, and counted for the one that goes
on. So a merge that is undone leaves everything as it was. A split is made once, with the texts at hand; undone, its parts are
merged into the pattern that they came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations

from triage_ml.patterns.book import Bound, PatternBook

__all__ = ["Decided", "Event", "Split", "bind", "events_between", "has_open_split", "keeps_to"]


@dataclass(frozen=True)
class Split:
    """A pattern that is not one thing. `key` names the decision; `apart` are examples (redacted) that are something else,
    none where people did not say which."""

    key: str
    pattern_id: str
    apart: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decided:
    """Decisions in force: merges (pattern, into), oldest first, titles by pattern, and splits."""

    merges: tuple[tuple[str, str], ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    splits: tuple[Split, ...] = ()


@dataclass(frozen=True)
class Event:
    """What happened to a pattern; `other` is the pattern that it was merged into, or split from."""

    pattern_id: str
    event: str
    other: str | None = None


def bind(book: PatternBook, decided: Decided) -> PatternBook:
    """The book under these decisions; decisions on patterns that it does not know are left out."""
    known = set(book.ids)
    in_force = {split.key for split in decided.splits}
    parent = {one.pattern_id: one.parent for one in book.patterns}
    undone = [
        (child, parent[child])
        for key, children in book.bound.splits.items()
        if key not in in_force
        for child in children
    ]
    merges = [(one, into) for one, into in (*undone, *decided.merges) if one in known and into in known]
    apart = [
        (one, other)
        for key, children in book.bound.splits.items()
        if key in in_force and children
        for one, other in combinations((parent[children[0]], *children), 2)
    ]
    titles = {one: title for one, title in decided.titles.items() if one in known}
    return replace(book, bound=Bound(_roots(merges), titles, book.bound.splits, tuple(apart)))


def keeps_to(book: PatternBook, decided: Decided) -> bool:
    """Whether a book keeps to these decisions already: each split was tried, and binding it once more changes nothing."""
    return not has_open_split(book, decided) and bind(book, decided).bound == book.bound


def has_open_split(book: PatternBook, decided: Decided) -> bool:
    """Whether a pattern that is not one thing was not tried to be split yet."""
    return any(one.pattern_id in book.ids and one.key not in book.bound.splits for one in decided.splits)


def events_between(before: PatternBook | None, after: PatternBook) -> list[Event]:
    """What happened to patterns from one book to the next, in the order of the patterns."""
    old = Bound() if before is None else before.bound
    known = set() if before is None else set(before.ids)
    events = []
    for pattern in after.patterns:
        one = pattern.pattern_id
        if one not in known and pattern.parent:
            events += [Event(one, "split_from", pattern.parent), Event(pattern.parent, "split", one)]
        elif one not in known:
            events.append(Event(one, "found"))
        was, now = old.merged.get(one), after.bound.merged.get(one)
        if was and was != now:
            events.append(Event(one, "unmerged", was))
        if now and was != now:
            events.append(Event(one, "rejoined" if now == pattern.parent else "merged", now))
    if before is not None and before.space.version != after.space.version:
        events += [Event(one, "refitted") for one in before.ids]
    return events


def _roots(merges: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Each merged pattern -> the one that goes on; a merge that would close a circle is left out."""
    into: dict[str, str] = {}

    def root(one: str) -> str:
        while one in into:
            one = into[one]
        return one

    for one, other in merges:
        into.pop(one, None)
        if root(other) != one:
            into[one] = other
    return {one: root(one) for one in into}
