"""What a reader hands on: their columns, as they were, and where each row came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

__all__ = ["Raw", "Refused", "join_raw", "origin_of", "short_of"]


@dataclass(frozen=True)
class Refused:
    """A row that could not even be read: where it is, why, and what stands there."""

    file: str
    row: int
    reason: str
    line: str


@dataclass
class Raw:
    """A file or query as it was read.

    Parameters
    ----------
    frame
        Their columns under their names; strings, or the types that Parquet and SQL bring. Index 0 to n - 1.
    origin
        Columns `file` (category) and `row`, as an editor shows it (the header of a CSV file is row 1); same index.
    refused
        Rows that could not be read.
    warnings
        What the reader assumed.
    """

    frame: pd.DataFrame
    origin: pd.DataFrame
    refused: list[Refused] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def where(self, position: int) -> str:
        """`tickets.csv, row 17`."""
        row = self.origin.iloc[position]
        return f"{row['file']}, row {row['row']}"


def join_raw(parts: Sequence[Raw]) -> Raw:
    """Several files as one; a column that a file lacks is missing there."""
    if len(parts) == 1:
        return parts[0]
    origin = pd.concat([part.origin.astype({"file": object}) for part in parts], ignore_index=True)
    return Raw(
        pd.concat([part.frame for part in parts], ignore_index=True),
        origin.astype({"file": "category"}),
        [refused for part in parts for refused in part.refused],
        [warning for part in parts for warning in part.warnings],
    )


def short_of(value: object, longest: int = 40) -> str:
    """A value for a message: quoted when it is short like a label, else only its length, for it may be ticket text."""
    text = str(value)
    return repr(text) if len(text) <= longest and "\n" not in text else f"a text of {len(text):,} characters"


def origin_of(path: Path | str, rows: Sequence[int]) -> pd.DataFrame:
    """The `origin` of rows that all come from one file."""
    return pd.DataFrame({"file": pd.Categorical([str(path)] * len(rows)), "row": list(rows)})
