"""Figures of one target on tickets that the model has not seen."""

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
    reliability: tuple[tuple[float, float, int], ...]
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

    Raises
    ------
    NotEnoughDataError
        No tickets: nothing can be said of them.
    """
    if not len(truth):
        raise NotEnoughDataError("There is no ticket with a label to measure the answers on.")
    labels = tuple(sorted({*truth.tolist(), *predicted.tolist()}))
    rows, columns = np.searchsorted(labels, truth), np.searchsorted(labels, predicted)
    confusion = np.bincount(rows * len(labels) + columns, minlength=len(labels) ** 2).reshape(len(labels), -1)
    right = truth == predicted
    accuracy, macro_f1 = _bootstrap(confusion, seed)
    return TargetFigures(
        tickets=len(truth),
        labels=labels,
        accuracy=accuracy,
        macro_f1=macro_f1,
        ece=calibration_error(confidence, right),
        ece_by_chance=calibration_bound(confidence),
        confusion=confusion,
        classes=_per_class(labels, confusion),
        reliability=reliability(confidence, right),
        coverage={promise: _coverage(chosen, right) for promise, chosen in (automatic or {}).items()},
    )


def reliability(confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> tuple[tuple[float, float, int], ...]:
    """Mean confidence, share right and tickets for each of 15 equal bins of confidence that holds any."""
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    rows = []
    for number in range(BINS):
        here = bins == number
        if here.any():
            rows.append((float(confidence[here].mean()), float(right[here].mean()), int(here.sum())))
    return tuple(rows)


def calibration_error(confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> float:
    """Expected calibration error over 15 equal bins (Naeini et al. 2015): mean |confidence - share right| by ticket."""
    rows = reliability(confidence, right)
    return sum(abs(mean - share) * tickets for mean, share, tickets in rows) / max(len(right), 1)


def calibration_bound(confidence: NDArray[np.float32], *, seed: int = 0) -> float:
    """95th percentile of the calibration error that a perfectly calibrated model shows at these confidences, in 500 draws."""
    if not len(confidence):
        return 0.0
    draw = np.random.default_rng(seed)
    ordered = np.sort(confidence)  # tickets of one bin of `calibration_error` stand together, so its sums are slices
    starts = np.unique(np.searchsorted(ordered * BINS, np.arange(BINS)))
    starts = starts[starts < len(ordered)]
    stated = np.add.reduceat(ordered, starts, dtype=np.float64)
    errors = [
        np.abs(
            stated - np.add.reduceat(draw.random(len(ordered), dtype=np.float32) < ordered, starts, dtype=np.int64)
        ).sum()
        for _ in range(_DRAWS)
    ]
    return float(np.quantile(errors, 0.95) / len(ordered))


def _coverage(chosen: NDArray[np.bool_], right: NDArray[np.bool_]) -> Coverage:
    precision = float(right[chosen].mean()) if chosen.any() else None
    return Coverage(float(chosen.mean()), precision, int(chosen.sum()))


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


def _bootstrap(confusion: NDArray[np.int64], seed: int) -> tuple[Interval, Interval]:
    """Resampling tickets with replacement is drawing their confusion cells from a multinomial: exact, and fast."""
    cells = np.flatnonzero(confusion)
    counts = confusion.ravel()[cells]
    total = int(counts.sum())
    size = len(confusion)
    draws = np.random.default_rng(seed).multinomial(total, counts / total, size=_RESAMPLES)
    accuracy, f1 = np.empty(_RESAMPLES), np.empty(_RESAMPLES)
    for index, draw in enumerate(draws):
        resampled = np.zeros(size * size, dtype=np.int64)
        resampled[cells] = draw
        matrix = resampled.reshape(size, size)
        accuracy[index] = np.trace(matrix) / total
        f1[index] = _macro_f1(matrix)
    return (
        Interval(float(np.trace(confusion) / total), *_middle(accuracy)),
        Interval(float(_macro_f1(confusion)), *_middle(f1)),
    )


def _middle(draws: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def _per_class(labels: Sequence[str], confusion: NDArray[np.int64]) -> tuple[ClassFigures, ...]:
    hits, asked, answered = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    f1 = _f1(confusion)
    return tuple(
        ClassFigures(label, int(n), float(hit / max(given, 1)), float(hit / max(n, 1)), float(score))
        for label, n, given, hit, score in zip(labels, asked, answered, hits, f1, strict=True)
    )
