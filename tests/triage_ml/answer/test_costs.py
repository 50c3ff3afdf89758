"""Deciding by what a wrong route costs, against the definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage_ml.answer.costs import cheapest, cost_table
from triage_ml.errors import SettingsError
from triage_ml.settings import Costs, Decision

TIERS = ("L1", "L2", "L3")
DEAR_L3 = Costs(person=1.0, wrong=2.0, pairs={"L1": {"L3": 12.0}, "L2": {"L3": 9.0}})


def test_the_table_has_the_true_tier_in_rows() -> None:
    assert cost_table(DEAR_L3, TIERS).tolist() == [[0, 2, 12], [2, 0, 9], [2, 2, 0]]


def test_a_tier_that_is_not_there_is_an_error() -> None:
    with pytest.raises(SettingsError, match=r"^\[decision.costs.pairs\] names tier 'L9'; known are L1, L2, L3\.$"):
        cost_table(Costs(pairs={"L1": {"L9": 2.0}}), TIERS)


@given(st.integers(0, 2**16), st.integers(2, 5))
def test_the_cheapest_answer_is_the_cheapest_of_all(seed: int, size: int) -> None:
    chance = np.random.default_rng(seed)
    probabilities = chance.dirichlet([0.4] * size, 5).astype(np.float32)
    table = chance.integers(0, 6, (size, size)).astype(float)
    np.fill_diagonal(table, 0)
    chosen, cost = cheapest(probabilities, table)
    for row in range(len(probabilities)):
        every = [sum(float(probabilities[row, a]) * table[a, b] for a in range(size)) for b in range(size)]
        assert cost[row] == pytest.approx(min(every))
        assert every[chosen[row]] == pytest.approx(min(every))


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ([0.80, 0.15, 0.05], ("L1", "auto", "confident")),  # 0.4
        ([0.05, 0.05, 0.90], ("L3", "suggest", "below_threshold")),  # L3 costs 1.05, L1 1.9
        ([0.02, 0.02, 0.96], ("L3", "auto", "confident")),  # 0.42
        ([0.40, 0.35, 0.25], ("L1", "suggest", "below_threshold")),  # 1.2
    ],
    ids=["a cheap mistake", "a dear mistake asks a person", "sure enough for a dear one", "nobody is sure"],
)
def test_an_answer_is_given_where_it_costs_less_than_a_person(
    desk: Any, answered: Any, what: Any, probabilities: list[float], expected: tuple[str, str, str]
) -> None:
    found = desk.verdicts({"tier": answered(TIERS, [probabilities])}, decision=Decision(costs=DEAR_L3))
    assert what(found["tier"]) == expected


def test_the_cheapest_answer_need_not_be_the_most_likely(desk: Any, answered: Any, what: Any) -> None:
    costs = Costs(person=3.0, wrong=1.0, pairs={"L1": {"L3": 50.0}})
    found = desk.verdicts({"tier": answered(TIERS, [[0.4, 0.05, 0.55]])}, decision=Decision(costs=costs))
    assert what(found["tier"]) == ("L1", "auto", "confident")


def test_a_class_without_evidence_is_never_auto(desk: Any, answered: Any, what: Any) -> None:
    found = desk.verdicts(
        {"tier": answered(TIERS, [[0.99, 0.01, 0.0]])}, decision=Decision(costs=DEAR_L3), without_evidence=["L1"]
    )
    assert what(found["tier"]) == ("L1", "suggest", "not_enough_evidence")


@given(st.integers(0, 2**16))
def test_a_dearer_person_never_lowers_coverage(desk: Any, answered: Any, seed: int) -> None:
    probabilities = np.random.default_rng(seed).dirichlet([0.5] * 3, 20)
    given = {"tier": answered(TIERS, probabilities)}
    auto = [
        desk.verdicts(given, decision=Decision(costs=Costs(person=person, wrong=5.0)))["tier"].action == 0
        for person in (0.2, 1.0, 3.0)
    ]
    assert (auto[0] <= auto[1]).all()
    assert (auto[1] <= auto[2]).all()
