"""In which encoding a text file is written.

UTF-8 is tried over the whole file, not a sample: the one umlaut may be in the last row. What is no UTF-8 is read as
Windows-1252, which most exports of older tools are, and that is said in a warning.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from triage_ml.errors import InputError
from triage_ml.tickets.formats import damaged_gzip, open_bytes

__all__ = ["TextFile", "look_at"]

CHUNK = 1 << 20
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class TextFile:
    """What a look at the whole file found.

    `encoding` is a Python codec, `first_line` is decoded, `odd_quotes` says that `"` occurs an odd number of times, `lines`
    is how many line ends there are.
    """

    encoding: str
    first_line: str
    odd_quotes: bool
    warning: str | None = None
    lines: int = 0


def look_at(path: Path) -> TextFile:
    """Find the encoding of a CSV or JSON file.

    Raises
    ------
    InputError
        The file is missing, empty, not what its name says, or in none of UTF-8, UTF-16 and Windows-1252.
    """
    head = next(_chunks(path))
    encoding = _by_mark(head) or _wide(head) or "utf-8"
    problem = _first_problem(path, encoding)
    if problem is None:
        return _found(path, encoding)
    if encoding == "utf-8" and _first_problem(path, "cp1252") is None:
        warning = (
            f"{path}: not UTF-8 (row {problem[0]:,}); read as Windows-1252. Look at the umlauts and accents; "
            "if they are wrong, save the file as UTF-8."
        )
        return _found(path, "cp1252", warning)
    row, byte = problem
    raise InputError(
        f"{path}, line {row:,}: expected UTF-8, UTF-16 or Windows-1252, found the byte 0x{byte:02x}, which fits none.",
        hint="Save the file as UTF-8.",
    )


def _by_mark(head: bytes) -> str | None:
    return next((encoding for mark, encoding in _MARKS if head.startswith(mark)), None)


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of Latin text is zero."""
    sample = head[:2000]
    if len(sample) < 4:
        return None
    if sample[1::2].count(0) > len(sample) * 0.4 and not sample[0::2].count(0):
        return "utf-16-le"
    if sample[0::2].count(0) > len(sample) * 0.4 and not sample[1::2].count(0):
        return "utf-16-be"
    return None


def _first_problem(path: Path, encoding: str) -> tuple[int, int] | None:
    """Line (from 1) and value of the first byte that does not fit; None where all do."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    for chunk in _chunks(path):
        try:
            line += decoder.decode(chunk, final=not chunk).count("\n")
        except UnicodeDecodeError as error:
            return line + error.object[: error.start].count(b"\n"), error.object[error.start]
    return None


def _found(path: Path, encoding: str, warning: str | None = None) -> TextFile:
    counts = [(chunk.count(b'"'), chunk.count(b"\n")) for chunk in _chunks(path)]
    quotes, lines = (sum(column) for column in zip(*counts, strict=True))
    with open_bytes(path) as file:
        first_line = _first_line(file, encoding)
    return TextFile(encoding, first_line, bool(quotes % 2), warning, lines)


def _first_line(file: IO[bytes], encoding: str) -> str:
    reader = codecs.getreader(encoding)(file)
    for line in reader:
        if line.strip():
            return line.rstrip("\r\n")
    return ""


def _chunks(path: Path) -> Iterator[bytes]:
    """The file in pieces, and an empty one at the end, which tells a decoder to finish."""
    with open_bytes(path) as file:
        try:
            while chunk := file.read(CHUNK):
                yield chunk
        except (OSError, EOFError, zlib.error):
            raise damaged_gzip(path) from None
    yield b""
