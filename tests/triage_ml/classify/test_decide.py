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


@pytest.mark.parametrize("size", [10, 50])
def test_the_promise_holds_where_tickets_are_right_or_wrong_by_template(size: int) -> None:
    """All confidences are alike, so one set is tested; right 88.5 % of the time, which breaks the promise."""
    kept = 0
    for seed in range(100):
        right = np.repeat(np.random.default_rng(seed).uniform(size=2000 // size) < 0.885, size)
        probabilities = np.tile(np.float32([0.92, 0.08]), (2000, 1))
        policy = choose_policy(probabilities, np.where(right, 0, 1), 0.90, np.arange(2000) // size)
        kept += policy.threshold > 1
    assert kept >= 95


def thinned(
    rows: int, seed: int, kept_of_sure: float, kept_of_unsure: float
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]]:
    """Of tickets above 0.85 and of the others a share is kept, and stands for the rest."""
    probabilities, truth = calibrated(rows, seed)
    share = np.where(probabilities.max(axis=1) >= 0.85, kept_of_sure, kept_of_unsure)
    kept = np.random.default_rng(seed + 1).uniform(size=rows) < share
    return probabilities[kept], truth[kept], 1 / share[kept]


@pytest.mark.parametrize(
    ("of_sure", "of_unsure", "unweighted"), [(0.2, 1.0, "cautious"), (1.0, 0.2, "bold")], ids=["sure", "unsure"]
)
def test_thinning_makes_a_threshold_neither_cautious_nor_bold(
    of_sure: float, of_unsure: float, unweighted: str
) -> None:
    whole = choose_policy(*calibrated(40_000, seed=1), 0.88).threshold
    probabilities, truth, stands = thinned(40_000, 1, of_sure, of_unsure)
    weighed = choose_policy(probabilities, truth, 0.88, weights=stands).threshold
    taken_as_they_are = choose_policy(probabilities, truth, 0.88).threshold
    assert weighed == pytest.approx(whole, abs=0.035)  # fewer tickets, so a wider bound
    assert (taken_as_they_are - whole > 0.04) if unweighted == "cautious" else (taken_as_they_are - whole < -0.04)


def test_the_promise_holds_on_later_tickets_where_calibration_was_thinned() -> None:
    later, truth = calibrated(200_000, seed=999)
    right = later.argmax(axis=1) == truth
    held = 0
    for seed in range(100):
        probabilities, theirs, stands = thinned(6000, seed, 1.0, 0.25)
        policy = choose_policy(probabilities, theirs, 0.88, weights=stands)
        chosen = later.max(axis=1) >= policy.threshold
        held += bool(not chosen.any() or right[chosen].mean() >= 0.88)
    assert held >= 95


def test_the_same_weight_for_all_says_no_more_than_none() -> None:
    probabilities, truth = calibrated(3000, seed=5)
    groups = np.arange(3000) // 3
    one = choose_policy(probabilities, truth, 0.85, groups)
    four = choose_policy(probabilities, truth, 0.85, groups, np.full(3000, 4.0))
    assert one.threshold == four.threshold <= 1


@pytest.mark.parametrize(
    ("groups", "weights", "independent"),
    [
        (None, None, 300),
        (np.arange(300) // 10, None, 30),
        (np.r_[np.zeros(100, int), np.arange(1, 201)], None, 300**2 / (100**2 + 200)),
        (None, np.repeat([1.0, 4.0], 150), 750**2 / (150 + 16 * 150)),
    ],
    ids=["each on its own", "templates of ten", "a storm", "thinned"],
)
def test_it_tells_as_how_many_tickets_those_that_it_was_chosen_on_count(
    groups: NDArray[np.int64] | None, weights: NDArray[np.float64] | None, independent: float
) -> None:
    """Kish (1965): the square of the summed weight over the summed squares of the groups' weights."""
    policy = choose_policy(*calibrated(300, seed=5), 0.85, groups, weights)
    assert policy.tickets == 300
    assert policy.independent == pytest.approx(independent)


@pytest.mark.parametrize("first", [True, False])
def test_tickets_of_one_probability_are_tested_together(first: bool) -> None:
    right = np.repeat([first, not first], [900, 100] if first else [100, 900])
    probabilities = np.tile(np.float32([0.97, 0.03]), (1000, 1))
    assert choose_policy(probabilities, np.where(right, 0, 1), 0.95).threshold > 1


def test_perfect_answers_are_auto_as_soon_as_so_many_can_show_it() -> None:
    """58 of 58 as good as 29 of 29 here, since the later tickets have luck of their own."""
    draw = np.random.default_rng(0)
    for tickets, shown in ((56, False), (60, True)):
        sure = draw.uniform(0.9, 1.0, tickets).astype(np.float32)
        policy = choose_policy(np.stack([sure, 1 - sure], axis=1), np.zeros(tickets, dtype=np.int64), 0.90)
        assert (policy.threshold <= 1) is shown


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
    assert decided(policy, 1.0, 0) == ("suggest", "below_threshold")


def test_a_class_that_the_head_does_not_know_counts_as_an_error() -> None:
    probabilities, truth = calibrated(2000, seed=4, low=0.95)
    strangers = np.where(np.arange(2000) % 5 == 0, -1, truth)
    assert choose_policy(probabilities, truth, 0.9).threshold < 1
    assert choose_policy(probabilities, strangers, 0.9).threshold > 1


def decided(policy: Policy, probability: float, index: int) -> tuple[str, str]:
    decisions, _ = policy.decide(np.array([probability], dtype=np.float32), np.array([index]))
    return decisions[0]


def test_what_is_hardly_likely_is_for_a_person() -> None:
    policy = Policy(0.9, 0.8, np.array([True, False]))
    assert decided(policy, 0.85, 0) == ("auto", "confident")
    assert decided(policy, 0.5, 0) == ("suggest", "below_threshold")
    assert decided(policy, 0.1, 0) == ("human", "below_threshold")
    assert decided(policy, 0.99, 1) == ("suggest", "not_enough_evidence")
    assert decided(policy, 0.1, 1) == ("human", "below_threshold")


def with_a_boaster(rows: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Three classes; what is said of class 2 is true less often than stated, of the others a little more often."""
    draw = np.random.default_rng(seed)
    confidence = draw.uniform(0.6, 1.0, rows).astype(np.float32)
    predicted = draw.integers(0, 3, rows)
    right = draw.uniform(size=rows) < np.where(predicted == 2, confidence - 0.15, np.minimum(confidence + 0.06, 1))
    probabilities = np.where(
        predicted[:, None] == np.arange(3), confidence[:, None], (1 - confidence[:, None]) / 2
    ).astype(np.float32)
    return probabilities, np.where(right, predicted, (predicted + 1) % 3)


def test_a_class_that_breaks_the_promise_has_a_threshold_of_its_own() -> None:
    policy = choose_policy(*with_a_boaster(4000, seed=5), 0.9)
    assert [index for index, _ in policy.own] == [2]
    assert policy.thresholds[2] > policy.thresholds[0] == policy.thresholds[1]
    later, truth = with_a_boaster(40_000, seed=6)
    chosen = later.argmax(axis=1)
    automatic = policy.automatic(later.max(axis=1), chosen)
    right = chosen == truth
    assert right[automatic].mean() >= 0.9
    assert right[automatic & (chosen != 2)].mean() >= 0.9


def test_with_thresholds_of_their_own_the_promise_holds_in_95_of_100_draws_as_well() -> None:
    later, truth = with_a_boaster(100_000, seed=7)
    chosen, confidence = later.argmax(axis=1), later.max(axis=1)
    held = 0
    for seed in range(100):
        automatic = choose_policy(*with_a_boaster(2000, seed), 0.9).automatic(confidence, chosen)
        held += bool(not automatic.any() or (chosen == truth)[automatic].mean() >= 0.9)
    assert held >= 95
