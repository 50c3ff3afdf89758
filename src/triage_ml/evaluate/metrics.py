"""Figures of one target on tickets that the model has not seen.

A ticket may stand for w tickets, where only a share of its kind was kept: then every count is a sum of weights, every share
sum(w x) / sum(w) (Hajek 1971).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage_ml.errors import NotEnoughDataError

__all__ = [
    "BINS",
    "GOOD_CALIBRATION",
    "ClassFigures",
    "Coverage",
    "Interval",
    "TargetFigures",
    "calibration_bound",
    "calibration_error",
    "coverage_of",
    "measure",
    "reliability",
]

_RESAMPLES = 1000
_DRAWS = 500
#: A calibration error up to this is good, whatever chance would allow.
GOOD_CALIBRATION = 0.015
#: Equal bins of confidence in the calibration error.
BINS = 15


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Coverage:
    """Of all tickets, the share decided `auto` under a promise; of those, the share that was right (None where none)."""

    coverage: float
    precision: float | None
    tickets: int


@dataclass(frozen=True)
class ClassFigures:
    """One class: tickets that are it, and how many of them were found, how many answers of it were right."""

    label: str
    tickets: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class TargetFigures:
    """All figures of one target.

    `confusion` has shape (labels, labels), rows are the truth; `reliability` rows are (mean confidence, share right,
    tickets) for each bin of confidence. `ece_by_chance` is what a perfectly calibrated model stays below 95 times of 100.
    """

    tickets: int
    labels: tuple[str, ...]
    accuracy: Interval
    macro_f1: Interval
    ece: float
    ece_by_chance: float
    confusion: NDArray[np.int64]
    classes: tuple[ClassFigures, ...]
    reliability: tuple[tuple[float, float, float], ...]
    coverage: dict[str, Coverage] = field(default_factory=dict)

    @property
    def calibrated(self) -> bool:
        """Whether the calibration error is at most 0.015, or no more than chance gives a perfectly calibrated model."""
        return self.ece <= max(GOOD_CALIBRATION, self.ece_by_chance)

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values."""
        return {
            "tickets": self.tickets,
            "accuracy": round(self.accuracy.value, 4),
            "accuracy_interval": [round(self.accuracy.low, 4), round(self.accuracy.high, 4)],
            "macro_f1": round(self.macro_f1.value, 4),
            "macro_f1_interval": [round(self.macro_f1.low, 4), round(self.macro_f1.high, 4)],
            "ece": round(self.ece, 4),
            "ece_by_chance": round(self.ece_by_chance, 4),
            "calibrated": self.calibrated,
            "coverage": {
                promise: {
                    "coverage": round(row.coverage, 4),
                    "precision": None if row.precision is None else round(row.precision, 4),
                }
                for promise, row in self.coverage.items()
            },
        }


