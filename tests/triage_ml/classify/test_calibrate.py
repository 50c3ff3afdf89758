"""Margins become probabilities that mean what they say, whatever is wrong with the margins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from triage_ml.classify.calibrate import Calibrator, fit_calibrator, fit_temperature, log_loss, softmax
from triage_ml.evaluate import calibration_bound, calibration_error

Drawn = tuple[NDArray[np.float32], NDArray[np.int64]]


def draw(rows: int, seed: int, classes: int = 4) -> Drawn:
    """Margins whose softmax is the truth."""
    random = np.random.default_rng(seed)
    margins = (2.5 * random.normal(size=(rows, classes))).astype(np.float32)
    chance = softmax(margins, 1.0).cumsum(axis=1)
    return margins, (random.random((rows, 1)) > chance).sum(axis=1).clip(max=classes - 1)


def holds(
    calibrator: Calibrator, offsets: NDArray[np.float32], margins: NDArray[np.float32], truth: NDArray[np.int64]
) -> bool:
    given = calibrator.probabilities(margins + offsets)
    confidence = given.max(axis=1)
    return calibration_error(confidence, given.argmax(axis=1) == truth) <= max(0.015, calibration_bound(confidence))


@pytest.mark.parametrize("scale", [0.2, 5.0], ids=["margins too small", "margins too large"])
def test_puts_a_wrong_scale_right(scale: float) -> None:
    margins, truth = draw(6000, seed=1)
    later, later_truth = draw(6000, seed=2)
    assert holds(*fit_calibrator(scale * margins, truth), scale * later, later_truth)


def test_wrong_labels_bound_how_sure_it_can_be() -> None:
    """One label of eight is drawn at random: no temperature says that, beta calibration does."""

    def spoil(drawn: Drawn, seed: int) -> Drawn:
        random = np.random.default_rng(seed)
        wrong = random.random(len(drawn[1])) < 1 / 8
        return drawn[0], np.where(wrong, random.integers(0, 4, len(drawn[1])), drawn[1])

    margins, truth = spoil(draw(8000, seed=3), 5)
    later, later_truth = spoil(draw(8000, seed=4), 6)
    calibrator, offsets = fit_calibrator(margins, truth)
    assert holds(calibrator, offsets, later, later_truth)
    assert (
        softmax(later, fit_temperature(margins, truth)).max() > 0.97 > calibrator.probabilities(later + offsets).max()
    )


def test_follows_classes_that_became_more_frequent() -> None:
    margins, truth = draw(9000, seed=7)
    often = np.random.default_rng(0).random(9000) < np.array([1.0, 0.15, 0.15, 0.15])[truth]
    plain = log_loss(margins[often], truth[often], 1.0)
    calibrator, offsets = fit_calibrator(margins[often], truth[often])
    later, later_truth = draw(9000, seed=8)
    again = np.random.default_rng(1).random(9000) < np.array([1.0, 0.15, 0.15, 0.15])[later_truth]
    given = calibrator.probabilities(later[again] + offsets)
    assert -np.log(given[np.arange(again.sum()), later_truth[again]]).mean() < 0.9 * plain
    assert offsets.argmax() == 0


def test_a_few_tickets_move_little() -> None:
    margins, _ = draw(6, seed=9)
    calibrator, offsets = fit_calibrator(margins, np.zeros(6, dtype=np.int64))
    assert np.abs(offsets / calibrator.temperature).max() < 1.0
    assert calibrator.probabilities(margins + offsets).max() < 1.0


def test_without_a_known_class_nothing_moves() -> None:
    margins, _ = draw(5, seed=10)
    calibrator, offsets = fit_calibrator(margins, np.full(5, -1))
    assert calibrator == Calibrator()
    assert not offsets.any()


@given(
    st.floats(0.05, 5.0),
    st.floats(0.01, 5.0),
    st.floats(0.01, 5.0),
    st.floats(-6.0, 6.0),
    st.integers(2, 9),
    st.integers(0, 99),
)
def test_any_calibrator_keeps_the_order_and_sums_to_one(
    temperature: float, a: float, b: float, c: float, classes: int, seed: int
) -> None:
    margins, _ = draw(50, seed, classes)
    given = Calibrator(temperature, (a, b, c)).probabilities(margins)
    np.testing.assert_allclose(given.sum(axis=1), 1, rtol=1e-5)
    assert (given >= 0).all()
    np.testing.assert_array_equal(given.argmax(axis=1), margins.argmax(axis=1))


def test_a_larger_margin_between_two_classes_is_never_less_sure() -> None:
    gap = np.linspace(0, 12, 200, dtype=np.float32)
    margins = np.stack([gap, np.zeros(200, dtype=np.float32)], axis=1)
    stated = Calibrator(0.8, (0.9, 0.4, 0.3)).probabilities(margins)[:, 0]
    assert (np.diff(stated) >= -1e-6).all()


def test_probabilities_mean_what_they_say_where_a_class_was_thinned() -> None:
    """Of one class a tenth is left to calibrate on: taken as it is, the class would be believed too seldom."""
    margins, truth = draw(20_000, seed=7)
    later, later_truth = draw(20_000, seed=8)
    share = np.where(truth == 0, 0.1, 1.0)
    kept = np.random.default_rng(9).random(len(truth)) < share

    def error(calibrator: Calibrator, offsets: NDArray[np.float32]) -> float:
        said = calibrator.probabilities(later + offsets)[:, 0].mean()
        return float(abs(said - (later_truth == 0).mean()))

    assert error(*fit_calibrator(margins[kept], truth[kept], 1 / share[kept])) < 0.02
    assert error(*fit_calibrator(margins[kept], truth[kept])) > 0.05
