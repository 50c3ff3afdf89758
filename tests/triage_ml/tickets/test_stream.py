"""Reading a chunk at a time: the same tickets as reading at once, in chunks that are always the same."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from triage_ml.errors import InputError
from triage_ml.tickets import read_tickets, stream_tickets, write_tickets

TICKETS = pd.DataFrame(
    {
        "ticket_id": [f"T{number}" for number in range(25)],
        "title": [f"title, number {number}" if number % 3 else None for number in range(25)],
        "description": [f'line "one"\nline {number}' for number in range(25)],
        "priority": [str(number % 4) for number in range(25)],
        "resolution": "never read",
    }
)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.jsonl", "t.jsonl.gz", "t.parquet", "t.tsv"])
@pytest.mark.parametrize("rows", [1, 10, 100])
def test_chunks_hold_what_reading_at_once_holds(tmp_path: Path, name: str, rows: int) -> None:
    path = tmp_path / name
    write_tickets(TICKETS, path)
    chunks = list(stream_tickets(path, rows=rows))
    assert [len(chunk.frame) for chunk in chunks][:-1] == [rows] * (len(chunks) - 1)
    assert [chunk.number for chunk in chunks] == list(range(len(chunks)))
    joined = pd.concat([chunk.frame for chunk in chunks], ignore_index=True)
    expected = read_tickets(path)[["ticket_id", "title", "description", "priority"]]
    pd.testing.assert_frame_equal(joined[list(expected)], expected)
    assert "resolution" not in joined


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_the_share_that_was_read_grows_to_one(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_tickets(TICKETS, path)
    shares = [chunk.share for chunk in stream_tickets(path, rows=5)]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_file_without_ids_is_numbered_through(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_tickets(TICKETS.drop(columns="ticket_id"), path)
    ids = [one for chunk in stream_tickets(path, rows=10) for one in chunk.frame["ticket_id"]]
    assert ids == [f"row-{number}" for number in range(1, 26)]


def test_a_ticket_without_text_is_a_ticket(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("ticket_id,title\n1,\n2,printer\n", encoding="utf-8")
    (chunk,) = stream_tickets(path)
    assert chunk.frame["title"].isna().tolist() == [True, False]


def test_previous_groups_come_along(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"ticket_id": "1", "title": "x", "previous_groups": ["A", "B"]}\n', encoding="utf-8")
    (chunk,) = stream_tickets(path)
    assert chunk.frame["previous_groups"].tolist() == ['["A","B"]']


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "ticket_id,title\n1,a\n2,b,c\n", r"t\.csv, row 3: expected 2 fields as in the header, found 3\.$"),
        ("t.csv", "ticket_id,title\n1,a\n,b\n", r"t\.csv, ticket 2, column ticket_id: expected an id, found none\.$"),
        (
            "t.csv",
            'ticket_id,title\n1,a\n2,"b\n3,c\n',
            r"t\.csv, row 3: a quote that opens in this row is never closed",
        ),
        ("t.csv", "ticket_id,title\n", r"t\.csv: no tickets in it\.$"),
        (
            "t.csv",
            "ticket_id,colour\n1,a\n",
            r"t\.csv: expected a column title or description, found ticket_id, colour\.$",
        ),
        ("t.jsonl", '{"ticket_id": "1", "title": "a"}\n{"ti', r"t\.jsonl, row 2: expected one JSON object a line"),
        ("t.parquet", "PAR1 no, it is not", r"t\.parquet: can't be read as Parquet"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        list(stream_tickets(path))
    assert re.search(message, caught.value.message)
