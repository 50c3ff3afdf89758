"""The promise of precision: what a policy lets through, and how often it holds on tickets it has not seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from triage_ml.classify import Policy, choose_policy, lower_bound


def calibrated(rows: int, seed: int, low: float = 0.4) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Two classes; class 1 has probability p and is right p of the time."""
    draw = np.random.default_rng(seed)
    confidence = draw.uniform(low, 1.0, rows).astype(np.float32)
    confidence = np.maximum(confidence, 1 - confidence)
    predicted = draw.integers(0, 2, rows)
    right = draw.uniform(size=rows) < confidence
    probabilities = np.where(predicted[:, None] == np.arange(2), confidence[:, None], 1 - confidence[:, None])
    return probabilities.astype(np.float32), np.where(right, predicted, 1 - predicted)


@pytest.mark.parametrize(
    ("right", "total", "bound"), [(29, 29, 0.902), (28, 28, 0.899), (95, 100, 0.898), (0, 10, 0.0)]
)
def test_lower_bound_is_clopper_and_pearson(right: int, total: int, bound: float) -> None:
    assert lower_bound(right, total) == pytest.approx(bound, abs=5e-4)


@pytest.mark.parametrize("promise", [0.8, 0.9])
def test_the_promise_holds_on_later_tickets_in_at_least_95_of_100_draws(promise: float) -> None:
    later, truth = calibrated(200_000, seed=999)
    right = later.argmax(axis=1) == truth
    held = 0
    for seed in range(100):
        policy = choose_policy(*calibrated(3000, seed), promise)
        chosen = later.max(axis=1) >= policy.threshold
        held += bool(not chosen.any() or right[chosen].mean() >= promise)
    assert held >= 95


def test_it_does_not_buy_the_promise_with_silence() -> None:
    """Confidence is uniform on 0.5 to 1 here, so the best set at 0.90 covers 40 % of tickets."""
    later, _ = calibrated(50_000, seed=1, low=0.5)
    policy = choose_policy(*calibrated(5000, seed=2, low=0.5), 0.90)
    assert 0.30 <= (later.max(axis=1) >= policy.threshold).mean() <= 0.42


@given(st.floats(0.5, 0.98), st.floats(0.0, 0.02))
def test_a_higher_promise_never_raises_coverage(promise: float, more: float) -> None:
    probabilities, truth = calibrated(800, seed=3)
    assert (
        choose_policy(probabilities, truth, promise + more).threshold
        >= choose_policy(probabilities, truth, promise).threshold
    )


def test_nothing_is_auto_when_nothing_keeps_the_promise() -> None:
    draw = np.random.default_rng(0)
    probabilities = np.full((500, 2), 0.5, dtype=np.float32)
    policy = choose_policy(probabilities, draw.integers(0, 2, 500), 0.9)
    assert policy.threshold > 1
    assert policy.decide(1.0, 0) == ("suggest", "below_threshold")


def test_a_class_that_the_head_does_not_know_counts_as_an_error() -> None:
    probabilities, truth = calibrated(2000, seed=4, low=0.95)
    strangers = np.where(np.arange(2000) % 5 == 0, -1, truth)
    assert choose_policy(probabilities, truth, 0.9).threshold < 1
    assert choose_policy(probabilities, strangers, 0.9).threshold > 1


def test_what_is_hardly_likely_is_for_a_person() -> None:
    policy = Policy(0.9, 0.8, np.array([True, False]))
    assert policy.decide(0.85, 0) == ("auto", "confident")
    assert policy.decide(0.5, 0) == ("suggest", "below_threshold")
    assert policy.decide(0.1, 0) == ("human", "below_threshold")
    assert policy.decide(0.99, 1) == ("suggest", "not_enough_evidence")
