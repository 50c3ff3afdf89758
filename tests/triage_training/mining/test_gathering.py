from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from triage_ml.patterns import NO_TEXT, collapse, masked_texts
from triage_ml.text import ticket_text
from triage_ml.tickets import source_of
from triage_training import gathering
from triage_training.facts import row_digests
from triage_training.gathering import gather


@pytest.fixture
def tickets() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ticket_id": ["B", "A", "C", "D", "E"],
            "title": ["VPN down on srv-db-01", "vpn  down on srv-db-02", "Printer jam", "", "Printer jam"],
            "description": ["", "", "", " ", ""],
            "resolution": ["See KB12345", None, "New toner", "none", "new  toner"],
            "category": ["Network", "Network", "Print", None, "Copy"],
        }
    )


def test_each_thing_is_said_once_by_the_ticket_with_the_smallest_id(tickets: pd.DataFrame) -> None:
    found = gather(tickets)

    uniques = collapse(masked_texts(ticket_text(tickets)))
    assert list(found.said.text) == list(uniques.texts)
    assert found.of_row.tolist() == uniques.of_row.tolist()
    assert found.of_row[3] == NO_TEXT
    vpn, printer = (found.said[found.of_row[row]] for row in (0, 2))
    assert (vpn.tickets, vpn.example, vpn.label, vpn.note) == (2, "vpn down on srv-db-02", "Network", "")
    assert (printer.tickets, printer.label, printer.note) == (2, "Copy", "new toner")
    assert found.articles == ["KB12345", None, None, None, None]
    assert [found.closing[row] for row in range(5)] == ["see kb12345", "", "new toner", "none", "new toner"]


def test_what_is_joined_in_between_changes_nothing(tickets: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    many = pd.concat(
        [
            tickets.assign(ticket_id=tickets["ticket_id"] + str(n), title=tickets["title"] + "!" * (n % 7))
            for n in range(40)
        ]
    )
    expected = gather(many)
    monkeypatch.setattr(gathering, "WAITING", 3)
    monkeypatch.setattr("triage_ml.tickets.source.PIECE", 4)

    found = gather(many)

    assert list(found.said) == list(expected.said)
    assert found.of_row.tolist() == expected.of_row.tolist()


def test_some_rows_say_what_they_say_alone(tickets: pd.DataFrame) -> None:
    found = gather(tickets, np.array([0, 4]))

    assert sorted(one.tickets for one in found.said) == [1, 1]
    assert found.rows.tolist() == [0, 4]


def test_a_digest_is_what_pandas_makes_of_the_columns(tickets: pd.DataFrame) -> None:
    source = source_of(tickets)
    closed = tickets.reindex(columns=["resolution", "subcategory"]).astype("string").fillna("")
    expected = pd.util.hash_pandas_object(closed, index=False).to_numpy(dtype=np.uint64) >> np.uint64(32)

    assert [one[8:] for one in row_digests(source, source.frame)] == [f"{value:08x}" for value in expected.tolist()]
