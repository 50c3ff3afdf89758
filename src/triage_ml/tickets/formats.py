"""Which kind of file this is, by its name, and whether its first bytes agree."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

from triage_ml.errors import InputError

__all__ = ["FileFormat", "damaged_gzip", "format_of", "open_bytes"]

Kind = Literal["csv", "json", "parquet"]

_KINDS: dict[str, Kind] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_EXPECTED = {"csv": "a CSV file", "json": "JSON Lines or a JSON array", "parquet": "a Parquet file"}
_GZIP = b"\x1f\x8b"
_SIGNATURES = {
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "a ZIP or Excel file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"%PDF": "a PDF file",
    b"SQLite format 3": "a SQLite database",
}


@dataclass(frozen=True)
class FileFormat:
    """`kind` of the content, whether it is gzipped, and what a CSV file is written with."""

    kind: Kind
    gzipped: bool
    delimiter: str = ","


def format_of(path: Path) -> FileFormat:
    """The format that a path's name promises; works for files that are not there yet.

    Raises
    ------
    InputError
        The suffix is none that is known.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    gzipped = suffixes[-1:] == [".gz"]
    suffix = (["", *suffixes])[-2 if gzipped else -1]
    kind = _KINDS.get(suffix)
    if kind is None:
        raise InputError(
            f"{path}: the name does not say what kind of file this is.",
            hint=f"Expected a name that ends in {', '.join(_KINDS)}, each also with .gz after it.",
        )
    return FileFormat(kind, gzipped, "\t" if suffix == ".tsv" else ",")


def open_bytes(path: Path) -> IO[bytes]:
    """The file's content, unzipped, after a look at whether it is what its name says.

    Raises
    ------
    InputError
        The file is missing, empty, a folder, can't be read, or is not what its name says.
    """
    expected = format_of(path)
    head = _first_bytes(path)
    if expected.gzipped != head.startswith(_GZIP):
        found, hint = ("not gzipped", "without") if expected.gzipped else ("gzipped", "with")
        raise InputError(f"{path}: the content is {found}.", hint=f"Give it a name {hint} .gz at the end.")
    if not expected.gzipped:
        _check_signature(path, expected.kind, head)
        return path.open("rb")
    try:
        with gzip.open(path) as file:
            _check_signature(path, expected.kind, file.read(16))
    except (OSError, EOFError):
        raise damaged_gzip(path) from None
    return cast(IO[bytes], gzip.open(path))


def damaged_gzip(path: Path) -> InputError:
    """The error for a gzip file that ends early or fails its checksum."""
    return InputError(f"{path}: the gzip data is damaged or ends early.", hint="Copy or export the file again.")


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file.") from None
    except IsADirectoryError:
        raise InputError(f"{path}: this is a folder; expected a file.") from None
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror}).") from None
    if not head:
        raise InputError(f"{path}: the file is empty.")
    return head


def _check_signature(path: Path, kind: Kind, head: bytes) -> None:
    if not head:
        raise InputError(f"{path}: the file is empty.")
    found = next((name for magic, name in _SIGNATURES.items() if head.startswith(magic)), None)
    if kind == "parquet" and found == _EXPECTED["parquet"]:
        return
    if kind == "parquet" or found:
        raise InputError(
            f"{path}: expected {_EXPECTED[kind]}, as its name says; found {found or 'something else'}.",
            hint="Rename the file to what it is, or export it again as CSV, JSON Lines or Parquet.",
        )
