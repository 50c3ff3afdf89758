"""What the tickets of a table say, each thing once, gathered piece by piece.

No piece's texts are kept: of a text that many tickets say, one example stays, in columns. Cleaning, redacting and masking run
in a process for each core where there is enough to do; the processes end with the gathering, and their memory with them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from joblib import Parallel, cpu_count, delayed
from joblib.externals.loky import get_reusable_executor
from numpy.typing import NDArray

from triage_ml.patterns import NO_TEXT, STEP, Coded, Strings, Texts, headline_of, key_number, same_form
from triage_ml.text import clean, mask, redact, ticket_text
from triage_ml.tickets import TicketSource, source_of

__all__ = ["Tickets", "compared_note", "gather", "masked_notes", "prepare"]

IntArray = NDArray[np.int64]
KeyArray = NDArray[np.uint64]
#: Is told how many tickets have been read, and how many there are.
Told = Callable[[int, int], None]

EXAMPLE_LENGTH = 400
#: Characters of a close note that are compared, and that are read at all.
NOTE_LENGTH, NOTE_READ = 300, 1_000
#: Fewer rows than this are not worth a second process.
MANY_ROWS = 20_000
#: Texts that wait to be joined with those seen before, at least.
WAITING = 50_000
#: The key of a ticket whose text is empty once masked.
NO_KEY = 0
#: How close notes name an article of the knowledge base.
_ARTICLE = re.compile(r"\bKB\d{4,10}\b", re.IGNORECASE)

_SAID = pa.schema(
    [
        ("key", pa.uint64()),
        *((name, pa.large_string()) for name in ("ticket_id", "text", "headline", "example", "note")),
    ]
)


@dataclass(frozen=True)
class Tickets:
    """What n tickets say.

    Attributes
    ----------
    rows
        Shape (n,), where they are in their table.
    said
        Each thing that is said once, in the order of keys.
    of_row
        Shape (n,), which of `said` each ticket says, or `NO_TEXT`.
    notes
        The masked close note of each ticket, empty where there is none.
    articles
        The knowledge article that each close note names first, or None.
    """

    rows: IntArray
    said: Texts
    of_row: IntArray
    notes: Coded
    articles: Sequence[str | None]

    @property
    def closing(self) -> Coded:
        """The close notes as they are compared."""
        return Coded(tuple(compared_note(note) for note in self.notes.names), self.notes.codes)


@dataclass(frozen=True)
class _Piece:
    """Some rows: the key of each one's text, each distinct text with the ticket that stands for it (columns of `_SAID`), and
    the masked close notes and cited articles."""

    keys: KeyArray
    said: pa.Table
    notes: Sequence[str]
    articles: Sequence[str | None]


def gather(tickets: pd.DataFrame | TicketSource, rows: IntArray | None = None, told: Told | None = None) -> Tickets:
    """What these rows (ascending, by default all) say. The ticket with the smallest id stands for those that say the same."""
    source = source_of(tickets)
    rows = np.arange(len(source)) if rows is None else rows
    said, notes = _Said(), _Names()
    keys: list[KeyArray] = []
    articles: list[str | None] = []
    for own, piece in _pieces(source, rows):
        keys.append(piece.keys)
        said.add(piece.said)
        notes.add(piece.notes)
        articles += piece.articles
        if told is not None:
            told(int(np.searchsorted(rows, own[-1])) + 1, len(rows))
    key = np.concatenate(keys) if keys else np.zeros(0, dtype=np.uint64)
    distinct, of_said, counts = np.unique(key[key != NO_KEY], return_inverse=True, return_counts=True)
    of_row = np.full(len(rows), NO_TEXT, dtype=np.int64)
    of_row[key != NO_KEY] = of_said
    label = _commonest(of_row, Coded.of(_labels(source.frame.iloc[rows])), len(distinct))
    return Tickets(rows, said.texts(distinct, counts, label), of_row, notes.coded(), articles)


def prepare(tickets: pd.DataFrame | TicketSource) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """The masked texts of a table's rows and their close notes as they are compared, a piece at a time."""
    source = source_of(tickets)
    pieces = ((frame,) for _, frame in source.pieces(np.arange(len(source))))
    yield from _on_all_cores(_masked, pieces, len(source))


def masked_notes(notes: Sequence[str]) -> list[str]:
    """Close notes as they may be shown; the same ones come up again and again, so each is masked once."""
    distinct = sorted(set(notes))
    masked = dict(zip(distinct, mask(redact([note[:NOTE_READ] for note in distinct])), strict=True))
    return [masked[note] for note in notes]


def compared_note(note: str) -> str:
    """A masked close note as it is compared."""
    return same_form(note)[:NOTE_LENGTH]


class _Said:
    """The distinct texts so far, in the order of keys, and some that wait to be joined with them."""

    def __init__(self) -> None:
        self.joined = _SAID.empty_table()
        self.waiting: list[pa.Table] = []

    def add(self, said: pa.Table) -> None:
        self.waiting.append(said)
        if sum(map(len, self.waiting)) > max(WAITING, len(self.joined)):
            self._join()

    def _join(self) -> None:
        """Of the same key, the ticket with the smallest id stays."""
        table = pa.concat_tables([self.joined, *self.waiting]).combine_chunks()
        self.waiting = []
        self.joined = _first_of_key(table)

    def texts(self, keys: KeyArray, tickets: IntArray, label: Coded) -> Texts:
        self._join()
        text, headline, example, note = (
            self.joined[name].combine_chunks() for name in ("text", "headline", "example", "note")
        )
        strings = Strings.all_of(text), Strings.all_of(headline), Strings.all_of(example)
        seen = Coded(("",), np.zeros(len(keys), dtype=np.int32))
        return Texts(strings[0], strings[1], strings[2], keys, tickets, seen, label, Coded.of_arrow(note))


