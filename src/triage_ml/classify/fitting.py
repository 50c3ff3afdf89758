"""Fit targets: their heads, their calibrators, their policies. Plain functions of arrays, side by side in threads.

No ticket is kept from the heads for the sake of calibration. The tickets to calibrate on (the latest, where there are dates)
are asked in folds, each of heads that were fitted on everything else; what those heads say calibrates the one that is then
fitted on all. A head that sees fewer tickets gets a penalty that is larger by as much, so that C times the tickets, and with
it the scale of the margins, is the same for the folds and for the whole (experiment 0003).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy import sparse

from triage_ml.classify.calibrate import Calibrator, cross_calibrate, fit_calibrator
from triage_ml.classify.decide import Policy, choose_policy
from triage_ml.classify.heads import LinearHead, choose_penalty, fit_head
from triage_ml.errors import NotEnoughDataError

__all__ = ["FittedTarget", "HeldOut", "fit_targets"]

Rows = NDArray[np.int64]

_FEWEST_TICKETS = 30
_FOLDS = 5
_FOLDS_OF_LATEST = 3  # each a small part of all tickets
_ENOUGH_TO_CALIBRATE = 20_000
_REPORTED_PROMISES = (0.90, 0.95)


@dataclass(frozen=True)
class FittedTarget:
    """What is learnt of one target. The first policy is in force; the others are for reports."""

    head: LinearHead
    penalty: float
    calibrator: Calibrator
    policies: tuple[Policy, ...]

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.policies[0]


@dataclass(frozen=True)
class HeldOut:
    """Margins of tickets by heads that did not see them: `rows` of the texts, `margins` of shape (rows, K), offsets
    included, `truth` their labels."""

    rows: Rows
    margins: NDArray[np.float32]
    truth: NDArray[Any]


@dataclass(frozen=True)
class _Task:
    """One target's labelled tickets: `fits` are those to fit on, all of them last; `asked` those that each fit is asked."""

    name: str
    rows: Rows
    labels: NDArray[Any]
    penalty: float
    groups: Rows
    stands: NDArray[np.float64]
    fits: tuple[Rows, ...]
    asked: tuple[Rows, ...]


def fit_targets(
    vectors: sparse.csr_matrix,
    labels: pd.DataFrame,
    groups: Rows,
    latest: NDArray[np.bool_] | None,
    stands: NDArray[np.float64] | None = None,
    *,
    penalty: float | None,
    precision: float,
    seed: int,
) -> dict[str, tuple[FittedTarget, HeldOut]]:
    """Fit every target on the tickets that have its label.

    Parameters
    ----------
    vectors
        Shape (texts, columns).
    labels
        One column a target, shape (texts, targets).
    groups
        Shape (texts,): texts with the same number are held out together.
    latest
        Shape (texts,): the texts to calibrate on; None for any.
    stands
        Shape (texts,): for how many tickets each stands where it calibrates; 0 where it can't. By default for itself.
    """
    stands = np.ones(len(labels)) if stands is None else stands
    side_by_side = Parallel(n_jobs=-1, prefer="threads")
    names = list(labels.columns)
    labelled = [_labelled(str(name), labels[name]) for name in names]
    penalties: Sequence[float] = (
        [penalty] * len(names)
        if penalty is not None
        else side_by_side(
            delayed(choose_penalty)(str(name), vectors, rows, truth, groups[rows], seed=seed)
            for name, (rows, truth) in zip(names, labelled, strict=True)
        )
    )
    tasks = [
        _task(
            str(name), rows, truth, chosen, groups[rows], stands[rows], None if latest is None else latest[rows], seed
        )
        for name, (rows, truth), chosen in zip(names, labelled, penalties, strict=True)
    ]
    jobs = [(task, fit) for task in tasks for fit in task.fits]
    heads = iter(side_by_side(delayed(_fit)(task, vectors, fit, seed) for task, fit in jobs))
    fitted = {}
    for task in tasks:
        mine = [next(heads) for _ in task.fits]
        fitted[task.name] = _calibrated(task, vectors, mine[:-1], mine[-1], precision, seed)
    return fitted


def _fit(task: _Task, vectors: sparse.csr_matrix, fit: Rows, seed: int) -> LinearHead:
    penalty = task.penalty * len(task.rows) / len(fit)
    return fit_head(task.name, vectors, task.rows[fit], task.labels[fit], penalty=penalty, seed=seed)


