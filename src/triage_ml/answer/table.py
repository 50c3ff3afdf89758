"""A ticket table in, one row of answers a ticket out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import orjson
import pandas as pd

from triage_ml.answer.answerer import Answerer
from triage_ml.answer.rules import RULE_FIELDS
from triage_ml.answer.stages import Stages
from triage_ml.text import ticket_text

__all__ = ["score_table"]

_CHUNK = 4096


def score_table(
    answerer: Answerer,
    tickets: pd.DataFrame,
    *,
    progress: Callable[[int], None] | None = None,
    stages: Stages | None = None,
) -> pd.DataFrame:
    """Answers of shape (tickets, 3 + 4 x targets), rows in the order of the tickets.

    Columns: `ticket_id`, `action`, `reason`, and for each target `{target}`, `{target}_probability`, `{target}_action`,
    `{target}_reason`; with rules also `rule`, with patterns also `pattern_id`. A column `previous_groups` is heeded: lists,
    or text with `;` between the groups. `progress` is told the number of tickets done after each chunk.
    """
    parts = []
    for begin in range(0, max(len(tickets), 1), _CHUNK):  # an empty table still has its columns
        chunk = tickets.iloc[begin : begin + _CHUNK]
        fields = {name: chunk[name].tolist() for name in RULE_FIELDS if name in chunk} if answerer.rules else {}
        previous = [_groups(value) for value in chunk["previous_groups"].tolist()] if "previous_groups" in chunk else ()
        ids, texts = chunk["ticket_id"].tolist(), ticket_text(chunk)
        parts.append(answerer.table(ids, texts, fields=fields, previous_groups=previous, stages=stages))
        if progress is not None:
            progress(len(chunk))
    return pd.concat(parts, ignore_index=True)


def _groups(value: object) -> Sequence[str]:
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            try:
                return [str(name) for name in orjson.loads(value)]
            except orjson.JSONDecodeError:
                pass  # the name of a group may begin so, too
        return [name.strip() for name in value.split(";") if name.strip()]
    return list(value) if hasattr(value, "__len__") else ()  # type: ignore[call-overload]