def measure(
    truth: NDArray[Any],
    predicted: NDArray[Any],
    confidence: NDArray[np.float32],
    *,
    automatic: dict[str, NDArray[np.bool_]] | None = None,
    weights: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> TargetFigures:
    """Measure answers against the truth.

    Parameters
    ----------
    truth, predicted
        Labels, shape (tickets,). A true label that the model does not know counts as an error.
    confidence
        Probability of the predicted label, shape (tickets,).
    automatic
        For each promise, which tickets were decided `auto`.
    weights
        For how many tickets each stands, shape (tickets,), above 0; by default for itself.

    Raises
    ------
    NotEnoughDataError
        No tickets: nothing can be said of them.
    """
    if not len(truth):
        raise NotEnoughDataError("There is no ticket with a label to measure the answers on.")
    weights = np.ones(len(truth)) if weights is None else weights
    labels = tuple(sorted({*truth.tolist(), *predicted.tolist()}))
    rows, columns = np.searchsorted(labels, truth), np.searchsorted(labels, predicted)
    cells = rows * len(labels) + columns
    confusion = np.bincount(cells, weights, minlength=len(labels) ** 2).astype(float).reshape(len(labels), -1)
    right = truth == predicted
    accuracy, macro_f1 = _bootstrap(cells, weights, len(labels), seed)
    return TargetFigures(
        tickets=len(truth),
        labels=labels,
        accuracy=accuracy,
        macro_f1=macro_f1,
        ece=calibration_error(confidence, right, weights),
        ece_by_chance=calibration_bound(confidence, weights),
        confusion=np.rint(confusion).astype(np.int64),
        classes=_per_class(labels, confusion),
        reliability=reliability(confidence, right, weights),
        coverage={promise: coverage_of(chosen, right, weights) for promise, chosen in (automatic or {}).items()},
    )


def reliability(
    confidence: NDArray[np.float32], right: NDArray[np.bool_], weights: NDArray[np.float64] | None = None
) -> tuple[tuple[float, float, float], ...]:
    """Mean confidence, share right and for how many tickets they stand: of each of 15 equal bins of confidence that holds any."""
    weights = np.ones(len(right)) if weights is None else weights
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    rows = []
    for number in range(BINS):
        here = bins == number
        if here.any():
            stated, share = (float(np.average(values[here], weights=weights[here])) for values in (confidence, right))
            rows.append((stated, share, float(weights[here].sum())))
    return tuple(rows)


def calibration_error(
    confidence: NDArray[np.float32], right: NDArray[np.bool_], weights: NDArray[np.float64] | None = None
) -> float:
    """Expected calibration error over 15 equal bins (Naeini et al. 2015): mean |confidence - share right| by ticket."""
    rows = reliability(confidence, right, weights)
    return sum(abs(mean - share) * tickets for mean, share, tickets in rows) / max(sum(row[2] for row in rows), 1)


def calibration_bound(
    confidence: NDArray[np.float32], weights: NDArray[np.float64] | None = None, *, seed: int = 0
) -> float:
    """95th percentile of the calibration error that a perfectly calibrated model shows at these confidences, in 500 draws."""
    if not len(confidence):
        return 0.0
    draw = np.random.default_rng(seed)
    order = np.argsort(confidence, kind="stable")  # tickets of one bin stand together, so its sums are slices
    ordered, stands = confidence[order], np.ones(len(order)) if weights is None else weights[order]
    starts = np.unique(np.searchsorted(ordered * BINS, np.arange(BINS)))
    starts = starts[starts < len(ordered)]
    stated = np.add.reduceat(ordered * stands, starts)
    errors = []
    for _ in range(_DRAWS):
        drawn = draw.random(len(ordered), dtype=np.float32) < ordered
        errors.append(np.abs(stated - np.add.reduceat(drawn * stands, starts)).sum())
    return float(np.quantile(errors, 0.95) / stands.sum())


def coverage_of(chosen: NDArray[np.bool_], right: NDArray[Any], weights: NDArray[np.float64]) -> Coverage:
    """Share of the tickets that were chosen, and share of those that is right; all of shape (tickets,)."""
    precision = float(np.average(right[chosen], weights=weights[chosen])) if chosen.any() else None
    return Coverage(float(np.average(chosen, weights=weights)), precision, int(chosen.sum()))


def _f1(confusion: NDArray[Any]) -> NDArray[np.float64]:
    """F1 of each class, shape (..., labels); 0 where a class was neither asked nor answered."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1).astype(float)
    total = confusion.sum(axis=-1) + confusion.sum(axis=-2)
    f1: NDArray[np.float64] = np.divide(2 * hits, total, out=np.zeros_like(hits), where=total > 0)
    return f1


def _macro_f1(confusion: NDArray[Any]) -> NDArray[np.float64]:
    """Mean F1 over the classes that occur, shape (...)."""
    occurs = (confusion.sum(axis=-1) + confusion.sum(axis=-2)) > 0
    mean: NDArray[np.float64] = _f1(confusion).sum(axis=-1) / np.maximum(occurs.sum(axis=-1), 1)
    return mean


def _bootstrap(
    cells: NDArray[np.int64], weights: NDArray[np.float64], size: int, seed: int
) -> tuple[Interval, Interval]:
    """Resampling tickets with replacement is drawing cells of the confusion from a multinomial: exact, and fast.

    `cells` and `weights` have shape (tickets,). Tickets of one cell and one weight are alike, so these pairs are drawn.
    """
    heavy, weight = np.unique(weights, return_inverse=True)
    pairs, counts = np.unique(cells * len(heavy) + weight, return_counts=True)
    cell, stands = pairs // len(heavy), heavy[pairs % len(heavy)]

    def figures(drawn: NDArray[np.int64]) -> tuple[float, float]:
        matrix = np.bincount(cell, drawn * stands, minlength=size * size).reshape(size, size)
        return float(np.trace(matrix) / matrix.sum()), float(_macro_f1(matrix))

    draws = np.random.default_rng(seed).multinomial(len(cells), counts / len(cells), size=_RESAMPLES)
    accuracy, f1 = np.array([figures(draw) for draw in draws]).T
    value = figures(counts)
    return Interval(value[0], *_middle(accuracy)), Interval(value[1], *_middle(f1))


def _middle(draws: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def _per_class(labels: Sequence[str], confusion: NDArray[np.float64]) -> tuple[ClassFigures, ...]:
    hits, asked, answered = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    f1 = _f1(confusion)
    return tuple(
        ClassFigures(label, round(n), float(hit / given) if given else 0.0, float(hit / n) if n else 0.0, float(score))
        for label, n, given, hit, score in zip(labels, asked, answered, hits, f1, strict=True)
    )
