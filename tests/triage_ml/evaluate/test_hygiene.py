"""Wrong labels that were planted, labels that are spelled twice, groups that changed their name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from triage_ml.evaluate import doubted_labels, learning_curve, renamed_groups, similar_labels

CLASSES = ("Access", "Network", "Printing")


def planted(rows: int = 900, wrong: int = 60) -> tuple[np.ndarray, np.ndarray, set[int]]:
    """Probabilities of a good model, labels of which some are swapped, and which."""
    draw = np.random.default_rng(1)
    truth = draw.integers(0, 3, rows)
    margins = draw.normal(0, 1, (rows, 3))
    margins[np.arange(rows), truth] += 4
    probabilities = np.exp(margins) / np.exp(margins).sum(axis=1, keepdims=True)
    labels = truth.copy()
    labels[:wrong] = (truth[:wrong] + 1) % 3
    return probabilities.astype(np.float32), np.array(CLASSES, dtype=object)[labels], set(range(wrong))


def test_planted_labels_are_found_and_the_surest_are_wrong_indeed() -> None:
    probabilities, labels, wrong = planted()
    found = doubted_labels(probabilities, CLASSES, labels)
    assert len({doubt.row for doubt in found} & wrong) / len(wrong) >= 0.75
    assert {doubt.row for doubt in found[:30]} <= wrong
    assert [doubt.margin for doubt in found] == sorted((doubt.margin for doubt in found), reverse=True)
    assert all(doubt.label == labels[doubt.row] != doubt.suggested for doubt in found)


def test_where_every_label_is_right_hardly_any_is_doubted() -> None:
    probabilities, labels, _ = planted(wrong=0)
    assert len(doubted_labels(probabilities, CLASSES, labels)) < 0.02 * len(labels)


def test_a_label_that_the_model_does_not_know_is_not_judged() -> None:
    probabilities, labels, _ = planted()
    labels[:] = "Facilities"
    assert doubted_labels(probabilities, CLASSES, labels) == []


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Service Desk", "service-desk", True),
        ("Network Operations", "Network Operatons", True),
        ("Team 1", "Team 2", False),
        ("SAP", "SAS", False),
        ("Hardware", "Software", False),
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
