"""Two models on the same tickets: how far apart they are, who gains and who loses, which tickets flipped.

The bootstrap is paired: both models are measured on the same drawn tickets, so what makes a ticket hard for both cancels
out (Koehn 2004, "Statistical Significance Tests for Machine Translation Evaluation").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.errors import InputError
from triage_ml.evaluate.answers import answered_targets
from triage_ml.evaluate.metrics import BINS, Interval

__all__ = ["Comparison", "GroupChange", "calibration_change", "compare", "join_answers"]

_RESAMPLES = 1000
_DRAWN_AT_ONCE = 50
_CALIBRATION_RESAMPLES = 500


@dataclass(frozen=True)
class GroupChange:
    """One class or slice: its tickets, and the share answered right (recall, for a class) by each model."""

    name: str
    tickets: int
    before: float
    after: float

    @property
    def change(self) -> float:
        """Positive where the second model is better."""
        return self.after - self.before


@dataclass(frozen=True)
class Comparison:
    """The second model against the first on one target; differences are second minus first.

    `fixed` and `broken` are tickets that only the second, or only the first model answered right.
    """

    target: str
    tickets: int
    accuracy: Interval
    macro_f1: Interval
    classes: tuple[GroupChange, ...]
    slices: dict[str, tuple[GroupChange, ...]]
    fixed: tuple[str, ...]
    broken: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""

        def plain(figure: Interval) -> dict[str, Any]:
            return {
                "difference": round(figure.value, 4),
                "interval": [round(figure.low, 4), round(figure.high, 4)],
            }

        def rows(changes: Sequence[GroupChange]) -> list[dict[str, Any]]:
            return [
                {"name": row.name, "tickets": row.tickets, "before": round(row.before, 4), "after": round(row.after, 4)}
                for row in changes
            ]

        return {
            "tickets": self.tickets,
            "accuracy": plain(self.accuracy),
            "macro_f1": plain(self.macro_f1),
            "classes": rows(self.classes),
            "slices": {name: rows(changes) for name, changes in self.slices.items()},
            "fixed": len(self.fixed),
            "broken": len(self.broken),
        }


def join_answers(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Two answer tables as one: the columns of the second, and those of the first with `before.` in front.

    Only tickets that both answered are kept; a ticket that is there twice counts once.
    """
    mine = second.drop_duplicates("ticket").set_index("ticket")
    theirs = first.drop_duplicates("ticket").set_index("ticket").add_prefix("before.")
    return mine.join(theirs, how="inner").reset_index()


def compare(
    joined: pd.DataFrame, target: str, *, slices: Sequence[str] = (), fewest: int = 30, seed: int = 0
) -> Comparison:
    """Compare on one target.

    Parameters
    ----------
    joined
        What `join_answers` made.
    slices
        Columns to look at by value; values with fewer than `fewest` tickets are left out.

    Raises
    ------
    InputError
        One of the two does not answer the target, or no ticket has a label.
    """
    if f"before.{target}" not in joined or target not in answered_targets(joined):
        raise InputError(f"Target {target!r}: only one of the two models answers it.")
    rows = joined[joined[f"{target}_truth"].notna()]
    if rows.empty:
        raise InputError(f"Target {target!r}: none of the tickets that both models answered has a label.")
    truth, before, after = (
        rows[name].to_numpy(dtype=object) for name in (f"{target}_truth", f"before.{target}", target)
    )
    was_right, is_right = before == truth, after == truth
    accuracy, macro_f1 = _paired_bootstrap(truth, before, after, seed)
    tickets = rows["ticket"].to_numpy(dtype=object)
    return Comparison(
        target,
        len(rows),
        accuracy,
        macro_f1,
        _changes(truth, was_right, is_right, fewest=1),
        {name: _changes(rows[name].to_numpy(dtype=object), was_right, is_right, fewest) for name in slices},
        tuple(tickets[~was_right & is_right].tolist()),
        tuple(tickets[was_right & ~is_right].tolist()),
    )


