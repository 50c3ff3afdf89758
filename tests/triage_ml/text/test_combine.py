"""Title and description as one text, whatever is missing."""

from __future__ import annotations

import pandas as pd
import pytest

from triage_ml.text import combine, ticket_text


@pytest.mark.parametrize(
    ("title", "description", "expected"),
    [
        ("VPN down", "since noon", "VPN down\nsince noon"),
        ("VPN down", None, "VPN down"),
        (float("nan"), " since noon ", "since noon"),
        (pd.NA, "  ", ""),
    ],
)
def test_combine(title: object, description: object, expected: str) -> None:
    assert combine(title, description) == expected


def test_ticket_text_gives_one_text_a_row() -> None:
    frame = pd.DataFrame({"title": ["a", None], "description": ["b", None]})
    assert ticket_text(frame) == ["a\nb", ""]


def test_ticket_text_needs_neither_column() -> None:
    assert ticket_text(pd.DataFrame({"description": ["b"]})) == ["b"]
    assert ticket_text(pd.DataFrame({"ticket_id": ["1", "2"]})) == ["", ""]
