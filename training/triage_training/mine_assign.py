"""What mining knows already, looked at without changing it: the pattern of every ticket, and what a reorganisation would do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd

from triage_ml.errors import InputError
from triage_ml.patterns import Coded, PatternBook, load_book, propose
from triage_ml.settings import Settings
from triage_ml.store import Proposal, latest_book, open_store, put_proposals
from triage_ml.tickets import TicketSource, source_of
from triage_training.gathering import gather, prepare

__all__ = ["assignments", "reorganise"]


def reorganise(
    tickets: pd.DataFrame | TicketSource, settings: Settings, *, now: datetime | None = None
) -> list[Proposal]:
    """Merges and splits to decide on, looked at by these tickets; kept in the store until the next time.

    Raises
    ------
    InputError
        Nothing has been mined yet.
    """
    book = _book(settings)
    if book is None:
        raise InputError("No week has been mined yet.", hint="Run: triage mine TICKETS")
    found = propose(book, gather(tickets).said, week="", min_tickets=settings.patterns.min_tickets)
    proposals = [
        Proposal(
            one.action,
            one.pattern_id,
            one.other,
            one.likeness,
            {"parts": [{"tickets": count, "examples": list(examples)} for count, examples in one.parts]},
        )
        for one in found
    ]
    store = open_store(settings.store_url)
    try:
        with store.begin() as connection:
            put_proposals(connection, proposals, now=now or datetime.now(UTC))
    finally:
        store.close()
    return proposals


def assignments(tickets: pd.DataFrame | TicketSource, settings: Settings) -> pd.DataFrame:
    """`ticket_id, pattern_id, variant_id, theme_id` for every row, by the patterns known now; missing where none fits.

    The pattern is what a filed ticket would be given, by its text. The variant is by the close note where there is one, else by
    the text where that tells it.
    """
    source, book = source_of(tickets), _book(settings)
    columns: dict[str, list[str | None]] = {name: [] for name in ("pattern_id", "variant_id", "theme_id")}
    if book is None:
        columns = {name: [None] * len(source) for name in columns}
    else:
        for texts, notes in prepare(source):
            _assign(book, texts, notes, columns)
    table = {name: pd.Series(values, dtype="string") for name, values in columns.items()}
    return pd.DataFrame({"ticket_id": source.frame["ticket_id"]} | table)


def _assign(
    book: PatternBook, texts: Sequence[str], notes: Sequence[str], columns: dict[str, list[str | None]]
) -> None:
    founder, by_text = book.assign_filed(texts)
    by_note = book.variants_by_note(founder, Coded.of(notes))
    now = book.goes_on_as(founder).tolist()
    columns["pattern_id"] += [book.ids[one] if one >= 0 else None for one in now]
    columns["variant_id"] += [own if note else text for own, text, note in zip(by_note, by_text, notes, strict=True)]
    columns["theme_id"] += [book.patterns[one].theme_id or None if one >= 0 else None for one in now]


def _book(settings: Settings) -> PatternBook | None:
    """The patterns known now."""
    store = open_store(settings.store_url)
    try:
        with store.read() as connection:
            digest = latest_book(connection)
    finally:
        store.close()
    return None if digest is None else load_book(settings.paths.bundles, digest)
