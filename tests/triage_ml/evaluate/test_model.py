"""Figures of whole tickets: only where every routing target can be judged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from triage_ml.evaluate import evaluate_answers
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
