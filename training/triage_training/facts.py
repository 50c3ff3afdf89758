"""A ticket table -> what mining needs of it: what tickets say, once each, and facts without text.

Tables are read in pieces, and no piece's texts are kept: of a text that many tickets say, one example stays. Cleaning,
redacting and masking run on all cores where there is enough to do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, cpu_count, delayed
from numpy.typing import NDArray

from triage_ml.patterns import NO_TEXT, STEP, Said, Uniques, collapse, headline_of, same_form
from triage_ml.text import clean, mask, redact, ticket_text

__all__ = [
    "PIECE",
    "Notes",
    "Tickets",
    "absent_facts",
    "closing_notes",
    "fact_rows",
    "gather",
    "masked_notes",
    "prepare",
    "row_digests",
    "same_digest",
    "say",
]

EXAMPLE_LENGTH = 400
#: Characters of a close note that are compared, and that are read at all.
NOTE_LENGTH, NOTE_READ = 300, 1_000
#: Tickets that are prepared at a time; fewer than two pieces are not worth a second process.
PIECE = 10_000
#: How close notes name an article of the knowledge base.
_ARTICLE = re.compile(r"\bKB\d{4,10}\b", re.IGNORECASE)

#: Fact -> column of the ticket table, and its type.
_FACTS: dict[str, tuple[str, type[str] | type[float]]] = {
    **{name: (name, str) for name in ("ticket_id", "week", "digest")},
    **{name: (name, str) for name in ("tier", "category", "assignment_group", "ticket_type", "channel")},
    **{name: (name, str) for name in ("priority", "activity")},
    "effort_minutes": ("effort_minutes", float),
    "handoffs": ("reassignment_count", float),
    "reopens": ("reopen_count", float),
}
#: Columns that say whether a ticket kept its service level, and whether a yes there means that it did.
SLA_COLUMNS = {"sla_met": True, "made_sla": True, "sla_breached": False, "has_breached": False}
_YES, _NO = frozenset({"true", "1", "1.0", "yes", "y", "met"}), frozenset({"false", "0", "0.0", "no", "n", "breached"})
_DIGESTED = (
    "title",
    "description",
    "opened_at",
    *(column for column, _ in _FACTS.values() if column != "digest"),
    *SLA_COLUMNS,
)
#: What is written when a ticket is closed has a digest of its own: many tables come without it.
_CLOSING = ("resolution", "subcategory")
_NOT_SAID = "-" * 8

#: Close note as it was written -> masked.
Notes = dict[str, str]


@dataclass(frozen=True)
class Tickets:
    """What n tickets say: each thing once in `said`, in the order of `uniques`, and the masked close notes."""

    uniques: Uniques
    said: Sequence[Said]
    notes: Notes


@dataclass(frozen=True)
class _Piece:
    """Prepared texts of some rows: `masked`, and what a text looks like to people: headline and example."""

    masked: Sequence[str]
    headlines: Sequence[str]
    examples: Sequence[str]
    notes: Notes


def gather(frame: pd.DataFrame) -> Tickets:
    """What the tickets say. The ticket with the smallest id stands for those that say the same."""
    seen = _Seen()
    for start, piece in _pieces(frame):
        seen.add(frame.iloc[start : start + PIECE], piece)
    return seen.tickets()


def prepare(frame: pd.DataFrame) -> Sequence[str]:
    """The masked text of every ticket."""
    return [
        text
        for _, piece in _pieces(frame[[name for name in ("title", "description") if name in frame]])
        for text in piece.masked
    ]


def closing_notes(frame: pd.DataFrame, notes: Notes) -> list[str]:
    """The close note of each ticket as it is compared, masked by `notes`; empty where there is none."""
    return [same_form(notes.get(note, ""))[:NOTE_LENGTH] if note else "" for note in _or_none(frame, "resolution", str)]


def say(frame: pd.DataFrame) -> tuple[Uniques, Sequence[Said]]:
    """Uniques, and what the tickets say in their order."""
    tickets = gather(frame)
    return tickets.uniques, tickets.said


def masked_notes(notes: Sequence[str], known: Notes) -> list[str]:
    """Close notes as they may be shown; the same ones come up week after week, so they are kept in `known`."""
    fresh = sorted({note for note in notes if note not in known})
    known.update(zip(fresh, mask(redact([note[:NOTE_READ] for note in fresh])), strict=True))
    return [known[note] for note in notes]


def known_notes(frame: pd.DataFrame) -> Notes:
    """The close notes of a table, masked."""
    notes: Notes = {}
    if "resolution" in frame:
        masked_notes(frame["resolution"].dropna().tolist(), notes)
    return notes


def row_digests(frame: pd.DataFrame) -> list[str]:
    """A digest of each ticket's text, time and facts, and of how it was closed: see `same_digest`."""
    filed = _digests(frame, _DIGESTED)
    closed = _digests(frame, _CLOSING) if "resolution" in frame else [_NOT_SAID] * len(frame)
    return [one + other for one, other in zip(filed, closed, strict=True)]


