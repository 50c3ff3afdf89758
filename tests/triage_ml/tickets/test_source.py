from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from triage_ml.errors import InputError
from triage_ml.tickets import LONG_TEXTS, TicketSource, open_tickets, read_tickets, source_of, write_tickets
from triage_ml.tickets import source as module


@pytest.fixture
def tickets() -> pd.DataFrame:
    rows = 25
    return pd.DataFrame(
        {
            "ticket_id": [f"T{row:03d}" for row in range(rows)],
            "opened_at": pd.date_range("2026-01-05", periods=rows, freq="h", tz="UTC"),
            "title": [f"title {row}" for row in range(rows)],
            "description": [None if row % 3 else f"body {row}" for row in range(rows)],
            "resolution": [f"note {row % 4}" for row in range(rows)],
            "category": ["A", None, " B ", "C", "D"] * 5,
            "effort_minutes": np.arange(rows) / 2,
            "reopen_count": np.arange(rows),
            "site": ["Bonn"] * rows,
            "colour": ["red"] * rows,
        }
    )


@pytest.fixture
def path(tickets: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tickets as Parquet in row groups of 8, read in pieces of 3."""
    monkeypatch.setattr(module, "PIECE", 3)
    tickets.to_parquet(tmp_path / "tickets.parquet", index=False, row_group_size=8)
    return tmp_path / "tickets.parquet"


def whole(source: TicketSource, rows: list[int]) -> pd.DataFrame:
    """These rows with their texts."""
    pieces = list(source.pieces(np.array(rows, dtype=np.int64)))
    assert [row for own, _ in pieces for row in own.tolist()] == rows
    assert max(len(own) for own, _ in pieces) <= 3
    texts = pd.concat([frame for _, frame in pieces], ignore_index=True)
    return pd.concat([source.frame.iloc[rows].reset_index(drop=True), texts], axis=1)


@pytest.mark.parametrize("rows", [list(range(25)), [0, 7, 8, 23], [24]], ids=["all", "some of each group", "the last"])
def test_on_disk_it_says_what_the_file_says(path: Path, rows: list[int]) -> None:
    source = open_tickets(path, kept=("site",))
    read = read_tickets(path)

    assert type(source) is module._OnDisk
    assert not set(source.frame) & {*LONG_TEXTS, "colour"}
    expected = read.drop(columns="colour").iloc[rows].reset_index(drop=True)
    pd.testing.assert_frame_equal(whole(source, rows)[list(expected)], expected)


def test_in_memory_and_on_disk_have_the_same_hashes(path: Path) -> None:
    on_disk, in_memory = open_tickets(path), source_of(read_tickets(path))

    assert sorted(on_disk.hashes) == sorted(in_memory.hashes) == sorted(LONG_TEXTS)
    for name in LONG_TEXTS:
        assert on_disk.hashes[name].tolist() == in_memory.hashes[name].tolist()


def test_progress_is_told_to_the_last_row(path: Path) -> None:
    told: list[tuple[int, int]] = []
    open_tickets(path, told=lambda done, total: told.append((done, total)))

    assert told[0] == (3, 25)
    assert told[-1] == (25, 25)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ticket_id": "T001"}, "expected every id once, found 'T001' 2 times"),
        ({"title": None, "description": None}, "row 21: title and description are empty"),
    ],
    ids=["an id that is there twice", "a row without text"],
)
def test_what_is_wrong_is_the_same_error_as_for_the_whole_file(
    tickets: pd.DataFrame, path: Path, change: dict[str, object], message: str
) -> None:
    for name, value in change.items():
        tickets.loc[20, name] = value
    tickets.to_parquet(path, index=False, row_group_size=8)

    with pytest.raises(InputError, match=message) as found:
        open_tickets(path)
    with pytest.raises(InputError) as expected:
        read_tickets(path)
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize("name", ["tickets.csv", "tickets.jsonl", "foreign.parquet"])
def test_other_files_are_read_whole(tickets: pd.DataFrame, tmp_path: Path, name: str) -> None:
    table = tickets.rename(columns={"ticket_id": "Number"}) if name.startswith("foreign") else tickets
    write_tickets(table, tmp_path / name)

    source = open_tickets(tmp_path / name)

    assert type(source) is module._InMemory
    assert source.frame["ticket_id"].tolist() == tickets["ticket_id"].tolist()


def replace_file(path: Path, tickets: pd.DataFrame) -> None:
    tickets.iloc[::-1].to_parquet(path.with_suffix(".new"), index=False, row_group_size=8)
    path.with_suffix(".new").replace(path)


def write_again(path: Path, tickets: pd.DataFrame) -> None:
    tickets.iloc[::-1].to_parquet(path, index=False, row_group_size=8)


def delete(path: Path, tickets: pd.DataFrame) -> None:
    path.unlink()


@pytest.mark.parametrize("change", [replace_file, write_again, delete])
@pytest.mark.parametrize("read", [0, 1], ids=["before its texts are read", "between two pieces"])
def test_a_file_that_changes_lends_its_texts_to_no_other_ticket(
    path: Path, tickets: pd.DataFrame, change: Callable[[Path, pd.DataFrame], None], read: int
) -> None:
    pieces = open_tickets(path).pieces(np.arange(25))
    for _ in range(read):
        next(pieces)
    change(path, tickets)

    with pytest.raises(InputError, match=r"tickets\.parquet: this file was changed while it was read"):
        list(pieces)
