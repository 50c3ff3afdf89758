"""Parquet files -> their columns in their types."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from triage_ml.errors import InputError
from triage_ml.tickets.dtypes import STRING
from triage_ml.tickets.formats import open_bytes
from triage_ml.tickets.raw import Raw, origin_of

__all__ = ["read_parquet"]

_STRING_TYPES = {pa.string(): STRING, pa.large_string(): STRING}


def read_parquet(path: Path) -> Raw:
    """Read a Parquet file, also a gzipped one; row numbers count from 1.

    Raises
    ------
    InputError
        The file is damaged, or any error of `open_bytes`.
    """
    with open_bytes(path) as file:
        try:
            table = pyarrow.parquet.read_table(file if path.suffix == ".gz" else path)
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"{path}: can't be read as Parquet ({type(error).__name__}).", hint="Copy or export the file again."
            ) from None
    frame = table.to_pandas(types_mapper=_STRING_TYPES.get, ignore_metadata=True)
    return Raw(frame, origin_of(path, range(1, len(frame) + 1)))