def same_digest(known: str | None, own: str) -> bool:
    """Whether a ticket is as it was known; a table without close notes does not say that there are none."""
    if known is None or own[:8] != known[:8]:
        return False
    return own[8:] in (known[8:], _NOT_SAID)


def absent_facts(frame: pd.DataFrame) -> dict[str, str]:
    """Fact -> column, for the facts that a table says nothing about."""
    absent = {fact: column for fact, (column, _) in _FACTS.items() if column not in frame}
    if not any(column in frame for column in SLA_COLUMNS):
        absent["sla_met"] = "sla_met"
    return {fact: column for fact, column in absent.items() if fact not in ("ticket_id", "week", "digest")}


def _digests(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """32 bits of these columns, in hex; a column that is not there is empty."""
    there = frame.reindex(columns=list(columns)).astype("string").fillna("")
    hashes = pd.util.hash_pandas_object(there, index=False).to_numpy(dtype=np.uint64)
    return [f"{value:08x}" for value in (hashes >> np.uint64(32)).tolist()]


def fact_rows(
    frame: pd.DataFrame,
    uniques: Uniques,
    pattern_ids: Sequence[str | None],
    similarity: NDArray[np.float32],
    variant_ids: Sequence[str | None],
) -> Iterator[dict[str, Any]]:
    """Facts of n tickets for the store.

    Parameters
    ----------
    frame
        Tickets with the columns `week` and `digest` beside those of a ticket table.
    pattern_ids, similarity
        Pattern and cosine of each unique, shape (uniques,).
    variant_ids
        Variant of each ticket, shape (n,).
    """
    for start in range(0, len(frame), PIECE):
        piece = frame.iloc[start : start + PIECE]
        columns = {name: _or_none(piece, column, kind) for name, (column, kind) in _FACTS.items()}
        columns["article"] = [_cited(note) for note in _or_none(piece, "resolution", str)]
        columns["sla_met"] = _sla_met(piece)
        of_row = uniques.of_row[start : start + PIECE].tolist()
        columns["variant_id"] = list(variant_ids[start : start + PIECE])
        names = tuple(columns)
        for unique, values in zip(of_row, zip(*columns.values(), strict=True), strict=True):
            row = dict(zip(names, values, strict=True))
            known = unique != NO_TEXT
            row["text_key"] = uniques.keys[unique] if known else None
            row["pattern_id"] = pattern_ids[unique] if known else None
            row["similarity"] = round(float(similarity[unique]), 4) if known else None
            yield row


class _Seen:
    """What was said so far: text -> its place, and for each place the ticket that stands for it."""

    def __init__(self) -> None:
        self.place: dict[str, int] = {}
        self.speakers: list[tuple[str, str, str, str]] = []
        self.labels: list[Counter[str]] = []
        self.of_row: list[int] = []
        self.notes: Notes = {}

    def add(self, frame: pd.DataFrame, piece: _Piece) -> None:
        self.notes.update(piece.notes)
        notes = [self.notes.get(note, "") if note else "" for note in _or_none(frame, "resolution", str)]
        rows = zip(
            piece.masked,
            frame["ticket_id"].tolist(),
            piece.headlines,
            piece.examples,
            notes,
            _labels(frame),
            strict=True,
        )
        for text, ticket_id, headline, example, note, label in rows:
            self.of_row.append(self._place(text, (ticket_id, headline, example, note), label))

    def _place(self, text: str, speaker: tuple[str, str, str, str], label: str | None) -> int:
        if not text:
            return NO_TEXT
        place = self.place.setdefault(text, len(self.speakers))
        if place == len(self.speakers):
            self.speakers.append(speaker)
            self.labels.append(Counter())
        elif speaker[0] < self.speakers[place][0]:
            self.speakers[place] = speaker
        if label:
            self.labels[place][label] += 1
        return place

    def tickets(self) -> Tickets:
        """In the order of the texts' keys, so that the order of the rows is forgotten."""
        texts = list(self.place)
        uniques, order = collapse_places(texts, self.of_row)
        said = []
        for place, text, tickets in zip(order, uniques.texts, uniques.weights.tolist(), strict=True):
            _, headline, example, note = self.speakers[place]
            compared = same_form(note)[:NOTE_LENGTH]
            said.append(Said(text, headline, example, tickets, _commonest(self.labels[place]), compared))
        return Tickets(uniques, said, self.notes)


def collapse_places(texts: Sequence[str], of_row: Sequence[int]) -> tuple[Uniques, Sequence[int]]:
    """Uniques of texts that are distinct already, and the place in `texts` of each."""
    uniques = collapse(texts)
    to_unique = np.append(uniques.of_row, NO_TEXT)  # the last is for rows without a text
    rows = to_unique[np.array(of_row, dtype=np.int64)]
    weights = np.bincount(rows[rows >= 0], minlength=len(uniques)).astype(np.int64)
    order = np.empty(len(uniques), dtype=np.int64)
    order[uniques.of_row] = np.arange(len(texts))
    return Uniques(uniques.texts, uniques.keys, weights, rows), order.tolist()


def _pieces(frame: pd.DataFrame) -> Iterator[tuple[int, _Piece]]:
    """First row and prepared texts of each piece, in order; on all cores where there are several pieces."""
    columns = [name for name in ("title", "description", "resolution") if name in frame]
    starts = range(0, len(frame), PIECE)
    pieces = (frame[columns].iloc[start : start + PIECE] for start in starts)
    if len(starts) < 3 or cpu_count() == 1:
        yield from zip(starts, map(_prepare_piece, pieces), strict=True)
        return
    run = Parallel(n_jobs=-1, return_as="generator", pre_dispatch="2*n_jobs")
    yield from zip(starts, run(delayed(_prepare_piece)(piece) for piece in pieces), strict=True)


def _prepare_piece(frame: pd.DataFrame) -> _Piece:
    readable = redact(clean(ticket_text(frame)))
    shown = mask(readable)
    titles = _masked_titles([_text(title) for title in frame["title"]] if "title" in frame else [""] * len(frame))
    notes: Notes = {}
    if "resolution" in frame:
        masked_notes(frame["resolution"].dropna().tolist(), notes)
    headlines = [headline_of(title, text) for title, text in zip(titles, shown, strict=True)]
    examples = [text[:EXAMPLE_LENGTH] for text in readable]
    return _Piece([same_form(text) for text in shown], headlines, examples, notes)


def _cited(note: str | None) -> str | None:
    """The knowledge article that a close note names first."""
    found = _ARTICLE.search(note) if note else None
    return found[0].upper() if found else None


def _sla_met(frame: pd.DataFrame) -> list[bool | None]:
    """Whether each ticket kept its service level, by the first of `SLA_COLUMNS` that is there; None where it is not said."""
    name = next((column for column in SLA_COLUMNS if column in frame), None)
    if name is None:
        return [None] * len(frame)
    said = {**dict.fromkeys(_YES, SLA_COLUMNS[name]), **dict.fromkeys(_NO, not SLA_COLUMNS[name])}
    return [said.get(str(value).strip().casefold()) for value in frame[name]]


def _or_none(frame: pd.DataFrame, column: str, kind: type[str] | type[float]) -> list[Any]:
    if column not in frame:
        return [None] * len(frame)
    values = frame[column]
    return [
        None if missing else kind(value) for value, missing in zip(values.tolist(), values.isna().tolist(), strict=True)
    ]


def _masked_titles(titles: Sequence[str]) -> list[str]:
    """Titles, redacted and masked; many are the same."""
    distinct = sorted(set(titles))
    masked = dict(zip(distinct, mask(redact(distinct)), strict=True))
    return [masked[title] for title in titles]


def _labels(frame: pd.DataFrame) -> list[str | None]:
    """Category, subcategory and type of each ticket as one path; None where it has no category.

    A request and an incident about the same thing are put alike, and are resolved in different ways.
    """
    paths = zip(*(_or_none(frame, name, str) for name in ("category", "subcategory", "ticket_type")), strict=True)
    return [STEP.join(filter(None, path)) if path[0] else None for path in paths]


def _commonest(count: Counter[str]) -> str:
    """The commonest label; an empty string where there is none."""
    return min(count, key=lambda label: (-count[label], label), default="")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