def _task(
    name: str,
    rows: Rows,
    labels: NDArray[Any],
    penalty: float,
    groups: Rows,
    stands: NDArray[np.float64],
    latest: NDArray[np.bool_] | None,
    seed: int,
) -> _Task:
    """Choose the folds: as many are asked as give enough tickets to calibrate on, all of them for a few thousand."""
    of_latest = latest is not None and (latest & (stands > 0)).sum() >= _FEWEST_TICKETS
    pool = np.flatnonzero((stands > 0) & latest if latest is not None and of_latest else stands > 0)
    folds = _FOLDS_OF_LATEST if of_latest else _FOLDS
    fold_of_group = _folds(labels[pool], groups[pool], folds, seed)
    fold = np.full(len(rows), -1)
    fold[pool] = fold_of_group
    fits, asked = [], []
    for number in range(min(folds, math.ceil(_ENOUGH_TO_CALIBRATE * folds / max(len(pool), 1)))):
        ask = np.flatnonzero(fold == number)
        fit = np.flatnonzero(~np.isin(groups, groups[ask]))
        if len(ask) and len(pd.unique(labels[fit])) > 1:
            fits.append(fit)
            asked.append(ask)
    return _Task(name, rows, labels, penalty, groups, stands, (*fits, np.arange(len(rows))), tuple(asked))


def _folds(labels: NDArray[Any], groups: Rows, folds: int, seed: int) -> Rows:
    """A fold for each ticket: groups whole, each class spread evenly over them, however rare. Shape (tickets,)."""
    numbers, first, group = np.unique(groups, return_index=True, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(numbers))
    of_group = np.empty(len(numbers), dtype=np.int64)
    shuffled = labels[first][order]
    of_group[order] = pd.Series(shuffled).groupby(shuffled).cumcount().to_numpy() % folds
    return of_group[group]


def _calibrated(
    task: _Task,
    vectors: sparse.csr_matrix,
    parts: Sequence[LinearHead],
    head: LinearHead,
    precision: float,
    seed: int,
) -> tuple[FittedTarget, HeldOut]:
    held_out = _ask(task, vectors, parts, head.classes)
    codes = pd.Index(head.classes).get_indexer(pd.Index(held_out.truth)).astype(np.int64)
    asked = np.concatenate(task.asked) if task.asked else np.zeros(0, dtype=np.int64)
    groups, stands = task.groups[asked], task.stands[asked]
    calibrator, offsets = fit_calibrator(held_out.margins, codes, stands)
    moved = HeldOut(held_out.rows, held_out.margins + offsets, held_out.truth)
    probabilities = cross_calibrate(held_out.margins, codes, stands, seed=seed)
    promises = dict.fromkeys((precision, *_REPORTED_PROMISES))
    policies = tuple(choose_policy(probabilities, codes, promise, groups, stands) for promise in promises)
    return FittedTarget(head.moved(offsets), task.penalty, calibrator, policies), moved


def _ask(task: _Task, vectors: sparse.csr_matrix, parts: Sequence[LinearHead], classes: Sequence[str]) -> HeldOut:
    """What the heads of the folds say. A class that a fold lacks gets its lowest margin."""
    known = pd.Index(classes)
    margins = [np.zeros((0, len(classes)), dtype=np.float32)]
    for part, ask in zip(parts, task.asked, strict=True):
        given = part.margins(vectors[task.rows[ask]])
        spread = np.repeat(given.min(axis=1, keepdims=True), len(classes), axis=1)
        spread[:, known.get_indexer(pd.Index(part.classes))] = given
        margins.append(spread)
    asked = np.concatenate([np.zeros(0, dtype=np.int64), *task.asked])
    return HeldOut(task.rows[asked], np.concatenate(margins), task.labels[asked])


def _labelled(name: str, labels: pd.Series) -> tuple[Rows, NDArray[Any]]:
    """Rows that have a label, and the labels."""
    rows = np.flatnonzero(labels.notna().to_numpy())
    if len(rows) < _FEWEST_TICKETS:
        raise NotEnoughDataError(
            f"Target {name!r}: at least {_FEWEST_TICKETS} labelled tickets are needed to learn from, found {len(rows)}.",
            hint="Import more tickets, or leave the target out with --targets.",
        )
    return rows, labels.to_numpy(dtype=object)[rows]
