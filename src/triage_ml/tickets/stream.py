"""Tickets a chunk at a time, with what is known when they are filed: for scoring files that need not fit into memory.

Times, labels and effort play no part in scoring and are not read. A row without text is a ticket like any other: it will
be answered "a person should look". A row that can't be read at all is an error, as in `read_tickets`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from triage_ml.errors import InputError
from triage_ml.tickets.columns import COLUMNS, TEXT_COLUMNS
from triage_ml.tickets.csv_files import open_csv
from triage_ml.tickets.dtypes import STRING, empty_strings, to_strings
from triage_ml.tickets.encoding import look_at
from triage_ml.tickets.formats import format_of, open_bytes
from triage_ml.tickets.json_files import json_batches
from triage_ml.tickets.names import match_columns
from triage_ml.tickets.parquet_files import read_parquet
from triage_ml.tickets.raw import Refused

__all__ = ["TicketChunk", "stream_tickets"]

_BLOCK_BYTES = 2 << 20
_KEPT = {column.name: column.kind for column in COLUMNS if column.as_filed and column.kind in ("id", "text", "label")}
_STRINGS = {pa.string(): STRING, pa.large_string(): STRING}
_GROUPS = "previous_groups"


@dataclass(frozen=True)
class TicketChunk:
    """Some rows of a file.

    `number` counts chunks from 0. `frame` has `ticket_id`, `title`, `description` and what else is known when a ticket is
    filed, index 0 to n - 1. `share` is how much of the file has been read, 0 to 1.
    """

    number: int
    frame: pd.DataFrame
    share: float


def stream_tickets(path: Path, *, rows: int = 4096, mapping: Mapping[str, str] | None = None) -> Iterator[TicketChunk]:
    """The tickets of a file in chunks of exactly `rows`, the last one of fewer; the same file gives the same chunks.

    CSV, JSON Lines and Parquet are read as they are needed; a JSON array and a gzipped Parquet file are read whole.

    Raises
    ------
    InputError
        The file can't be read, has no text column or no rows, or a row of it can't be read or has no id.
    """
    source = str(path)
    number = done = 0
    for batch, share in _sliced(_batches(path), rows):
        frame = _filed(batch, source, mapping or {}, done)
        yield TicketChunk(number, frame, share)
        number, done = number + 1, done + len(frame)
    if not done:
        raise InputError(f"{source}: no tickets in it.")


def _batches(path: Path) -> Iterator[tuple[pd.DataFrame, float]]:
    kind = format_of(path).kind
    return {"csv": _csv, "json": _json, "parquet": _parquet}[kind](path)


def _csv(path: Path) -> Iterator[tuple[pd.DataFrame, float]]:
    with open_csv(path, block_bytes=_BLOCK_BYTES) as csv_file:
        frame = pd.DataFrame()
        try:
            while True:
                frame = csv_file.to_frame(lambda: pa.Table.from_batches([csv_file.reader.read_next_batch()]))
                _raise_first(csv_file.refused)
                yield frame, csv_file.share_read()
        except StopIteration:
            csv_file.check_last_quote(frame)


def _json(path: Path) -> Iterator[tuple[pd.DataFrame, float]]:
    look = look_at(path)
    refused: list[Refused] = []
    for lines, frame in json_batches(path, look, refused, 4096):
        _raise_first(refused)
        yield frame, min(lines[-1] / max(look.lines, 1), 1.0)
    _raise_first(refused)


def _parquet(path: Path) -> Iterator[tuple[pd.DataFrame, float]]:
    if path.suffix == ".gz":
        yield read_parquet(path).frame, 1.0
        return
    with open_bytes(path) as file:
        yield from _row_groups(path, file)


def _row_groups(path: Path, file: IO[bytes]) -> Iterator[tuple[pd.DataFrame, float]]:
    try:
        opened = pyarrow.parquet.ParquetFile(file)
        done, total = 0, max(opened.metadata.num_rows, 1)
        for batch in opened.iter_batches(batch_size=8192):
            done += batch.num_rows
            yield batch.to_pandas(types_mapper=_STRINGS.get), done / total
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{path}: can't be read as Parquet ({type(error).__name__}).", hint="Copy or export the file again."
        ) from None


def _raise_first(refused: Sequence[Refused]) -> None:
    if refused:
        first = refused[0]
        raise InputError(
            f"{first.file}, row {first.row}: {first.reason}.", hint="`triage import` puts such rows aside."
        )


def _sliced(batches: Iterator[tuple[pd.DataFrame, float]], rows: int) -> Iterator[tuple[pd.DataFrame, float]]:
    """The same rows in slices of exactly `rows`."""
    waiting: list[pd.DataFrame] = []
    held, share = 0, 0.0
    for batch, share in batches:
        waiting.append(batch)
        held += len(batch)
        if held < rows:
            continue
        joined = pd.concat(waiting, ignore_index=True) if len(waiting) > 1 else batch
        whole = held - held % rows
        for begin in range(0, whole, rows):
            yield joined.iloc[begin : begin + rows].reset_index(drop=True), share
        waiting, held = [joined.iloc[whole:]], held - whole
    if held:
        yield pd.concat(waiting, ignore_index=True), share


def _filed(batch: pd.DataFrame, source: str, mapping: Mapping[str, str], done: int) -> pd.DataFrame:
    """The columns that are known when a ticket is filed, under our names."""
    matched = match_columns(batch.columns, mapping, source)
    if not done and not any(name in matched for name in TEXT_COLUMNS):
        raise InputError(
            f"{source}: expected a column title or description, found {', '.join(batch.columns)}.",
            hint="Map the column with the text: --map description=THEIRS.",
        )
    found = {name: batch[matched[name]] for name in _KEPT if name in matched}
    columns = {name: v.astype(STRING) if _KEPT[name] == "text" else to_strings(v) for name, v in found.items()}
    if "ticket_id" not in columns:
        columns["ticket_id"] = pd.Series([f"row-{done + row + 1}" for row in range(len(batch))], dtype=STRING)
    elif (missing := columns["ticket_id"].isna()).any():
        row = done + int(missing.to_numpy().argmax()) + 1
        raise InputError(f"{source}, ticket {row:,}, column ticket_id: expected an id, found none.")
    for name in TEXT_COLUMNS:
        columns.setdefault(name, empty_strings(batch.index))
    if _GROUPS in batch:
        columns[_GROUPS] = batch[_GROUPS]
    return pd.DataFrame(columns)
