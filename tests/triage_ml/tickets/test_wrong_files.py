"""Every file that can't be read gets one message: file, row, column, expected, found, what to do."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from triage_ml.errors import InputError
from triage_ml.tickets import read_tickets

Writer = Callable[..., Path]
BAD_GZIP = gzip.compress(b"ticket_id,title\n" + b"1,a\n" * 10_000)[:-20]

WRONG = {
    "unknown suffix": (
        "t.xyz",
        b"x",
        "the name does not say what kind of file this is.\n"
        "Expected a name that ends in .csv, .tsv, .txt, .json, .jsonl, .ndjson, .parquet, .pq, each also with .gz after it.",
    ),
    "empty": ("t.csv", b"", "the file is empty."),
    "gzipped nothing": ("t.csv.gz", gzip.compress(b""), "the file is empty."),
    "header only": ("t.csv", b"ticket_id,title\n", "no tickets in it."),
    "no header": ("t.csv", b"\n\n", "expected a header with column names in the first row, found none."),
    "a CSV called Parquet": (
        "t.parquet",
        b"ticket_id,title\n1,a\n",
        "expected a Parquet file, as its name says; found something else.\n"
        "Rename the file to what it is, or export it again as CSV, JSON Lines or Parquet.",
    ),
    "a Parquet file called CSV": (
        "t.csv",
        b"PAR1....",
        "expected a CSV file, as its name says; found a Parquet file.\n"
        "Rename the file to what it is, or export it again as CSV, JSON Lines or Parquet.",
    ),
    "an Excel file called CSV": (
        "t.csv",
        b"PK\x03\x04....",
        "expected a CSV file, as its name says; found a ZIP or Excel file.\n"
        "Rename the file to what it is, or export it again as CSV, JSON Lines or Parquet.",
    ),
    "half a Parquet file": (
        "t.parquet",
        b"PAR1....",
        "can't be read as Parquet (ArrowInvalid).\nCopy or export the file again.",
    ),
    "not gzipped": (
        "t.csv.gz",
        b"ticket_id,title\n1,a\n",
        "the content is not gzipped.\nGive it a name without .gz at the end.",
    ),
    "gzipped without saying so": (
        "t.csv",
        gzip.compress(b"ticket_id,title\n1,a\n"),
        "the content is gzipped.\nGive it a name with .gz at the end.",
    ),
    "half a gzip file": (
        "t.csv.gz",
        BAD_GZIP,
        "the gzip data is damaged or ends early.\nCopy or export the file again.",
    ),
    "JSON array cut off": (
        "t.json",
        b'[{"title": "a"},\n {"title"',
        "line 2, column 10: not valid JSON.\nExpected one JSON object a line, or one array of objects.",
    ),
    "JSON line cut off": (
        "t.jsonl",
        b'{"title": "a"}\n{"title"\n',
        "row 2: expected one JSON object a line; not valid JSON at column 9.\n`triage import` puts such rows aside.",
    ),
    "JSON line of numbers": (
        "t.jsonl",
        b'{"title": "a"}\n17\n',
        "row 2: expected a JSON object, found int.\n`triage import` puts such rows aside.",
    ),
    "no encoding fits": (
        "t.csv",
        b"ticket_id,title\n1,a\n2,b\x81\n",
        "line 3: expected UTF-8, UTF-16 or Windows-1252, found the byte 0x81, which fits none.\nSave the file as UTF-8.",
    ),
    "row with too many fields": (
        "t.csv",
        b"ticket_id,title\n1,a\n2,b,c\n",
        "row 3: expected 2 fields as in the header, found 3.\n`triage import` puts such rows aside.",
    ),
    "quote never closed": (
        "t.csv",
        b'ticket_id,title\n1,a\n2,"b\n3,c\n',
        "row 3: a quote that opens in this row is never closed; all rows after it are lost in it.\n"
        'Close it, or write a quote inside of text as "".',
    ),
}


@pytest.mark.parametrize(("name", "content", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_file(written: Writer, name: str, content: bytes, message: str) -> None:
    path = written(content, name)
    with pytest.raises(InputError, match=rf"^{re.escape(str(path))}(: |, ){re.escape(message)}$"):
        read_tickets(path)


def test_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    with pytest.raises(InputError, match=f"^{re.escape(str(path))}: no such file.$"):
        read_tickets(path)


def test_folder_instead_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.mkdir()
    with pytest.raises(InputError, match=f"^{re.escape(str(path))}: this is a folder; expected a file.$"):
        read_tickets(path)


def test_no_file_at_all() -> None:
    with pytest.raises(InputError, match=r"^No file was given\.$"):
        read_tickets([])
