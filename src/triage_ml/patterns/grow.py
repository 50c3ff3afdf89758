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

from triage_ml.patterns.assign import NO_PATTERN, Prototypes
from triage_ml.patterns.book import PatternBook
from triage_ml.patterns.cases import case_vectors
from triage_ml.patterns.decided import Decided, bind
from triage_ml.patterns.placing import Placed, fit_space, place, recognise
from triage_ml.patterns.refit import refit
from triage_ml.patterns.resolving import with_variants
from triage_ml.patterns.search import search
from triage_ml.patterns.splitting import split_patterns
from triage_ml.patterns.texts import KeyArray, Rare, Texts, hex_key, key_number
from triage_ml.patterns.themes import with_themes
from triage_ml.patterns.uniques import text_key

IntArray = NDArray[np.int64]

__all__ = ["Growth", "Said", "as_texts", "grow"]


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
        Shape (said,), index into `book.patterns` or -1, for each text of the run: the pattern that recognised it, which may
        go on as another one (`book.goes_on`).
    similarity
        Shape (said,), cosine to the nearest prototype, by the case where that decided, else by the text.
    claimed
        Text key -> pattern id, for rare texts of earlier runs that belong to a pattern now; empty in the first run.
    moved
        (text key, from, to) for texts that a split took from a pattern.
    """

    book: PatternBook
    pattern: NDArray[np.int64]
    similarity: NDArray[np.float32]
    claimed: Mapping[str, str]
    moved: tuple[tuple[str, str, str], ...] = ()


def grow(
    book: PatternBook | None,
    said: Sequence[Said] | Texts,
    *,
    week: str,
    min_tickets: int,
    forget_before: str = "",
    decided: Decided | None = None,
    refitted: bool = False,
    encoder: str | None = None,
    again: Mapping[str, int] | None = None,
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
    decided
        Decisions that the patterns keep to.
    refitted
        Fit the space anew on these texts before; the patterns keep their ids.
    encoder
        Name of an encoder that joins a space that is fitted in this step.
    again
        Text key -> how many tickets of `said` were counted with that text in an earlier run; they don't count twice.
    """
    with threadpool_limits(limits=1):  # products of matrices round differently with other numbers of threads
        texts = as_texts(said, week)
        start = bind(book or _empty_book(texts, encoder), decided or Decided())
        placed = place(start.space, texts)
        if refitted and book is not None:
            start, placed = refit(start, placed, encoder)
        start, moved = split_patterns(start, placed, decided or Decided(), week, min_tickets)
        pool = _pool(start, placed, _without(start.rare, again or {}, forget_before))
        grown = search(start, pool, week, min_tickets)
        pooled = recognise(grown, pool).pattern
        found = recognise(grown, placed)
        grown = with_themes(with_variants(grown, placed, found.pattern, min_tickets))
    known = pooled != NO_PATTERN
    return Growth(
        replace(grown, rare=tuple(pool.texts.at(np.flatnonzero(~known)))),
        found.pattern,
        found.similarity,
        {} if book is None else _claimed(grown, pool.texts.keys[known], pooled[known]),
        moved,
    )


def _claimed(book: PatternBook, keys: KeyArray, pattern: IntArray) -> dict[str, str]:
    """Text key -> pattern id of texts that tickets of earlier runs may have said, too."""
    return {hex_key(key): book.ids[index] for key, index in zip(keys.tolist(), pattern.tolist(), strict=True)}


def _empty_book(texts: Texts, encoder: str | None) -> PatternBook:
    space = fit_space(texts, encoder)
    nothing = case_vectors(space, space.encode([]), [], [])
    return PatternBook(space, (), Prototypes.none(space.dimensions), Prototypes.none(nothing.shape[1]))


def as_texts(said: Sequence[Said] | Texts, week: str) -> Texts:
    """What was said in a run, as texts that may wait for others."""
    if isinstance(said, Texts):
        return said.seen_in(week)
    return Texts.of([Rare(one.text, one.headline, one.example, one.tickets, week, one.label, one.note) for one in said])


def _without(rare: Sequence[Rare], again: Mapping[str, int], forget_before: str) -> list[Rare]:
    """Rare texts that still wait, without the tickets that this run counts again."""
    waiting = (
        replace(one, tickets=one.tickets - again.get(text_key(one.text), 0))
        for one in rare
        if one.seen >= forget_before
    )
    return [one for one in waiting if one.tickets > 0]


def _pool(book: PatternBook, placed: Placed, rare: Sequence[Rare]) -> Placed:
    """What no pattern explains, of this run and of earlier ones, the same text once, in the order of keys."""
    left = placed.at(np.flatnonzero(recognise(book, placed).pattern == NO_PATTERN))
    if rare:
        before = {key_number(one.text): one for one in rare}
        own = left.texts.keys.tolist()
        said = set(own)
        waited = np.array([before[key].tickets if key in before else 0 for key in own], dtype=np.int64)
        left = replace(left, texts=replace(left.texts, tickets=left.texts.tickets + waited))
        left = left.joined(place(book.space, [one for key, one in before.items() if key not in said]))
    return left.at(np.argsort(left.texts.keys, kind="stable"))
