"""The ticket table: its columns, and how to read and write it."""

from triage_ml.tickets.checks import check_table
from triage_ml.tickets.columns import COLUMNS, KNOWN_AFTER_TRIAGE, TEXT_COLUMNS, Column
from triage_ml.tickets.formats import format_of
from triage_ml.tickets.read import read_tickets
from triage_ml.tickets.stream import TicketChunk, stream_tickets
from triage_ml.tickets.write import write_tickets

__all__ = [
    "COLUMNS",
    "KNOWN_AFTER_TRIAGE",
    "TEXT_COLUMNS",
    "Column",
    "TicketChunk",
    "check_table",
    "format_of",
    "read_tickets",
    "stream_tickets",
    "write_tickets",
]
