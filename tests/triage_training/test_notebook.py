"""The Python API does what the commands do, with the same registry."""

from __future__ import annotations

import pandas as pd
import pytest

from triage_ml.errors import InputError
from triage_ml.settings import Settings
from triage_ml.simulate import Desk
from triage_training.notebook import Triage


def test_a_version_is_trained_measured_asked_and_listed(
    desk: Desk, desk_tickets: pd.DataFrame, settings: Settings
) -> None:
    triage = Triage(settings, taxonomy=desk.taxonomy_file)
    first = triage.train(desk_tickets.iloc[:900])
    assert first.version.role == "champion"
    later = desk_tickets.iloc[1500:1800]
    figures = triage.evaluate(later)
    assert list(figures.index) == ["tier", "category"]
    assert (figures["tickets"] == 300).all()
    assert (figures["macro_f1_low"] <= figures["macro_f1"]).all()
    answers = triage.predict(later)
    assert answers["ticket_id"].tolist() == later["ticket_id"].tolist()
    agreed = (answers["category"].to_numpy(object) == later["category"].to_numpy(object)).mean()
    assert agreed == pytest.approx(figures.at["category", "accuracy"], abs=0.03)
    assert triage.models()["role"].tolist() == ["champion"]
    assert triage.models()["category.macro_f1"].notna().all()
    compared = triage.compare(later, "1", "1")
    assert {name: (one.macro_f1.value, one.fixed) for name, one in compared.items()} == {
        "tier": (0.0, ()),
        "category": (0.0, ()),
    }
    with pytest.raises(InputError, match="Version 1 is champion already"):
        triage.promote("1")
    with pytest.raises(InputError, match="No outcome has come back yet"):
        triage.outcomes()
    assert len(triage.drift(desk_tickets, weeks=2).weeks) == 2