def calibration_change(joined: pd.DataFrame, target: str, *, seed: int = 0) -> Interval:
    """Calibration error of the second model minus that of the first, with its paired 95 % interval (500 draws)."""
    rows = joined[joined[f"{target}_truth"].notna()]
    truth = rows[f"{target}_truth"].to_numpy(dtype=object)
    gaps, bins = [], []
    for before in ("before.", ""):
        confidence = rows[f"{before}{target}_probability"].to_numpy(dtype=np.float64)
        gaps.append(confidence - (rows[f"{before}{target}"].to_numpy(dtype=object) == truth))
        bins.append(np.minimum((confidence * BINS).astype(np.int64), BINS - 1))

    def change(drawn: NDArray[np.int64]) -> float:
        errors = [
            np.abs(np.bincount(place[drawn], gap[drawn], minlength=BINS)).sum() / len(drawn)
            for place, gap in zip(bins, gaps, strict=True)
        ]
        return float(errors[1] - errors[0])

    draw = np.random.default_rng(seed)
    draws = [change(draw.integers(0, len(rows), len(rows))) for _ in range(_CALIBRATION_RESAMPLES)]
    return _interval(change(np.arange(len(rows))), np.array(draws))


def _changes(
    groups: NDArray[Any], was_right: NDArray[np.bool_], is_right: NDArray[np.bool_], fewest: int
) -> tuple[GroupChange, ...]:
    """Largest loss first."""
    frame = pd.DataFrame({"group": pd.array(groups, dtype="string"), "before": was_right, "after": is_right})
    table = frame.groupby("group").agg(n=("before", "size"), before=("before", "mean"), after=("after", "mean"))
    found = [
        GroupChange(str(name), int(n), float(before), float(after))
        for name, n, before, after in table[table["n"] >= fewest].itertuples()
    ]
    return tuple(sorted(found, key=lambda row: (row.change, row.name)))


def _paired_bootstrap(
    truth: NDArray[Any], before: NDArray[Any], after: NDArray[Any], seed: int
) -> tuple[Interval, Interval]:
    """Tickets with the same truth and the same two answers are one cell, and drawing tickets is drawing cells."""
    labels = np.unique(np.concatenate([truth, before, after]).astype(str))
    codes = np.stack([np.searchsorted(labels, column.astype(str)) for column in (truth, before, after)])
    cells, counts = np.unique(codes, axis=1, return_counts=True)
    total = int(counts.sum())
    draws = np.random.default_rng(seed).multinomial(total, counts / total, size=_RESAMPLES)
    found = _differences(counts[None, :], cells, len(labels))
    drawn = [
        _differences(draws[begin : begin + _DRAWN_AT_ONCE], cells, len(labels))
        for begin in range(0, _RESAMPLES, _DRAWN_AT_ONCE)
    ]
    accuracy, macro_f1 = np.concatenate(drawn, axis=1)
    return _interval(found[0, 0], accuracy), _interval(found[1, 0], macro_f1)


def _differences(weights: NDArray[np.int64], cells: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Second minus first for each row of cell weights: accuracy and macro-F1, shape (2, rows)."""
    truth, before, after = cells
    asked = _sums(weights, truth, classes)
    scores = [_scores(weights, asked, truth, answer, classes) for answer in (before, after)]
    return np.asarray(scores[1] - scores[0], dtype=np.float64)


def _scores(
    weights: NDArray[np.int64],
    asked: NDArray[np.float64],
    truth: NDArray[np.int64],
    answer: NDArray[np.int64],
    classes: int,
) -> NDArray[np.float64]:
    hits = _sums(weights * (truth == answer), truth, classes)
    both = asked + _sums(weights, answer, classes)
    f1 = np.divide(2 * hits, both, out=np.zeros_like(hits), where=both > 0)
    return np.stack([hits.sum(axis=1) / weights.sum(axis=1), f1.sum(axis=1) / np.maximum((both > 0).sum(axis=1), 1)])


def _sums(weights: NDArray[np.int64], groups: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Weights summed by group, shape (rows, classes)."""
    rows = len(weights)
    place = (np.arange(rows)[:, None] * classes + groups).ravel()
    sums = np.bincount(place, weights.ravel().astype(np.float64), minlength=rows * classes).reshape(rows, classes)
    return np.asarray(sums, dtype=np.float64)


def _interval(value: float, draws: NDArray[np.float64]) -> Interval:
    low, high = np.quantile(draws, [0.025, 0.975])
    return Interval(float(value), float(low), float(high))
