"""Figures of whole tickets: only where every routing target can be judged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from triage_ml.errors import InputError
from triage_ml.evaluate import evaluate_answers, stands_for
from triage_ml.evaluate.answers import Answered


def answered(predicted: list[str]) -> Answered:
    sure = np.ones(len(predicted), dtype=bool)
    return Answered(np.array(predicted, dtype=object), np.full(len(predicted), 0.9, np.float32), {"0.90": sure})


@pytest.mark.parametrize("dtype", [object, "string"])
def test_a_ticket_without_a_label_of_every_routing_target_is_no_right_one(dtype: object) -> None:
    labels = pd.DataFrame({"tier": ["L1", "L1", "L2", None], "category": ["A", None, "B", None]}).astype(dtype)  # type: ignore[call-overload]
    answers = {"tier": answered(["L1", "L2", "L2", "L1"]), "category": answered(["A", "A", "A", "A"])}
    whole = evaluate_answers(answers, labels, routing=("tier", "category")).ticket["0.90"]
    assert (whole.tickets, whole.precision, whole.coverage) == (2, 0.5, 1.0)


def test_a_ticket_that_stands_for_none_is_not_measured_and_one_that_stands_for_three_counts_so() -> None:
    labels = pd.DataFrame({"tier": ["L1", "L2", "L3"], "label_stands_for": [3.0, 1.0, 0.0]})
    given = {"tier": answered(["L1", "L1", "L1"])}
    found = evaluate_answers(given, labels, routing=["tier"], stands_for=stands_for(labels))
    assert (found.targets["tier"].tickets, found.targets["tier"].accuracy.value) == (2, 0.75)
    assert found.ticket["0.90"].precision == 0.75


@pytest.mark.parametrize("wrong", [-1.0, "many", float("inf")])
def test_a_number_of_tickets_that_is_none_is_refused(wrong: object) -> None:
    with pytest.raises(InputError, match=r"Column label_stands_for: expected numbers of tickets, 0 and above\."):
        stands_for(pd.DataFrame({"label_stands_for": [1.0, wrong]}))
    assert stands_for(pd.DataFrame({"label_stands_for": [None, 2.0]})).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("wrong", [-0.1, 1.5, "half"])
def test_an_audit_share_that_can_not_be_is_told(wrong: object) -> None:
    with pytest.raises(InputError, match=r"Column label_audit_share: expected shares from 0 to 1\."):
        stands_for(pd.DataFrame({"label_audit_share": [0.1, wrong]}))
