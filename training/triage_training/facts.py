"""Facts of tickets: what the store keeps of them, without text, and a digest that says whether a ticket is as it was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.patterns import NO_TEXT, hex_key
from triage_ml.tickets import TicketSource, hash_strings
from triage_training.gathering import Tickets

__all__ = ["SLA_COLUMNS", "absent_facts", "fact_rows", "row_digests", "same_digest"]

#: Tickets whose facts are held at a time.
PIECE = 10_000

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


def row_digests(source: TicketSource, frame: pd.DataFrame) -> list[str]:
    """A digest of each ticket's text, time and facts, and of how it was closed: see `same_digest`.

    `frame` is the source's with all facts that are known.
    """
    filed = _digests(source, frame, _DIGESTED)
    closed = _digests(source, frame, _CLOSING) if "resolution" in source.hashes else [_NOT_SAID] * len(frame)
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


def _digests(source: TicketSource, frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """32 bits of these columns, in hex; a column that is not there is empty."""
    empty = hash_strings(pd.Series([""]))[0]
    # As pandas joins the hashes of columns in `hash_pandas_object`.
    total, factor = np.full(len(frame), 0x345678, dtype=np.uint64), 1_000_003
    for place, name in enumerate(columns):
        said = source.hashes.get(name)
        if said is None:
            said = hash_strings(frame[name]) if name in frame else empty
        total = (total ^ said) * np.uint64(factor)
        factor += 82_520 + 2 * (len(columns) - place)
    total += np.uint64(97_531)
    return [f"{value:08x}" for value in (total >> np.uint64(32)).tolist()]


def fact_rows(
    frame: pd.DataFrame,
    tickets: Tickets,
    pattern_ids: Sequence[str | None],
    similarity: NDArray[np.float32],
    variant_ids: Sequence[str | None],
) -> Iterator[dict[str, Any]]:
    """Facts of n tickets for the store.

    Parameters
    ----------
    frame
        The tickets, with the columns `week` and `digest` beside those of a ticket table.
    tickets
        What they say.
    pattern_ids, similarity
        Pattern and cosine of each thing that is said.
    variant_ids
        Variant of each ticket, shape (n,).
    """
    for start in range(0, len(frame), PIECE):
        piece = frame.iloc[start : start + PIECE]
        columns = {name: _or_none(piece, column, kind) for name, (column, kind) in _FACTS.items()}
        columns["article"] = list(tickets.articles[start : start + PIECE])
        columns["sla_met"] = _sla_met(piece)
        columns["variant_id"] = list(variant_ids[start : start + PIECE])
        names = tuple(columns)
        said = tickets.of_row[start : start + PIECE].tolist()
        for place, values in zip(said, zip(*columns.values(), strict=True), strict=True):
            row = dict(zip(names, values, strict=True))
            known = place != NO_TEXT
            row["text_key"] = hex_key(int(tickets.said.keys[place])) if known else None
            row["pattern_id"] = pattern_ids[place] if known else None
            row["similarity"] = round(float(similarity[place]), 4) if known else None
            yield row


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
