"""A ticket table whose long texts stay on disk: everything else in memory, texts a piece at a time when they are asked for.

Parquet as `triage import` and `triage simulate` write it is read like this, so a million tickets take what their facts take.
Every other file is read whole, as `read_tickets` does it; what either finds wrong is the same error.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from triage_ml.errors import InputError
from triage_ml.tickets.checks import check_table
from triage_ml.tickets.columns import COLUMNS
from triage_ml.tickets.dtypes import STRING
from triage_ml.tickets.formats import format_of
from triage_ml.tickets.names import match_columns
from triage_ml.tickets.raw import Raw, origin_of
from triage_ml.tickets.read import read_tickets
from triage_ml.tickets.table import build_table

__all__ = ["LONG_TEXTS", "TicketSource", "hash_strings", "open_tickets", "source_of"]

IntArray = NDArray[np.int64]

#: Columns that stay where they are.
LONG_TEXTS = ("title", "description", "resolution")
#: Rows that are in memory with their texts at a time.
PIECE = 10_000
#: Bytes of a column that are read ahead.
_BUFFER = 1 << 20
_STRING_TYPES = {pa.string(): STRING, pa.large_string(): STRING}
#: Is told how many rows have been read, and how many there are.
Told = Callable[[int, int], None]


class TicketSource(ABC):
    """A ticket table without its long texts.

    Attributes
    ----------
    frame
        The table without `title`, `description` and `resolution`, index 0 to n - 1.
    hashes
        64 bits of each value of those of the three that the table has, shape (n,) each.
    """

    frame: pd.DataFrame
    hashes: Mapping[str, NDArray[np.uint64]]

    def __len__(self) -> int:
        return len(self.frame)

    @abstractmethod
    def pieces(self, rows: IntArray, columns: Sequence[str] = LONG_TEXTS) -> Iterator[tuple[IntArray, pd.DataFrame]]:
        """These rows (ascending) in pieces of at most 10,000: their numbers, and those of the three columns that there are."""


class _InMemory(TicketSource):
    def __init__(self, frame: pd.DataFrame) -> None:
        frame = frame.reset_index(drop=True)
        self._texts = frame[[name for name in LONG_TEXTS if name in frame]]
        self.frame = frame.drop(columns=self._texts.columns)
        self.hashes = {name: hash_strings(self._texts[name]) for name in LONG_TEXTS if name in self._texts}

    def pieces(self, rows: IntArray, columns: Sequence[str] = LONG_TEXTS) -> Iterator[tuple[IntArray, pd.DataFrame]]:
        there = [name for name in columns if name in self._texts]
        for start in range(0, len(rows), PIECE):
            piece = rows[start : start + PIECE]
            yield piece, self._texts[there].iloc[piece].reset_index(drop=True)


class _OnDisk(TicketSource):
    def __init__(self, path: Path, timezone: str, kept: Sequence[str], told: Told) -> None:
        self._path = path
        self._identity = _identity(path)
        with pyarrow.parquet.ParquetFile(path, buffer_size=_BUFFER) as file:
            names = _as_written(file.schema_arrow, path)
            self._texts = [name for name in LONG_TEXTS if name in names]
            read = [*names, *(name for name in kept if name in file.schema_arrow.names)]
            groups = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
            self._begins = np.concatenate([[0], np.cumsum(groups)]).astype(np.int64)
            self._read(file, read, timezone, told)
        repeated = self.frame["ticket_id"].duplicated()
        if repeated.any():
            raise InputError(f"{path}: ids are there twice.")

    def _read(self, file: pa.parquet.ParquetFile, columns: Sequence[str], timezone: str, told: Told) -> None:
        frames: list[pd.DataFrame] = []
        hashes: dict[str, list[NDArray[np.uint64]]] = {name: [] for name in self._texts}
        done, total = 0, int(self._begins[-1])
        for batch in file.iter_batches(batch_size=PIECE, columns=list(columns)):
            frame = self._table(batch, done, timezone)
            for name, parts in hashes.items():
                parts.append(hash_strings(frame[name]))
            frames.append(frame.drop(columns=[name for name in LONG_TEXTS if name in frame]))
            done += len(frame)
            told(done, total)
        self.frame = pd.concat(frames, ignore_index=True)
        self.hashes = {name: np.concatenate(parts) for name, parts in hashes.items()}

    def _table(self, batch: pa.RecordBatch, done: int, timezone: str) -> pd.DataFrame:
        frame = pa.Table.from_batches([batch]).to_pandas(types_mapper=_STRING_TYPES.get, ignore_metadata=True)
        raw = Raw(frame, origin_of(self._path, range(done + 1, done + len(frame) + 1)))
        table = build_table(raw, str(self._path), mapping={}, timezone=timezone)
        if table.rejected:
            raise InputError(f"{self._path}: some rows can't be used.")
        check_table(table.frame, source=str(self._path))
        return table.frame

    def pieces(self, rows: IntArray, columns: Sequence[str] = LONG_TEXTS) -> Iterator[tuple[IntArray, pd.DataFrame]]:
        there = [name for name in columns if name in self._texts]
        self._check_identity()
        with pyarrow.parquet.ParquetFile(self._path, buffer_size=_BUFFER) as file:
            for group, (begin, end) in enumerate(zip(self._begins[:-1], self._begins[1:], strict=True)):
                wanted: IntArray = rows[np.searchsorted(rows, begin) : np.searchsorted(rows, end)]
                if len(wanted):
                    for piece in self._of_group(file, group, int(begin), wanted, there):
                        self._check_identity()
                        yield piece

    def _check_identity(self) -> None:
        """Row numbers are those of the file that was opened first; in another one they are other tickets."""
        if _identity(self._path) != self._identity:
            raise InputError(
                f"{self._path}: this file was changed while it was read.", hint="Run it again once it stays as it is."
            )

    def _of_group(
        self, file: pa.parquet.ParquetFile, group: int, begin: int, wanted: IntArray, columns: list[str]
    ) -> Iterator[tuple[IntArray, pd.DataFrame]]:
        for batch in file.iter_batches(batch_size=PIECE, row_groups=[group], columns=columns):
            end = begin + batch.num_rows
            own = wanted[np.searchsorted(wanted, begin) : np.searchsorted(wanted, end)]
            if len(own):
                table = pa.Table.from_batches([batch]).take(pa.array(own - begin))
                yield own, table.to_pandas(types_mapper=_STRING_TYPES.get, ignore_metadata=True).astype(STRING)
            begin = end


def _identity(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file is replaced or written again; None where it is gone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def open_tickets(
    path: Path, *, timezone: str = "UTC", kept: Sequence[str] = (), told: Told | None = None
) -> TicketSource:
    """A ticket table that is fit for use, as `read_tickets` would read it, with its long texts left on disk if it can be.

    `kept` are columns beside those of a ticket table that are wanted, if they are there. The file has to stay as it
    is until the last piece was read; one that was changed is an InputError of `pieces`.

    Raises
    ------
    InputError
        As for `read_tickets`.
    """
    try:
        if format_of(path).kind == "parquet" and path.suffix != ".gz":
            return _OnDisk(path, timezone, kept, told or (lambda _done, _total: None))
    except (InputError, pa.ArrowException, OSError):
        pass  # what is wrong with it is for the whole file to say
    return _InMemory(read_tickets(path, timezone=timezone))


def source_of(tickets: pd.DataFrame | TicketSource) -> TicketSource:
    """A table in memory as a source; a source stays what it is."""
    return tickets if isinstance(tickets, TicketSource) else _InMemory(tickets)


def hash_strings(values: pd.Series) -> NDArray[np.uint64]:
    """64 bits of each value as a string, shape (n,); a missing one is as an empty one."""
    hashes = pd.util.hash_pandas_object(values.astype("string").fillna(""), index=False)
    return np.asarray(hashes, dtype=np.uint64)


def _as_written(schema: pa.Schema, path: Path) -> list[str]:
    """The columns of a ticket table in a file that has them under our names and in types that are read row by row."""
    matched = match_columns(schema.names, {}, str(path))
    kinds = {column.name: column.kind for column in COLUMNS}
    foreign = [ours for ours, theirs in matched.items() if ours != theirs]
    odd = [name for name in matched if not foreign and not _is_as_written(schema.field(name).type, kinds[name])]
    if foreign or odd or "ticket_id" not in matched:
        raise InputError(f"{path}: not as it would be written.")
    return [column.name for column in COLUMNS if column.name in matched]


def _is_as_written(found: Any, kind: str) -> bool:
    if kind == "time":
        return bool(pa.types.is_timestamp(found) and found.tz)
    if kind in ("number", "count"):
        return bool(pa.types.is_floating(found) or pa.types.is_integer(found))
    return bool(pa.types.is_string(found) or pa.types.is_large_string(found))
