"""Fit one target: its head, its temperature, its policies. Plain functions of arrays, so that targets fit side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from triage_ml.classify.calibrate import fit_temperature, softmax
from triage_ml.classify.decide import Policy, choose_policy
from triage_ml.classify.heads import LinearHead, choose_penalty, fit_head
from triage_ml.errors import NotEnoughDataError

__all__ = ["FittedTarget", "HeldOut", "fit_target"]

_FEWEST_TICKETS = 30
_FOLDS = 5
_ENOUGH_TO_CALIBRATE = 5000
_REPORTED_PROMISES = (0.90, 0.95)


@dataclass(frozen=True)
class FittedTarget:
    """What is learnt of one target. The first policy is in force; the others are for reports."""

    head: LinearHead
    penalty: float
    temperature: float
    policies: tuple[Policy, ...]

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.policies[0]


@dataclass(frozen=True)
class HeldOut:
    """Margins of tickets that the head did not see: `rows` of the calibration texts (or, cross-fitted, of the training
    texts), `margins` of shape (rows, K), `truth` their labels."""

    rows: NDArray[np.int64]
    margins: NDArray[np.float32]
    truth: NDArray[Any]


def fit_target(
    name: str,
    vectors: sparse.csr_matrix,
    labels: pd.Series,
    calibration: tuple[sparse.csr_matrix, pd.Series] | None,
    *,
    penalty: float | None,
    precision: float,
    seed: int,
) -> tuple[FittedTarget, HeldOut]:
    """Fit on the labelled rows, calibrate on later ones, or cross-fitted where there are none."""
    rows, truth = _labelled(labels)
    if len(rows) < _FEWEST_TICKETS:
        raise NotEnoughDataError(
            f"Target {name!r}: at least {_FEWEST_TICKETS} labelled tickets are needed to learn from, found {len(rows)}.",
            hint="Import more tickets, or leave the target out with --targets.",
        )
    mine = vectors[rows]
    penalty = penalty or choose_penalty(name, mine, truth, seed=seed)
    head = fit_head(name, mine, truth, penalty=penalty, seed=seed)
    if calibration is None:
        held_out = _cross_fit(name, mine, rows, truth, head, penalty, seed)
    else:
        later, later_truth = _labelled(calibration[1])
        held_out = HeldOut(later, head.margins(calibration[0][later]), later_truth)
    return _calibrated(head, penalty, held_out, precision), held_out


def _calibrated(head: LinearHead, penalty: float, held_out: HeldOut, precision: float) -> FittedTarget:
    known = np.isin(held_out.truth, head.classes)  # a class that is new since the fit can't be answered, only missed
    codes = np.full(len(held_out.truth), -1)
    codes[known] = np.searchsorted(head.classes, held_out.truth[known])
    temperature = fit_temperature(held_out.margins[known], codes[known]) if known.any() else 1.0
    probabilities = softmax(held_out.margins, temperature)
    promises = dict.fromkeys((precision, *_REPORTED_PROMISES))
    policies = tuple(choose_policy(probabilities, codes, promise) for promise in promises)
    return FittedTarget(head, penalty, temperature, policies)


def _cross_fit(
    name: str,
    vectors: sparse.csr_matrix,
    rows: NDArray[np.int64],
    truth: NDArray[Any],
    head: LinearHead,
    penalty: float,
    seed: int,
) -> HeldOut:
    """Margins of tickets by heads that did not see them.

    Five folds, of which only as many are asked as give enough tickets to calibrate on: all of them for a few thousand
    tickets, one for many. A fold that lacks a class gives it its lowest margin.
    """
    margins = np.zeros((len(truth), len(head.classes)), dtype=np.float32)
    asked = min(_FOLDS, math.ceil(_ENOUGH_TO_CALIBRATE * _FOLDS / len(truth)))
    folds = _folds(truth, seed)
    for number in range(asked):
        fit, ask = np.flatnonzero(folds != number), np.flatnonzero(folds == number)
        part = fit_head(name, vectors[fit], truth[fit], penalty=penalty, seed=seed)
        given = part.margins(vectors[ask])
        margins[ask] = given.min(axis=1, keepdims=True)
        margins[np.ix_(ask, np.searchsorted(head.classes, part.classes))] = given
    used = folds < asked
    return HeldOut(rows[used], margins[used], truth[used])


def _folds(truth: NDArray[Any], seed: int) -> NDArray[np.int64]:
    """A fold for each ticket, each class spread evenly over them, however rare. Shape (tickets,)."""
    order = np.random.default_rng(seed).permutation(len(truth))
    folds = np.empty(len(truth), dtype=np.int64)
    folds[order] = pd.Series(truth[order]).groupby(truth[order]).cumcount().to_numpy() % _FOLDS
    return folds


def _labelled(labels: pd.Series) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Rows that have a label, and the labels."""
    rows = np.flatnonzero(labels.notna().to_numpy())
    return rows, labels.to_numpy(dtype=object)[rows]
