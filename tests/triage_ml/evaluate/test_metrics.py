"""Figures against scikit-learn and against small cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from triage_ml.errors import NotEnoughDataError
from triage_ml.evaluate import measure, reliability
from triage_ml.evaluate.metrics import calibration_bound, calibration_error

LABELS = np.array(["Access", "Network", "Printing"], dtype=object)


def answers(rows: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(5)
    truth = draw.choice(LABELS, rows, p=[0.6, 0.3, 0.1])
    predicted = np.where(draw.uniform(size=rows) < 0.8, truth, draw.choice(LABELS, rows))
    return truth, predicted, draw.uniform(0.3, 1, rows).astype(np.float32)


def test_accuracy_and_macro_f1_are_those_of_scikit_learn() -> None:
    truth, predicted, confidence = answers()
    figures = measure(truth, predicted, confidence)
    assert figures.accuracy.value == pytest.approx(accuracy_score(truth, predicted))
    assert figures.macro_f1.value == pytest.approx(f1_score(truth, predicted, average="macro"))
    recall = {row.label: row.recall for row in figures.classes}
    assert recall["Printing"] == pytest.approx(
        accuracy_score(truth[truth == "Printing"], predicted[truth == "Printing"])
    )


def test_the_interval_is_about_that_of_the_binomial() -> None:
    truth, predicted, confidence = answers(2000)
    accuracy = measure(truth, predicted, confidence).accuracy
    half = 1.96 * np.sqrt(accuracy.value * (1 - accuracy.value) / 2000)
    assert accuracy.low == pytest.approx(accuracy.value - half, abs=0.005)
    assert accuracy.high == pytest.approx(accuracy.value + half, abs=0.005)


def test_a_true_label_that_the_model_does_not_know_is_an_error() -> None:
    figures = measure(np.array(["new", "a"], dtype=object), np.array(["a", "a"], dtype=object), np.array([0.9, 0.9]))
    assert figures.accuracy.value == 0.5
    assert figures.labels == ("a", "new")


def test_no_tickets_are_refused_by_name() -> None:
    nothing = np.array([], dtype=object)
    with pytest.raises(NotEnoughDataError, match=r"^There is no ticket with a label to measure the answers on\.$"):
        measure(nothing, nothing, np.array([], dtype=np.float32))


def test_calibration_error_by_hand() -> None:
    confidence = np.array([0.95, 0.95, 0.55, 0.55], dtype=np.float32)
    right = np.array([True, True, True, False])
    assert calibration_error(confidence, right) == pytest.approx((2 * 0.05 + 2 * 0.05) / 4, abs=1e-6)


def test_certainty_falls_into_the_last_bin() -> None:
    assert reliability(np.array([1.0], dtype=np.float32), np.array([True])) == ((1.0, 1.0, 1),)


def test_coverage_is_shown_with_the_precision_on_it() -> None:
    truth, predicted, confidence = answers()
    chosen = confidence > 0.7
    row = measure(truth, predicted, confidence, automatic={"0.90": chosen}).coverage["0.90"]
    assert row.coverage == pytest.approx(chosen.mean())
    assert row.precision == pytest.approx((truth == predicted)[chosen].mean())
    nothing = measure(truth, predicted, confidence, automatic={"0.90": confidence > 2}).coverage["0.90"]
    assert (nothing.coverage, nothing.precision) == (0.0, None)


@pytest.mark.parametrize("rows", [300, 5000])
def test_a_perfectly_calibrated_model_stays_below_the_bound_95_times_of_100(rows: int) -> None:
    draw = np.random.default_rng(1)
    confidence = draw.uniform(0.3, 1, rows).astype(np.float32)
    bound = calibration_bound(confidence)
    below = [calibration_error(confidence, draw.random(rows) < confidence) <= bound for _ in range(300)]
    assert 0.90 <= np.mean(below) <= 0.99


def test_a_calibration_error_is_held_against_the_bound_and_chance() -> None:
    draw = np.random.default_rng(2)
    confidence = draw.uniform(0.5, 1, 4000).astype(np.float32)
    names = np.array(["a", "b"], dtype=object)
    truth = np.full(4000, "a", dtype=object)
    honest = measure(truth, names[(draw.random(4000) > confidence).astype(int)], confidence)
    boastful = measure(truth, names[(draw.random(4000) > confidence - 0.1).astype(int)], confidence)
    assert honest.calibrated
    assert not boastful.calibrated
    assert {"ece", "ece_by_chance", "calibrated"} <= set(honest.to_dict())


def test_a_ticket_that_stands_for_four_counts_as_if_it_were_there_four_times() -> None:
    truth, predicted, confidence = answers()
    times = np.where(confidence > 0.7, 4, 1)
    auto = confidence > 0.6
    once = measure(truth, predicted, confidence, automatic={"0.90": auto}, weights=times.astype(float))
    repeated = measure(
        *(np.repeat(values, times) for values in (truth, predicted, confidence)),
        automatic={"0.90": np.repeat(auto, times)},
    )
    assert once.accuracy.value == pytest.approx(repeated.accuracy.value)
    assert once.macro_f1.value == pytest.approx(repeated.macro_f1.value)
    assert once.ece == pytest.approx(repeated.ece)
    assert once.confusion.tolist() == repeated.confusion.tolist()
    assert once.coverage["0.90"].coverage == pytest.approx(repeated.coverage["0.90"].coverage)
    assert once.coverage["0.90"].precision == pytest.approx(repeated.coverage["0.90"].precision)
    assert once.classes[0].recall == pytest.approx(repeated.classes[0].recall)
    assert (once.tickets, repeated.tickets) == (400, int(times.sum()))
    assert once.ece_by_chance > repeated.ece_by_chance  # four copies are not four tickets
    assert once.accuracy.high - once.accuracy.low > repeated.accuracy.high - repeated.accuracy.low