def _first_of_key(table: pa.Table) -> pa.Table:
    order = pa.compute.sort_indices(table, [("key", "ascending"), ("ticket_id", "ascending")]).to_numpy()
    keys = table["key"].to_numpy()[order]
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[1:] != keys[:-1]
    return table.take(pa.array(order[first])).combine_chunks()


class _Names:
    """Strings by number as they come up."""

    def __init__(self) -> None:
        self.number = {"": 0}
        self.codes: list[NDArray[np.int32]] = []

    def add(self, strings: Sequence[str]) -> None:
        number = self.number
        self.codes.append(np.array([number.setdefault(one, len(number)) for one in strings], dtype=np.int32))

    def coded(self) -> Coded:
        codes = np.concatenate(self.codes) if self.codes else np.zeros(0, dtype=np.int32)
        return Coded(tuple(self.number), codes)


def _pieces(source: TicketSource, rows: IntArray) -> Iterator[tuple[IntArray, _Piece]]:
    """Rows and what they say, in order."""
    ids = source.frame["ticket_id"]
    pieces = ((own, frame, ids.iloc[own].tolist()) for own, frame in source.pieces(rows))
    return _on_all_cores(_with_rows, pieces, len(rows))


def _on_all_cores(work: Callable[..., Any], pieces: Iterable[tuple[Any, ...]], rows: int) -> Iterator[Any]:
    """The work on each piece, in order; the processes end with it, for they hold memory that others need."""
    if rows <= MANY_ROWS or cpu_count() == 1:
        yield from (work(*piece) for piece in pieces)
        return
    try:
        yield from Parallel(n_jobs=-1, return_as="generator", pre_dispatch="2*n_jobs")(
            delayed(work)(*piece) for piece in pieces
        )
    finally:
        get_reusable_executor().shutdown(wait=True)


def _masked(frame: pd.DataFrame) -> tuple[Sequence[str], Sequence[str]]:
    texts = [same_form(text) for text in mask(redact(clean(ticket_text(frame))))]
    return texts, [compared_note(note) for note in masked_notes(_raw_notes(frame))]


def _raw_notes(frame: pd.DataFrame) -> list[str]:
    return [_text(note) for note in frame["resolution"]] if "resolution" in frame else [""] * len(frame)


def _with_rows(rows: IntArray, frame: pd.DataFrame, ids: Sequence[str]) -> tuple[IntArray, _Piece]:
    return rows, _prepared(frame, ids)


def _prepared(frame: pd.DataFrame, ids: Sequence[str]) -> _Piece:
    readable = redact(clean(ticket_text(frame)))
    shown = mask(readable)
    titles = _masked_titles(frame)
    raw = _raw_notes(frame)
    notes = masked_notes(raw)
    said = [same_form(text) for text in shown]
    key_of = {text: key_number(text) for text in set(said) if text}
    keys = np.array([key_of.get(text, NO_KEY) for text in said], dtype=np.uint64)
    speaker: dict[str, int] = {}
    for place in sorted(range(len(said)), key=ids.__getitem__):
        if said[place]:
            speaker.setdefault(said[place], place)
    chosen = list(speaker.values())
    table = pa.table(
        [
            pa.array([key_of[text] for text in speaker], type=pa.uint64()),
            pa.array([ids[place] for place in chosen], type=pa.large_string()),
            pa.array(list(speaker), type=pa.large_string()),
            pa.array([headline_of(titles[place], shown[place]) for place in chosen], type=pa.large_string()),
            pa.array([readable[place][:EXAMPLE_LENGTH] for place in chosen], type=pa.large_string()),
            pa.array([compared_note(notes[place]) for place in chosen], type=pa.large_string()),
        ],
        schema=_SAID,
    )
    return _Piece(keys, table, notes, [_cited(note) for note in raw])


def _masked_titles(frame: pd.DataFrame) -> list[str]:
    """Titles, redacted and masked; many are the same."""
    titles = [_text(title) for title in frame["title"]] if "title" in frame else [""] * len(frame)
    distinct = sorted(set(titles))
    masked = dict(zip(distinct, mask(redact(distinct)), strict=True))
    return [masked[title] for title in titles]


def _cited(note: str) -> str | None:
    """The knowledge article that a close note names first."""
    found = _ARTICLE.search(note) if note else None
    return found[0].upper() if found else None


def _labels(frame: pd.DataFrame) -> list[str]:
    """Category, subcategory and type of each ticket as one path; empty where it has no category.

    A request and an incident about the same thing are put alike, and are resolved in different ways.
    """
    columns = [
        frame[name].astype("string").fillna("").tolist() if name in frame else [""] * len(frame)
        for name in ("category", "subcategory", "ticket_type")
    ]
    return [STEP.join(filter(None, path)) if path[0] else "" for path in zip(*columns, strict=True)]


def _commonest(of_row: IntArray, label: Coded, texts: int) -> Coded:
    """The commonest label of each text, the first by name of equally common ones; empty where there is none."""
    rows = (of_row != NO_TEXT) & label.is_said
    pairs, counts = np.unique(of_row[rows] * len(label.names) + label.codes[rows], return_counts=True)
    text, code = np.divmod(pairs, len(label.names))
    order = np.lexsort((code, -counts, text))
    first, where = np.unique(text[order], return_index=True)
    codes = np.zeros(texts, dtype=np.int32)
    codes[first] = code[order][where]
    return Coded(label.names, codes)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
