"""What is learnt of one target: nothing is told by tickets that were fitted on, and each ticket counts for what it stands for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import sparse

from triage_ml.classify import fitting
from triage_ml.classify.calibrate import fit_temperature, log_loss, softmax
from triage_ml.classify.fitting import FittedTarget, HeldOut, _calibrated, _Task, fit_targets
from triage_ml.classify.heads import LinearHead
from triage_ml.classify.network import Network

CLASSES = ("A", "B", "C")
LABELS = np.array(CLASSES, dtype=object)


def test_what_held_out_tickets_say_is_no_better_than_chance_where_labels_are() -> None:
    """Texts share their words, so that a head that saw a ticket would know its label."""
    draw = np.random.default_rng(0)
    vectors = sparse.csr_matrix((draw.random((400, 300)) < 0.05).astype(np.float32))
    labels = pd.DataFrame({"category": draw.choice(["A", "B"], 400)})
    target, out = fit_targets(vectors, labels, np.arange(400), None, penalty=10.0, precision=0.9, seed=0)["category"]
    truth = np.searchsorted(target.head.classes, out.truth)
    assert sorted(out.rows) == list(range(400))
    assert log_loss(out.margins, truth, fit_temperature(out.margins, truth)) > 0.97 * np.log(2)
    assert target.head.network is None
    assert target.policy.threshold > 1


@pytest.mark.parametrize("dated", [False, True])
def test_no_more_tickets_are_asked_than_calibration_needs(dated: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each group is of five; a head that saw one of it would know the others."""
    monkeypatch.setattr(fitting, "_ENOUGH_TO_CALIBRATE", 200)
    draw = np.random.default_rng(0)
    vectors = sparse.csr_matrix(np.repeat((draw.random((400, 300)) < 0.05).astype(np.float32), 5, axis=0))
    labels = pd.DataFrame({"category": np.repeat(draw.choice(["A", "B"], 400), 5)})
    groups, latest = np.repeat(np.arange(400), 5), np.arange(2000) >= 1000 if dated else None
    fitted = fit_targets(vectors, labels, groups, latest, penalty=10.0, precision=0.9, seed=0)
    out = fitted["category"][1]
    truth = np.searchsorted(["A", "B"], out.truth)
    assert 150 <= len(out.rows) <= 200
    assert len(set(out.rows)) == len(out.rows)
    assert out.rows.min() >= (1000 if dated else 0)
    assert log_loss(out.margins, truth, fit_temperature(out.margins, truth)) > 0.97 * np.log(2)


def calibrated(
    opinions: tuple[NDArray[np.float32], NDArray[np.float32]],
    truth: NDArray[np.int64],
    *,
    groups: NDArray[np.int64] | None = None,
    stands: NDArray[np.float64] | None = None,
    precision: float = 0.9,
) -> tuple[FittedTarget, HeldOut]:
    """A target of which two heads without weights of their own said this when they were asked all tickets."""
    rows = np.arange(len(truth))
    task = _Task(
        name="category",
        rows=rows,
        labels=LABELS[truth],
        classes=CLASSES,
        penalty=1.0,
        groups=rows if groups is None else groups,
        stands=np.ones(len(truth)) if stands is None else stands,
        fits=(rows,),
        asked=(rows,),
    )
    return _calibrated(task, [opinions], heads_of(1), precision, seed=0)


def heads_of(columns: int, seed: int | None = None) -> tuple[LinearHead, Network]:
    """Heads of so many columns: drawn, or all nought."""

    def part(*shape: int) -> NDArray[np.float32]:
        return np.zeros(shape, np.float32) if seed is None else draw.normal(size=shape).astype(np.float32)

    draw = np.random.default_rng(seed)
    place = np.arange(columns, dtype=np.int32)
    network = Network(place, part(columns, 8), part(8), part(8, 3), part(3))
    return LinearHead(CLASSES, part(columns, 3), part(3)), network


def sure(rows: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Margins whose softmax is the truth."""
    draw = np.random.default_rng(seed)
    margins = (2.5 * draw.normal(size=(rows, 3))).astype(np.float32)
    return margins, (draw.random((rows, 1)) > softmax(margins, 1.0).cumsum(axis=1)).sum(axis=1).clip(max=2)


def test_the_head_says_what_was_calibrated() -> None:
    """The heads that were asked and the one that is kept are the same here, so they must say the same."""
    linear, network = heads_of(20, seed=1)
    vectors = sparse.csr_matrix(np.random.default_rng(2).normal(size=(2000, 20)).astype(np.float32))
    margins, scores = linear.margins(vectors), network.scores(vectors)
    mixed = softmax(margins + np.float32(0.3) * scores, 2.0)
    truth = (np.random.default_rng(3).random((2000, 1)) > mixed.cumsum(axis=1)).sum(axis=1).clip(max=2)
    rows = np.arange(2000)
    task = _Task("category", rows, LABELS[truth], CLASSES, 1.0, rows, np.ones(2000), (rows,), (rows,))
    target, out = _calibrated(task, [(margins, scores)], (linear, network), 0.9, seed=0)
    assert target.head.network is not None
    np.testing.assert_allclose(target.head.margins(vectors), out.margins, atol=1e-3)
    said = target.calibrator.probabilities(out.margins)
    assert said.max(axis=1).mean() == pytest.approx((said.argmax(axis=1) == truth).mean(), abs=0.02)


def test_probabilities_are_those_of_all_tickets_where_a_class_was_thinned() -> None:
    margins, truth = sure(8000, seed=4)
    share = np.where(truth == 0, 0.1, 1.0)
    kept = np.random.default_rng(5).random(8000) < share
    target, _ = calibrated((margins[kept], 0 * margins[kept]), truth[kept], stands=1 / share[kept])
    later, later_truth = sure(8000, seed=6)
    said = target.calibrator.probabilities(later + target.head.linear.intercept)[:, 0]
    assert said.mean() == pytest.approx((later_truth == 0).mean(), abs=0.02)


def test_thresholds_are_those_of_all_tickets_where_the_sure_ones_were_thinned() -> None:
    margins, truth = sure(12_000, seed=7)
    share = np.where(softmax(margins, 1.0).max(axis=1) >= 0.9, 0.1, 1.0)
    kept = np.random.default_rng(8).random(12_000) < share
    whole = calibrated((margins, 0 * margins), truth)[0].policy.threshold
    target, _ = calibrated((margins[kept], 0 * margins[kept]), truth[kept], stands=1 / share[kept])
    assert target.policy.threshold == pytest.approx(whole, abs=0.05)


@pytest.mark.parametrize(("alike", "is_heard"), [(True, False), (False, True)], ids=["one template", "different ones"])
def test_one_template_gets_the_network_no_hearing(alike: bool, is_heard: bool) -> None:
    """Only of the last tickets the network knows more."""
    margins, truth = sure(2000, seed=9)
    scores = np.random.default_rng(10).normal(size=(2000, 3)).astype(np.float32)
    margins[-300:] = 0
    scores[-300:] = 5 * np.eye(3, dtype=np.float32)[truth[-300:]]
    groups = np.minimum(np.arange(2000), 1700 if alike else 2000)
    target, _ = calibrated((margins, scores), truth, groups=groups)
    assert (target.head.network is not None) is is_heard
