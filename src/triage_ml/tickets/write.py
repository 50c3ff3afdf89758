"""Write ticket tables to files that are there whole or not at all."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pandas as pd

from triage_ml.files import atomic_file
from triage_ml.tickets.formats import FileFormat, format_of

__all__ = ["write_tickets"]

#: Rows of Parquet that are read together.
ROW_GROUP = 50_000


def write_tickets(frame: pd.DataFrame, path: Path) -> None:
    """Write Parquet, CSV (UTF-8; with tabs as .tsv) or JSON Lines, by the suffix; `.gz` after it compresses.

    Times are written as ISO 8601 in UTC, missing values as empty cells or null. Equal tables give equal bytes.

    Raises
    ------
    InputError
        The suffix is none that is known, or the folder can't be written.
    """
    wanted = format_of(path)
    with atomic_file(path) as draft:
        if not wanted.gzipped:
            _write(frame, draft, wanted)
            return
        plain = draft.with_name(draft.name + ".plain")
        try:
            _write(frame, plain, wanted)
            _compress(plain, draft)
        finally:
            plain.unlink(missing_ok=True)


def _write(frame: pd.DataFrame, path: Path, wanted: FileFormat) -> None:
    if wanted.kind == "parquet":
        frame.to_parquet(path, index=False, row_group_size=ROW_GROUP)
    elif wanted.kind == "csv":
        frame.to_csv(path, index=False, sep=wanted.delimiter, lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%S.%fZ")
    else:
        frame.to_json(path, orient="records", lines=True, date_format="iso", date_unit="us", force_ascii=False)


def _compress(plain: Path, packed: Path) -> None:
    """Without name and time in the header, so that equal tables give equal bytes."""
    with (
        plain.open("rb") as source,
        packed.open("wb") as target,
        gzip.GzipFile(filename="", fileobj=target, mode="wb", mtime=0, compresslevel=6) as zipped,
    ):
        shutil.copyfileobj(source, zipped, 1 << 20)
