"""Files of every kind become the same table."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from triage_ml.errors import InputError
from triage_ml.tickets import read_tickets, write_tickets
from triage_ml.tickets.dtypes import STRING

Writer = Callable[..., Path]


@pytest.fixture
def table() -> pd.DataFrame:
    """One row with everything, one with next to nothing, text that is hard to keep."""
    frame = pd.DataFrame(
        {
            "ticket_id": ["INC1", "INC2"],
            "opened_at": pd.to_datetime(["2026-11-22T03:04:05.123456Z", None]),
            "title": ['say "hi", ü', None],
            "description": ["line one\nline two;\tمرحبا 👩\u200d💻", "only this"],
            "tier": ["L2-EUC", None],
            "category": ["3", "Access"],
            "effort_minutes": [12.5, None],
            "reopen_count": pd.array([2, None], dtype="Int64"),
            "region": ["EU", None],
        }
    )
    frame["opened_at"] = frame["opened_at"].astype("datetime64[us, UTC]")
    return frame.astype({name: STRING for name in frame.columns if frame[name].dtype == object})


@pytest.mark.parametrize(
    "name",
    ["t.parquet", "t.csv", "t.tsv", "t.jsonl", "t.parquet.gz", "t.csv.gz", "t.jsonl.gz"],
)
def test_what_is_written_is_read_again(table: pd.DataFrame, tmp_path: Path, name: str) -> None:
    write_tickets(table, tmp_path / name)
    read = read_tickets(tmp_path / name)
    pd.testing.assert_frame_equal(read, table)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_equal_tables_give_equal_bytes(table: pd.DataFrame, tmp_path: Path) -> None:
    for name in ("t.parquet", "t.csv.gz"):
        write_tickets(table, tmp_path / name)
        first = (tmp_path / name).read_bytes()
        write_tickets(table.copy(), tmp_path / name)
        assert (tmp_path / name).read_bytes() == first


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found(written: Writer, encoding: str, delimiter: str) -> None:
    rows = [["ticket_id", "title", "category"], ["1", "Drucker für Jürgen", "Büro"], ["2", '"a;b,c"', "x"]]
    path = written("\r\n".join(delimiter.join(row) for row in rows).encode(encoding))
    frame = read_tickets(path)
    assert frame["title"].tolist() == ["Drucker für Jürgen", "a;b,c"]
    assert frame["category"].tolist() == ["Büro", "x"]


def test_json_array_and_nested_values(written: Writer) -> None:
    path = written('[{"title": "a", "priority": 3.0, "tags": ["x", 1]}, {"title": "b", "urgent": true}]', "t.json")
    frame = read_tickets(path)
    assert frame["priority"].iloc[0] == "3"
    assert frame["tags"].iloc[0] == '["x",1]'
    assert frame["urgent"].iloc[1] == "true"
    assert frame["ticket_id"].tolist() == ["row-1", "row-2"]


def test_labels_are_stripped_strings_and_never_floats(tmp_path: Path) -> None:
    pd.DataFrame({"title": ["a", "b"], "category": [3.0, None], "priority": [" P1 ", ""]}).to_parquet(
        tmp_path / "t.parquet"
    )
    frame = read_tickets(tmp_path / "t.parquet")
    assert frame["category"].iloc[0] == "3"
    assert frame["priority"].iloc[0] == "P1"
    assert frame[["category", "priority"]].iloc[1].isna().all()


def test_nul_emoji_and_right_to_left_text_are_kept_as_filed(written: Writer) -> None:
    path = written('ticket_id,title\n1,"a\x00b"\n2,👩\u200d💻\n3,שלום\n')
    assert read_tickets(path)["title"].tolist() == ["a\x00b", "👩\u200d💻", "שלום"]


def test_several_files_are_one_table(written: Writer) -> None:
    one = written("ticket_id,title\n1,a\n", "1.csv")
    two = written('{"ticket_id": "2", "title": "b", "site": "HH"}\n', "2.jsonl.gz"[:-3])
    frame = read_tickets([one, two])
    assert frame["ticket_id"].tolist() == ["1", "2"]
    assert frame["site"].tolist()[1] == "HH"


def test_mapping_and_obvious_names(written: Writer) -> None:
    path = written("Number,Short Description,Assigned Group,Kind\nINC1,a,Desk,x\n")
    frame = read_tickets(path, mapping={"category": "Kind"})
    assert frame.iloc[0].to_dict() == {
        "ticket_id": "INC1",
        "title": "a",
        "description": frame["description"].iloc[0],
        "category": "x",
        "assignment_group": "Desk",
    }
    assert pd.isna(frame["description"].iloc[0])


WRONG_TABLES = {
    "no text column": (
        "ticket_id,category\n1,a\n",
        {},
        "{path}: expected a column title or description, found ticket_id, category.\n"
        "Map the column with the text: --map description=THEIRS.",
    ),
    "no text in any row": (
        "ticket_id,title\n1,\n2, \n",
        {},
        "{path}: title and description are empty in all of 2 rows.\nMap the column with the text: --map description=THEIRS.",
    ),
    "a row without text": (
        "ticket_id,title\n1,a\n2,\n",
        {},
        "{path}, row 3: title and description are empty (1 such rows).\n`triage import` puts such rows aside.",
    ),
    "the same id twice": (
        "ticket_id,title\n1,a\n2,b\n1,c\n",
        {},
        "{path}, column ticket_id: expected every id once, found '1' 2 times (1 rows too many in all).\n"
        "`triage import` keeps the last delivery of each ticket.",
    ),
    "a column that is needed": (
        "ticket_id,title\n1,a\n",
        {"require": ["tier"]},
        "{path}: column tier is missing; found ticket_id, title, description.\nMap a column to it: --map tier=THEIRS.",
    ),
    "a needed column without a value": (
        "ticket_id,title,tier\n1,a,\n",
        {"require": ["tier"]},
        "{path}: column tier holds no value in any of 1 rows.",
    ),
    "a mapped column that is not there": (
        "ticket_id,title\n1,a\n",
        {"mapping": {"category": "titel"}},
        "{path}: no column 'titel' to map to category; found ticket_id, title.\nDid you mean 'title'?",
    ),
    "a misspelt name of ours": (
        "ticket_id,title\n1,a\n",
        {"mapping": {"catgory": "title"}},
        "The ticket table has no column 'catgory'.\nDid you mean category? Its columns are ticket_id, opened_at, title, "
        "description, resolved_at, resolution, tier, category, subcategory, assignment_group, ticket_type, activity, priority, "
        "channel, configuration_item, requester_id, effort_minutes, reassignment_count, reopen_count.",
    ),
    "dates that don't parse": (
        "ticket_id,title,opened_at\n1,a,soon\n2,b,22nd?\n",
        {},
        "{path}, row 2, column opened_at: expected a time like 2026-11-22 03:04:05, 22.11.2026 03:04, 11/22/2026 3:04 PM or "
        "epoch seconds, found xxxx; none of 2 values can be read.\n"
        "Is another column meant? Map it: --map opened_at=THEIRS.",
    ),
    "dates that could be either": (
        "ticket_id,title,Created\n1,a,03/04/2026\n2,b,05/06/2026\n",
        {},
        "{path}, column 'Created' (opened_at): dates like 03/04/2026 can be day first or month first, and no row tells "
        "which.\nSay --dayfirst or --monthfirst.",
    ),
}


@pytest.mark.parametrize(("content", "options", "message"), WRONG_TABLES.values(), ids=WRONG_TABLES.keys())
def test_wrong_table(written: Writer, content: str, options: dict[str, object], message: str) -> None:
    path = written(content)
    with pytest.raises(InputError, match=f"^{re.escape(message.format(path=path))}$"):
        read_tickets(path, **options)  # type: ignore[arg-type]


def test_gzip_is_read_by_name(written: Writer) -> None:
    path = written(gzip.compress(b"ticket_id,title\n1,a\n"), "t.csv.gz")
    assert read_tickets(path)["title"].tolist() == ["a"]


@pytest.mark.needs_shared
def test_data_that_nobody_here_made(shared: Path) -> None:
    frame = read_tickets(shared / "data/it_service_v3/tickets.csv.gz", mapping={"category": "topic_group"})
    assert len(frame) == 47_837
    assert frame["category"].nunique() == 8
