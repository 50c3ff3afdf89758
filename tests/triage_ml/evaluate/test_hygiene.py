"""Labels that are spelled twice, groups that changed their name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from triage_ml.evaluate import learning_curve, new_and_retired, renamed_groups, similar_labels


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Service Desk", "service-desk", True),
        ("Network Operations", "Network Operatons", True),
        ("Team 1", "Team 2", False),
        ("SAP", "SAS", False),
        ("Hardware", "Software", False),
        ("Application Support ERP", "Application Support CRM", False),
        ("Aplication Support ERP", "Application Support ERP", True),
    ],
)
def test_labels_that_are_spelled_alike(one: str, other: str, alike: bool) -> None:
    found = similar_labels(pd.Series([one] * 5 + [other] * 2))
    assert [(row.kept, row.other, row.kept_tickets, row.other_tickets) for row in found] == (
        [(one, other, 5, 2)] if alike else []
    )


def test_a_group_that_ends_where_another_begins_with_the_same_work_was_renamed() -> None:
    days = pd.Series(pd.date_range("2026-01-01", periods=400, freq="D", tz="UTC"))
    old_or_new = np.where(np.arange(400) < 200, "Desktop North", "Desktop Support")
    groups = pd.Series(np.where(np.arange(400) % 2, "Network", old_or_new))
    texts = ["vpn tunnel down" if row % 2 else "laptop screen broken" for row in range(400)]
    found = renamed_groups(groups, days, texts)
    assert [(row.kept, row.other, row.why) for row in found] == [("Desktop Support", "Desktop North", "renamed")]
    texts = [text if row < 200 else f"badge {text[:3]}" for row, text in enumerate(texts)]
    assert renamed_groups(groups, days, texts) == []


def test_a_learning_curve_that_bends_down_promises_nothing() -> None:
    assert learning_curve("tier", [(100, 0.7), (200, 0.6)]).gain == 0.0
    with pytest.raises(ValueError, match="expected two sizes or more, found 1"):
        learning_curve("tier", [(100, 0.7)])


def test_a_group_that_begins_and_one_that_ends_are_told_and_a_small_one_is_not() -> None:
    days = pd.Series(pd.date_range("2026-01-01", periods=400, freq="D", tz="UTC"))
    groups = pd.Series(["Network"] * 400)
    groups[np.arange(400) % 4 == 0] = np.where(np.arange(100) < 50, "Old Desk", "New Desk")
    groups[300:305] = "Passing"
    assert new_and_retired(groups, days) == (["New Desk"], ["Old Desk"])
