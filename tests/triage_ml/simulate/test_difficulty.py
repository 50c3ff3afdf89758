"""The desk must be neither a toy nor noise: what a plain linear model reaches on it lies in a window.

A desk that anything can classify proves nothing. TF-IDF over words and pairs of words and a linear SVM are fitted on the
recorded labels of the first 80 % of the time and measured on the rest against the truth.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from triage_ml.simulate import simulate_desk

from .conftest import read_desk

WINDOW = {"tier": (0.78, 0.90), "category": (0.80, 0.92)}


def accuracies(tickets: pd.DataFrame, truth: pd.DataFrame) -> dict[str, float]:
    text = tickets.title.fillna("") + " " + tickets.description.fillna("")
    cut = int(len(tickets) * 0.8)
    vectoriser = TfidfVectorizer(ngram_range=(1, 2))
    early, late = vectoriser.fit_transform(text[:cut]), vectoriser.transform(text[cut:])
    return {
        target: float((LinearSVC().fit(early, tickets[target][:cut]).predict(late) == truth[target][cut:]).mean())
        for target in WINDOW
    }


@pytest.mark.parametrize(
    ("tickets", "weeks", "seed"),
    [
        pytest.param(12_000, 26, 1, id="small"),
        *(pytest.param(20_000, 26, seed, marks=pytest.mark.slow, id=f"seed-{seed}") for seed in range(1, 6)),
        pytest.param(100_000, 26, 1, marks=[pytest.mark.slow, pytest.mark.timeout(900)], id="full"),
    ],
)
def test_a_plain_linear_model_lands_in_the_window(tickets: int, weeks: int, seed: int, tmp_path: Path) -> None:
    tables = read_desk(simulate_desk(tmp_path / "desk", tickets=tickets, weeks=weeks, seed=seed))
    found = accuracies(tables.tickets, tables.truth)
    assert {target: low <= found[target] <= high for target, (low, high) in WINDOW.items()} == {
        "tier": True,
        "category": True,
    }, found
