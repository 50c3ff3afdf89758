"""A ticket table -> what mining needs of it: texts as people may see them, masked texts, and facts without text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.patterns import NO_TEXT, STEP, Said, Uniques, collapse, headline_of
from triage_ml.text import clean, mask, redact, ticket_text

__all__ = ["Texts", "fact_rows", "prepare", "row_digests", "say"]

EXAMPLE_LENGTH = 400
#: Characters of a close note that are compared.
NOTE_LENGTH = 300
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
_DIGESTED = ("title", "description", "opened_at", *(column for column, _ in _FACTS.values() if column != "digest"))


@dataclass(frozen=True)
class Texts:
    """Texts of n tickets, in the order of the table: `readable` is clean and redacted, `masked` is masked as well."""

    readable: Sequence[str]
    masked: Sequence[str]


def prepare(frame: pd.DataFrame) -> Texts:
    """Clean, redact and mask the text of every ticket."""
    readable = redact(clean(ticket_text(frame)))
    return Texts(readable, mask(readable))


def say(frame: pd.DataFrame, texts: Texts) -> tuple[Uniques, list[Said]]:
    """What the tickets say, each thing once. The ticket with the smallest id stands for those that say the same."""
    uniques = collapse(texts.masked)
    ids = frame["ticket_id"].tolist()
    speaker = _first_of_each(uniques, ids)
    titles = _masked_once([_text(title) for title in frame["title"].iloc[speaker]])
    labels = _commonest_of_each(uniques, _labels(frame))
    notes = _notes(frame, speaker)
    said = [
        Said(
            text, headline_of(title, texts.masked[row]), texts.readable[row][:EXAMPLE_LENGTH], int(weight), label, note
        )
        for text, title, row, weight, label, note in zip(
            uniques.texts, titles, speaker, uniques.weights, labels, notes, strict=True
        )
    ]
    return uniques, said


def row_digests(frame: pd.DataFrame) -> list[str]:
    """A digest of each ticket's text, time and facts: another one means that the ticket has changed."""
    columns = [name for name in _DIGESTED if name in frame]
    hashes = pd.util.hash_pandas_object(frame[columns].astype("string").fillna(""), index=False)
    return [f"{value:016x}" for value in hashes.tolist()]


def fact_rows(
    frame: pd.DataFrame, uniques: Uniques, pattern_ids: Sequence[str | None], similarity: NDArray[np.float32]
) -> list[dict[str, Any]]:
    """Facts of n tickets for the store.

    Parameters
    ----------
    frame
        Tickets with the columns `week` and `digest` beside those of a ticket table.
    pattern_ids, similarity
        Pattern and cosine of each unique, shape (uniques,).
    """
    columns = {name: _or_none(frame, column, kind) for name, (column, kind) in _FACTS.items()}
    articles = _or_none(frame, "resolution", str)
    rows = []
    for index, unique in enumerate(uniques.of_row.tolist()):
        row = {name: values[index] for name, values in columns.items()}
        row["article"] = _cited(articles[index])
        row |= dict.fromkeys(("text_key", "pattern_id", "similarity"))
        if unique != NO_TEXT:
            row["text_key"] = uniques.keys[unique]
            row["pattern_id"] = pattern_ids[unique]
            row["similarity"] = round(float(similarity[unique]), 4)
        rows.append(row)
    return rows


def _cited(note: str | None) -> str | None:
    """The knowledge article that a close note names first."""
    found = _ARTICLE.search(note) if note else None
    return found[0].upper() if found else None


def _or_none(frame: pd.DataFrame, column: str, kind: type[str] | type[float]) -> list[Any]:
    if column not in frame:
        return [None] * len(frame)
    return [
        None if missing else kind(value) for value, missing in zip(frame[column], frame[column].isna(), strict=True)
    ]


def _masked_once(titles: Sequence[str]) -> list[str]:
    """Titles, redacted and masked; many are the same."""
    distinct = sorted(set(titles))
    masked = dict(zip(distinct, mask(redact(distinct)), strict=True))
    return [masked[title] for title in titles]


def _labels(frame: pd.DataFrame) -> list[str | None]:
    """Category and subcategory of each ticket as one path; None where it has no category."""
    paths = zip(_or_none(frame, "category", str), _or_none(frame, "subcategory", str), strict=True)
    return [STEP.join(filter(None, path)) if path[0] else None for path in paths]


def _notes(frame: pd.DataFrame, rows: Sequence[int]) -> list[str]:
    """Close notes of some rows as patterns compare them."""
    if "resolution" not in frame:
        return [""] * len(rows)
    notes = [_text(note)[:NOTE_LENGTH] for note in frame["resolution"].iloc[list(rows)]]
    return [" ".join(note.casefold().split()) for note in _masked_once(notes)]


def _first_of_each(uniques: Uniques, ids: Sequence[str]) -> list[int]:
    """Row of the ticket with the smallest id for each unique."""
    speaker = [-1] * len(uniques)
    for row, unique in enumerate(uniques.of_row.tolist()):
        if unique != NO_TEXT and (speaker[unique] < 0 or ids[row] < ids[speaker[unique]]):
            speaker[unique] = row
    return speaker


def _commonest_of_each(uniques: Uniques, labels: Sequence[str | None]) -> list[str]:
    """The label that most tickets of each unique carry; an empty string where none does."""
    counts: list[Counter[str]] = [Counter() for _ in range(len(uniques))]
    for unique, label in zip(uniques.of_row.tolist(), labels, strict=True):
        if unique != NO_TEXT and label:
            counts[unique][label] += 1
    return [min(count, key=lambda label: (-count[label], label), default="") for count in counts]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
