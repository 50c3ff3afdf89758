"""CSV files -> their columns, all as strings.

Arrow parses: it is fast, reads in blocks, and hands over every row with too many or too few fields instead of guessing.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from triage_ml.errors import InputError
from triage_ml.tickets.dtypes import STRING
from triage_ml.tickets.encoding import TextFile, look_at
from triage_ml.tickets.formats import open_bytes
from triage_ml.tickets.raw import Raw, Refused, origin_of

__all__ = ["open_csv", "read_csv"]

DELIMITERS = ",;\t|"
BLOCK_BYTES = 16 << 20


def read_csv(path: Path) -> Raw:
    """Read a CSV file; encoding and delimiter are found out.

    Raises
    ------
    InputError
        No header, no rows, a quote that is never closed, or any error of `look_at`.
    """
    with open_csv(path, block_bytes=BLOCK_BYTES) as csv_file:
        frame = csv_file.to_frame(csv_file.reader.read_all)
    csv_file.check_last_quote(frame)
    warnings = [csv_file.look.warning] if csv_file.look.warning else []
    if csv_file.unique != [name.strip() for name in csv_file.names]:
        warnings.append(
            f"{path}: columns without a name or with the name of another were renamed: "
            f"{_renamed(csv_file.names, csv_file.unique)}."
        )
    bad = {one.row for one in csv_file.refused}
    rows = [row for row in range(2, len(frame) + len(bad) + 2) if row not in bad]
    return Raw(frame, origin_of(path, rows), csv_file.refused, warnings)


@dataclass
class CsvFile:
    """An open CSV file: its names as they stand and made unique, a reader of batches, and the rows refused so far."""

    path: Path
    look: TextFile
    names: list[str]
    unique: list[str]
    refused: list[Refused]
    file: IO[bytes]
    reader: Any = None

    def share_read(self) -> float:
        """How much of the file the reader has taken, 0 to 1; of a gzipped one, of its compressed bytes."""
        packed = getattr(self.file, "fileobj", self.file)
        return float(min(packed.tell() / max(self.path.stat().st_size, 1), 1.0))

    def to_frame(self, read: Callable[[], pa.Table]) -> pd.DataFrame:
        """What `read` gives, as strings under the unique names."""
        try:
            table = read()
        except pa.ArrowInvalid as error:
            raise InputError(f"{self.path}: can't be read as CSV ({_without_text(error)}).") from None
        frame: pd.DataFrame = table.rename_columns(self.unique).to_pandas(types_mapper=lambda _: STRING)
        return frame

    def check_last_quote(self, frame: pd.DataFrame) -> None:
        """A quote that is never closed swallows all that follows, without a word from the parser."""
        if not self.look.odd_quotes or frame.empty:
            return
        cells = frame.iloc[-1].dropna()
        if len(cells) and "\n" in cells.iloc[-1]:
            raise InputError(
                f"{self.path}, row {len(frame) + 1}: a quote that opens in this row is never closed; all rows after it are "
                "lost in it.",
                hint='Close it, or write a quote inside of text as "".',
            )


@contextmanager
def open_csv(path: Path, *, block_bytes: int) -> Iterator[CsvFile]:
    """Open a CSV file to read it in blocks; encoding and delimiter are found out. Errors as `read_csv`."""
    look = look_at(path)
    delimiter = _delimiter(look.first_line)
    names = next(csv.reader([look.first_line], delimiter=delimiter), [])
    if not any(name.strip() for name in names):
        raise InputError(f"{path}: expected a header with column names in the first row, found none.")
    refused: list[Refused] = []

    def refuse(row: Any) -> str:
        reason = f"expected {row.expected_columns} fields as in the header, found {row.actual_columns}"
        refused.append(Refused(str(path), row.number, reason, row.text))
        return "skip"

    with open_bytes(path) as file:
        opened = CsvFile(path, look, names, _unique_names(names), refused, file)
        try:
            opened.reader = pyarrow.csv.open_csv(
                file,
                pyarrow.csv.ReadOptions(use_threads=False, encoding=look.encoding, block_size=block_bytes),
                pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse),
                pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=True, null_values=[""]
                ),
            )
        except pa.ArrowInvalid as error:
            raise InputError(f"{path}: can't be read as CSV ({_without_text(error)}).") from None
        yield opened


def _delimiter(header: str) -> str:
    """The one that occurs most often in the header, outside of quotes; a comma where none does."""
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _without_text(error: pa.ArrowInvalid) -> str:
    """Arrow ends some messages with the row itself, which is ticket text."""
    return str(error).splitlines()[0].split(": ", 1)[0]


def _unique_names(names: list[str]) -> list[str]:
    unique: list[str] = []
    for position, name in enumerate(names, 1):
        candidate = base = name.strip() or f"column_{position}"
        again = 2
        while candidate in unique:
            candidate = f"{base}_{again}"
            again += 1
        unique.append(candidate)
    return unique


def _renamed(names: list[str], unique: list[str]) -> str:
    return ", ".join(repr(new) for old, new in zip(names, unique, strict=True) if old.strip() != new)
