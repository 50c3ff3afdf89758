"""How much a second opinion counts is what held-out tickets say of it."""

from __future__ import annotations

import numpy as np
import pytest

from triage_ml.classify.blend import choose_share
from triage_ml.classify.calibrate import log_loss

TRUTH = np.random.default_rng(0).integers(0, 3, 2000)


def opinion(sharpness: float, seed: int) -> np.ndarray:
    """Margins that know the truth as well as `sharpness` says, with noise of their own."""
    noise = np.random.default_rng(seed).normal(size=(len(TRUTH), 3)).astype(np.float32)
    return noise + np.float32(sharpness) * np.eye(3, dtype=np.float32)[TRUTH]


def test_an_opinion_that_knows_nothing_gets_no_share() -> None:
    assert choose_share(opinion(2.0, seed=1), opinion(0.0, seed=2), TRUTH) == 0.0


def test_two_equal_ones_count_about_the_same_and_together_know_more() -> None:
    first, second = opinion(1.5, seed=1), opinion(1.5, seed=2)
    share = choose_share(first, second, TRUTH)
    assert share == pytest.approx(1, abs=0.15)
    assert log_loss(first + np.float32(share) * second, TRUTH, 0.7) < log_loss(first, TRUTH, 0.7)


def test_the_share_undoes_the_scale() -> None:
    first, second = opinion(1.5, seed=1), opinion(1.5, seed=2)
    assert choose_share(first, 10 * second, TRUTH) == pytest.approx(choose_share(first, second, TRUTH) / 10, rel=0.02)


def test_classes_that_nobody_knows_are_left_out() -> None:
    first, second = opinion(1.5, seed=1), opinion(1.5, seed=2)
    lost = np.where(np.arange(len(TRUTH)) % 2, TRUTH, -1)
    assert choose_share(first, second, lost) == pytest.approx(choose_share(first[1::2], second[1::2], TRUTH[1::2]))


@pytest.mark.parametrize("truth", [np.zeros(0, dtype=np.int64), np.full(5, -1)])
def test_without_evidence_the_second_opinion_is_not_heard(truth: np.ndarray) -> None:
    nothing = np.zeros((len(truth), 3), dtype=np.float32)
    assert choose_share(nothing, nothing, truth) == 0.0


@pytest.mark.parametrize(("alike", "is_heard"), [(True, False), (False, True)], ids=["one template", "different ones"])
def test_a_storm_of_one_template_says_no_more_than_one_ticket(alike: bool, is_heard: bool) -> None:
    """Of the last 300 the first opinion knows little and the second all, of the others the second knows nothing."""
    first, second = opinion(2.0, seed=1), opinion(0.0, seed=2)
    first[-300:] = opinion(0.5, seed=1)[-300:]
    second[-300:] = opinion(3.0, seed=2)[-300:]
    groups = np.arange(len(TRUTH))
    groups[-300:] = groups[-1] if alike else groups[-300:]
    assert bool(choose_share(first, second, TRUTH, groups)) is is_heard


def test_copies_change_nothing_and_weights_stand_for_copies() -> None:
    """Each ticket has a second one in its group; the first stands for three."""
    first, second, groups = opinion(1.5, seed=1), opinion(1.5, seed=2), np.arange(len(TRUTH)) // 2
    copies = np.where(np.arange(len(TRUTH)) % 2, 1, 3)
    written_out = [np.repeat(part, copies, axis=0) for part in (first, second, TRUTH, groups)]
    weighed = choose_share(first, second, TRUTH, groups, copies.astype(np.float64))
    assert weighed == pytest.approx(choose_share(*written_out), rel=1e-3)
    assert weighed != pytest.approx(choose_share(first, second, TRUTH, groups), rel=1e-3)
