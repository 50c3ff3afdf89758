"""Batch scoring: a ticket table in, one row of answers a ticket out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from triage_ml.answer.answerer import Answerer
from triage_ml.text import ticket_text

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["score_table"]

_CHUNK = 2048


def score_table(
    answerer: Answerer, tickets: pd.DataFrame, *, progress: Callable[[int], None] | None = None
) -> pd.DataFrame:
    """Answers of shape (tickets, 3 + 4 x targets), rows in the order of the tickets.

    Columns: `ticket_id`, `action`, `reason`, and for each target `{target}`, `{target}_probability`, `{target}_action`,
    `{target}_reason`. `progress` is told the number of tickets done after each chunk.
    """
    parts = []
    for begin in range(0, max(len(tickets), 1), _CHUNK):  # an empty table still has its columns
        chunk = tickets.iloc[begin : begin + _CHUNK]
        parts.append(answerer.table(chunk["ticket_id"].tolist(), ticket_text(chunk)))
        if progress is not None:
            progress(len(chunk))
    return pd.concat(parts, ignore_index=True)
