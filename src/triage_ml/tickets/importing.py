"""Any export -> the ticket table, with an account of every row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from triage_ml.errors import InputError
from triage_ml.taxonomy import Taxonomy
from triage_ml.tickets.checks import check_table
from triage_ml.tickets.dtypes import STRING
from triage_ml.tickets.groups import apply_taxonomy
from triage_ml.tickets.raw import Raw
from triage_ml.tickets.requesters import hash_requesters
from triage_ml.tickets.table import Table, build_table
from triage_ml.tickets.times import DateOrder

__all__ = ["Imported", "import_tickets"]


@dataclass(frozen=True)
class Imported:
    """The ticket table and what became of the rows that are not in it.

    Parameters
    ----------
    frame
        The ticket table; it passes `check_table`.
    aside
        Rows that are not in it, whole, with `import_file`, `import_row`, `import_reason` and, for rows that could not even
        be taken apart, `import_line`.
    rows
        How many were read. `rows == len(frame) + unusable + superseded`.
    unusable, superseded
        Rows without text, id or time, or that can't be read; earlier deliveries of a ticket that comes again.
    matched
        Canonical name -> their name.
    others
        Columns that are carried along.
    notes
        What a reader should know.
    """

    frame: pd.DataFrame
    aside: pd.DataFrame
    rows: int
    unusable: int
    superseded: int
    matched: Mapping[str, str]
    others: tuple[str, ...]
    notes: tuple[str, ...]


def import_tickets(
    raw: Raw,
    source: str,
    *,
    mapping: Mapping[str, str],
    timezone: str,
    taxonomy: Taxonomy,
    hashed: Callable[[str], str],
    order: DateOrder | None = None,
) -> Imported:
    """Build the table from what was read.

    Of two rows with the same `ticket_id` the later one in the file is the newer delivery, and stays.

    Raises
    ------
    InputError
        No row can be used, a tier is not in the taxonomy, or any error of `build_table`.
    """
    if raw.refused and raw.frame.empty:
        first = raw.refused[0]
        raise InputError(
            f"{first.file}, row {first.row}: {first.reason}; none of {len(raw.refused):,} rows can be read."
        )
    table = build_table(raw, source, mapping=mapping, timezone=timezone, order=order)
    usable = table.frame.drop(index=list(table.rejected))
    if usable.empty:
        position = min(table.rejected)
        raise InputError(
            f"{raw.where(position)}: {table.rejected[position]}; none of {len(table.frame):,} rows can be used."
        )
    superseded = _superseded(usable["ticket_id"], raw)
    frame = usable.drop(index=list(superseded))
    notes = [*raw.warnings, *table.notes, *apply_taxonomy(frame, taxonomy, raw)]
    if "requester_id" in frame:
        frame["requester_id"] = hash_requesters(frame["requester_id"], hashed)
    frame = frame.reset_index(drop=True)
    check_table(frame, source=source)
    return Imported(
        frame=frame,
        aside=_aside(raw, table.rejected | superseded),
        rows=len(raw.frame) + len(raw.refused),
        unusable=len(table.rejected) + len(raw.refused),
        superseded=len(superseded),
        matched=_shown(table),
        others=tuple(table.others),
        notes=tuple(notes),
    )


def _superseded(ids: pd.Series, raw: Raw) -> dict[int, str]:
    """Position of an earlier delivery -> which row replaces it."""
    again = ids[ids.duplicated(keep=False)]
    positions = dict(zip(again.index.tolist(), again.tolist(), strict=True))
    last = {ticket: position for position, ticket in positions.items()}
    return {
        position: f"the ticket comes again: {raw.where(last[ticket])}"
        for position, ticket in positions.items()
        if last[ticket] != position
    }


def _aside(raw: Raw, reasons: Mapping[int, str]) -> pd.DataFrame:
    positions = sorted(reasons)
    rows = raw.frame.iloc[positions].astype(STRING)
    origin = raw.origin.iloc[positions]
    rows.insert(0, "import_file", origin["file"].astype(STRING))
    rows.insert(1, "import_row", origin["row"])
    rows.insert(
        2, "import_reason", pd.Series([reasons[position] for position in positions], index=rows.index, dtype=STRING)
    )
    if not raw.refused:
        return rows.reset_index(drop=True)
    refused = pd.DataFrame(
        [(one.file, one.row, one.reason, one.line) for one in raw.refused],
        columns=["import_file", "import_row", "import_reason", "import_line"],
    )
    return pd.concat([rows, refused], ignore_index=True).sort_values(["import_file", "import_row"], ignore_index=True)


def _shown(table: Table) -> dict[str, str]:
    """What was matched, in the order of the table."""
    return {name: table.matched[name] for name in table.frame.columns if name in table.matched}
