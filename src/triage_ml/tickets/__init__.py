"""The ticket table: its columns, and how to read and write it."""

from triage_ml.tickets.checks import check_table
from triage_ml.tickets.columns import COLUMNS, KNOWN_AFTER_TRIAGE, TEXT_COLUMNS, Column
from triage_ml.tickets.formats import format_of
from triage_ml.tickets.read import read_tickets
from triage_ml.tickets.source import LONG_TEXTS, TicketSource, hash_strings, open_tickets, source_of
from triage_ml.tickets.stream import TicketChunk, stream_tickets
from triage_ml.tickets.write import write_tickets

__all__ = [
    "COLUMNS",
    "KNOWN_AFTER_TRIAGE",
    "LONG_TEXTS",
    "TEXT_COLUMNS",
    "Column",
    "TicketChunk",
    "TicketSource",
    "check_table",
    "format_of",
    "hash_strings",
    "open_tickets",
    "read_tickets",
    "source_of",
    "stream_tickets",
    "write_tickets",
]
