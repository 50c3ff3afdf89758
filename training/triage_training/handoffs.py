"""The hand-off log: `ticket_id, at, from_group, to_group`, a row each time a ticket changed hands."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from triage_ml.errors import InputError

__all__ = ["HandoffFigures", "handoff_figures", "read_handoffs"]

_COLUMNS = ("ticket_id", "at", "from_group", "to_group")


def read_handoffs(path: Path) -> pd.DataFrame:
    """The log as it stands in a .parquet or .csv file.

    Raises
    ------
    InputError
        The file can't be read, or has no column `ticket_id`.
    """
    try:
        log: pd.DataFrame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype="string")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: can't be read as a hand-off log ({type(error).__name__}).") from None
    if "ticket_id" not in log:
        raise InputError(
            f"{path}: expected the columns {', '.join(_COLUMNS)}; found {', '.join(map(str, log.columns))}."
        )
    return log


@dataclass(frozen=True)
class HandoffFigures:
    """First against final group.

    `moved` is the share of tickets that were closed by another group than had them first; `ways` are the commonest pairs of
    first and final group with their tickets; minutes are medians of touch time, None where nobody logged any.
    """

    tickets: int
    moved: float
    ways: tuple[tuple[str, str, int], ...]
    minutes_moved: float | None
    minutes_stayed: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def handoff_figures(tickets: pd.DataFrame, log: pd.DataFrame, *, most: int = 10) -> HandoffFigures | None:
    """How far the first group was the right one; None where the log or the tickets name no groups."""
    if not {*_COLUMNS} <= {*log} or "assignment_group" not in tickets:
        return None
    closed = tickets[tickets["assignment_group"].notna()].set_index("ticket_id")
    ordered = log.assign(at=pd.to_datetime(log["at"], utc=True, format="ISO8601", errors="coerce"))
    first = ordered.sort_values("at", kind="stable").drop_duplicates("ticket_id").set_index("ticket_id")["from_group"]
    final = closed["assignment_group"].astype(str)
    began = first.reindex(final.index).astype("string").fillna(final.astype("string")).astype(str)
    moved = (began != final).to_numpy(dtype=bool)
    ways = Counter(zip(began[moved], final[moved], strict=True))
    ranked = sorted(ways.items(), key=lambda row: (-row[1], row[0]))[:most]
    return HandoffFigures(
        len(final),
        float(moved.mean()) if len(final) else 0.0,
        tuple((one, other, count) for (one, other), count in ranked),
        *(_median_minutes(closed[rows]) for rows in (moved, ~moved)),
    )


def _median_minutes(tickets: pd.DataFrame) -> float | None:
    if "effort_minutes" not in tickets or tickets["effort_minutes"].isna().all():
        return None
    return round(float(tickets["effort_minutes"].median()), 1)
