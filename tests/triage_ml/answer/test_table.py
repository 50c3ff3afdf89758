"""What a ticket table says of earlier groups, however the export wrote it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from triage_ml.answer.rules import RuleBook
from triage_ml.answer.table import score_table


class Recorder:
    """Stands where the answerer stands, and keeps what it was told."""

    rules = RuleBook()

    def table(self, ids: list[str], texts: list[str], *, previous_groups: Any, **_: object) -> pd.DataFrame:
        self.told = [list(groups) for groups in previous_groups]
        return pd.DataFrame({"ticket_id": ids})


@pytest.mark.parametrize(
    ("written", "groups"),
    [
        ("SD; Night Desk", ["SD", "Night Desk"]),
        ('["SD", "Night; Desk"]', ["SD", "Night; Desk"]),
        ("[EU] Service Desk", ["[EU] Service Desk"]),
        (["SD"], ["SD"]),
        (None, []),
    ],
)
def test_earlier_groups_are_read(written: object, groups: list[str]) -> None:
    recorder = Recorder()
    table = pd.DataFrame({"ticket_id": ["1"], "title": ["x"], "previous_groups": pd.Series([written], dtype=object)})
    score_table(recorder, table)  # type: ignore[arg-type]
    assert recorder.told == [groups]
