"""Answers, part by part, into one CSV, JSON Lines or Parquet file that is there whole or not at all."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import pyarrow as pa
import pyarrow.parquet

from triage_ml.files import atomic_file
from triage_ml.tickets import format_of

__all__ = ["write_output"]


def write_output(path: Path, tables: Iterator[pa.Table]) -> dict[str, int]:
    """Write the tables one after the other; returns how many rows there are of each action.

    The suffix says the format, `.gz` after it compresses. A column that has no value in the first table takes its type
    from a later one only in CSV and JSON Lines; in Parquet it is text.
    """
    wanted = format_of(path)
    actions: Counter[str] = Counter()

    def counted() -> Iterator[pa.Table]:
        for table in tables:
            actions.update(table.column("action").to_pylist())
            yield table

    with atomic_file(path) as draft:
        if wanted.kind == "parquet":
            _parquet(draft, counted())
        else:
            with _text_file(draft, gzipped=wanted.gzipped) as file:
                for number, table in enumerate(counted()):
                    file.write(_lines(table, wanted.kind, wanted.delimiter, header=number == 0).encode())
    return dict(actions)


def _parquet(path: Path, tables: Iterator[pa.Table]) -> None:
    first = next(tables)
    schema = pa.schema([_typed(field) for field in first.schema])
    with pyarrow.parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        writer.write_table(first.cast(schema))
        for table in tables:
            writer.write_table(table.cast(schema))


def _typed(field: pa.Field) -> pa.Field:
    return field.with_type(pa.string()) if pa.types.is_null(field.type) else field


@contextmanager
def _text_file(path: Path, *, gzipped: bool) -> Iterator[IO[bytes]]:
    with path.open("wb") as file:
        if not gzipped:
            yield file
            return
        # Without name and time in the header, so that equal answers give equal bytes.
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0, compresslevel=6) as packed:
            yield cast(IO[bytes], packed)


def _lines(table: pa.Table, kind: str, delimiter: str, *, header: bool) -> str:
    frame = table.to_pandas()
    if kind == "csv":
        return str(frame.to_csv(index=False, sep=delimiter, lineterminator="\n", header=header))
    return str(frame.to_json(orient="records", lines=True, force_ascii=False))
