"""JSON Lines and JSON arrays -> their columns, all as strings. What is nested stays JSON text."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pandas as pd

from triage_ml.errors import InputError
from triage_ml.tickets.dtypes import STRING
from triage_ml.tickets.encoding import TextFile, look_at
from triage_ml.tickets.formats import open_bytes
from triage_ml.tickets.raw import Raw, Refused, origin_of

__all__ = ["json_batches", "read_json"]

CHUNK_ROWS = 50_000


def read_json(path: Path) -> Raw:
    """Read a file of one JSON object a line, or one array of objects.

    A line that is no JSON object is refused with its number; the others are read.

    Raises
    ------
    InputError
        The array is not valid JSON, or any error of `look_at`.
    """
    look = look_at(path)
    refused: list[Refused] = []
    parts: list[pd.DataFrame] = []
    rows: list[int] = []
    for numbers, part in json_batches(path, look, refused, CHUNK_ROWS):
        rows += numbers
        parts.append(part)
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return Raw(frame, origin_of(path, rows), refused, [look.warning] if look.warning else [])


def json_batches(
    path: Path, look: TextFile, refused: list[Refused], size: int
) -> Iterator[tuple[list[int], pd.DataFrame]]:
    """Row numbers and cells, `size` rows at a time; what is no JSON object is added to `refused`. Errors as `read_json`."""
    if look.first_line.lstrip().startswith("["):
        numbered = _array_items(path, look.encoding)
    else:
        numbered = _line_items(path, look.encoding, refused)
    objects = _only_objects(path, numbered, refused)
    while chunk := list(islice(objects, size)):
        cells = [{str(name): as_text(value) for name, value in item.items()} for _, item in chunk]
        yield [row for row, _ in chunk], pd.DataFrame(cells, dtype=object).astype(STRING)


def as_text(value: Any) -> str | None:
    """A cell: strings as they are, `3` for 3.0, JSON for what is nested, None for null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return orjson.dumps(value).decode()


def _line_items(path: Path, encoding: str, refused: list[Refused]) -> Iterator[tuple[int, Any]]:
    with io.TextIOWrapper(open_bytes(path), encoding=encoding, newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            line = line.rstrip()
            if not line:
                continue
            try:
                yield number, orjson.loads(line)
            except orjson.JSONDecodeError as error:
                reason = f"expected one JSON object a line; not valid JSON at column {error.colno}"
                refused.append(Refused(str(path), number, reason, line))


def _array_items(path: Path, encoding: str) -> Iterator[tuple[int, Any]]:
    with open_bytes(path) as file:
        text = file.read().decode(encoding)
    try:
        items = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InputError(
            f"{path}, line {error.lineno}, column {error.colno}: not valid JSON.",
            hint="Expected one JSON object a line, or one array of objects.",
        ) from None
    return enumerate(items, 1)


def _only_objects(
    path: Path, items: Iterable[tuple[int, Any]], refused: list[Refused]
) -> Iterator[tuple[int, dict[str, Any]]]:
    for row, item in items:
        if isinstance(item, dict):
            yield row, item
        else:
            reason = f"expected a JSON object, found {type(item).__name__}"
            refused.append(Refused(str(path), row, reason, orjson.dumps(item).decode()))
