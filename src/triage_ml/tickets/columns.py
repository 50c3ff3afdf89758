"""The ticket table: one row a ticket, and what each column means.

Text is kept as it was filed. Labels are strings. Missing is missing (`pandas.NA` / NaN), never an empty string.
Columns that are not listed here are carried along as strings under their own names and may be targets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["COLUMNS", "KNOWN_AFTER_TRIAGE", "TEXT_COLUMNS", "Column"]

Kind = Literal["text", "label", "id", "time", "number", "count"]


@dataclass(frozen=True)
class Column:
    """A column of the ticket table: its name, what it holds, and whether it is known when the ticket is filed."""

    name: str
    kind: Kind
    note: str
    as_filed: bool = True


COLUMNS = (
    Column("ticket_id", "id", "unique; `row-<n>` where no column is mapped to it"),
    Column("opened_at", "time", "UTC; needed for splits by time, weekly lists and reports"),
    Column("title", "text", "as filed; title or description must not be empty"),
    Column("description", "text", "as filed"),
    Column("resolved_at", "time", "UTC", as_filed=False),
    Column("resolution", "text", "close notes; for mining only", as_filed=False),
    Column("tier", "label", "who resolved it; follows from the group by the taxonomy where missing", as_filed=False),
    Column("category", "label", "", as_filed=False),
    Column("subcategory", "label", "", as_filed=False),
    Column("assignment_group", "label", "the group that resolved it", as_filed=False),
    Column("ticket_type", "label", "incident, request, problem or change"),
    Column("activity", "label", "corrective, preventive, perfective or adaptive (ISO/IEC 14764)", as_filed=False),
    Column("priority", "label", ""),
    Column("channel", "label", "email, portal, chat, phone, monitoring"),
    Column("configuration_item", "label", ""),
    Column("requester_id", "label", "hashed at import"),
    Column(
        "effort_minutes", "number", "touch time: minutes a person worked on it, never open to close", as_filed=False
    ),
    Column("reassignment_count", "count", "", as_filed=False),
    Column("reopen_count", "count", "", as_filed=False),
)

TEXT_COLUMNS = ("title", "description")

#: Columns that may never be a feature: they are filled in after triage.
KNOWN_AFTER_TRIAGE = tuple(column.name for column in COLUMNS if not column.as_filed)
