"""What is measured of a week against the weeks before it: class shares, confidence, precision, labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import t as student

from triage_ml.evaluate.metrics import Interval
from triage_ml.evaluate.slices import share_interval

__all__ = ["ConfidenceShift", "auto_precision", "confidence_shift", "gone_labels", "new_labels", "stability_index"]

_FEWEST_OUTCOMES = 50
_FEWEST_LABELLED = 3
_RECENT_WEEKS = 3
_FEWEST_GONE = 30
_FEWEST_WEEKS = 3


@dataclass(frozen=True)
class ConfidenceShift:
    """Mean stated probability of earlier weeks and of this one, and how likely so large a difference is by chance."""

    usual: float
    now: float
    p_value: float


def stability_index(past: pd.Series, now: pd.Series) -> float:
    """Population stability index of two sets of labels: sum of (q - p) ln(q / p) over their shares, half a ticket added.

    What chance alone adds for so few tickets, (classes - 1) (1/n + 1/m), is taken off (Yurdakul 2018); never below 0.
    """
    names = sorted({*past.dropna().unique(), *now.dropna().unique()})
    counts = np.array(
        [past.value_counts().reindex(names, fill_value=0), now.value_counts().reindex(names, fill_value=0)]
    )
    totals = counts.sum(axis=1, keepdims=True)
    if not totals.all():
        return 0.0
    p, q = (counts + 0.5) / (totals + 0.5 * len(names))
    chance = (len(names) - 1) * float((1 / totals).sum())
    return max(0.0, float(((q - p) * np.log(q / p)).sum()) - chance)


def confidence_shift(past: pd.DataFrame, rows: pd.DataFrame, column: str) -> ConfidenceShift | None:
    """The week's mean against those of the past weeks; None with fewer than three of them.

    The p-value is that of one more week drawn from the same normal distribution of weekly means (Student's t, with the
    uncertainty of their mean); the spread of the weeks is at least what the number of tickets alone gives.
    """
    weekly = past.groupby("week")[column].mean()
    if len(weekly) < _FEWEST_WEEKS or not len(rows):
        return None
    chance = float(past[column].std()) / np.sqrt(len(rows))
    spread = max(float(weekly.std(ddof=1)), chance, 1e-6) * np.sqrt(1 + 1 / len(weekly))
    usual, now = float(weekly.mean()), float(rows[column].mean())
    return ConfidenceShift(usual, now, float(2 * student.sf(abs(now - usual) / spread, len(weekly) - 1)))


def auto_precision(rows: pd.DataFrame, targets: Sequence[str]) -> dict[str, Interval]:
    found = {}
    for name in targets:
        if f"{name}_truth" in rows:
            known = rows[rows[f"{name}_truth"].notna() & rows[f"{name}_auto"].astype(bool)]
            if len(known) >= _FEWEST_OUTCOMES:
                right = int((known[name] == known[f"{name}_truth"]).sum())
                found[name] = share_interval(right, len(known))
    return found


def new_labels(here: pd.Series, there: pd.Series) -> list[str]:
    """Labels of `here`, of three tickets at least so that a slip is no news, that `there` has not."""
    counts = here.dropna().value_counts()
    known = set(there.dropna())
    return sorted(str(name) for name, count in counts.items() if count >= _FEWEST_LABELLED and name not in known)


def gone_labels(past: pd.DataFrame, rows: pd.DataFrame, name: str) -> list[str]:
    """Labels that each of the last weeks had, and this one has not at all."""
    recent = sorted(past["week"].unique())[-_RECENT_WEEKS:]
    counts = past[past["week"].isin(recent)].groupby([name, "week"], observed=True).size().unstack(fill_value=0)
    usual = counts.index[(counts > 0).all(axis=1) & (counts.sum(axis=1) >= _FEWEST_GONE)]
    return sorted(str(label) for label in usual if label not in set(rows[name].dropna()))
