"""Which tickets a training learns from, how often each, and how they are split: what `train` and `search` share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.errors import InputError, NotEnoughDataError
from triage_ml.evaluate import Split, split_at_random, split_by_column, split_by_time
from triage_ml.settings import Settings

__all__ = ["copies", "repeated", "split_tickets", "usable_tickets"]

_MOST_WEIGHT = 100
_FEWEST_TICKETS = 50


def usable_tickets(
    tickets: pd.DataFrame, wanted: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame, NDArray[np.float64]]:
    """The tickets that have a label of any target, their labels and their weights."""
    labels = _labels(tickets, wanted)
    weights = _weights(tickets)
    usable = labels.notna().any(axis=1).to_numpy() & (weights > 0)
    if usable.sum() < _FEWEST_TICKETS:
        raise NotEnoughDataError(
            f"At least {_FEWEST_TICKETS} tickets with a label of {', '.join(wanted)} are needed to train, "
            f"found {int(usable.sum())}.",
            hint="Import more tickets, or name other targets with --targets.",
        )
    return tickets[usable].reset_index(drop=True), labels[usable].reset_index(drop=True), weights[usable]


def split_tickets(
    tickets: pd.DataFrame,
    texts: list[str],
    settings: Settings,
    column: str | None,
    names: Mapping[str, str] | None,
    at_random: bool,
) -> tuple[Split, list[str]]:
    """The split that training makes of these tickets, and what to say about it."""
    share = settings.train
    if column is not None:
        if column not in tickets:
            raise InputError(f"--split-column {column}: the tickets have no such column.")
        return split_by_column(tickets[column], texts, names=names, test_share=share.test_share, seed=share.seed), []
    dated = "opened_at" in tickets and tickets["opened_at"].notna().mean() > 0.5
    if dated and not at_random:
        return split_by_time(
            tickets["opened_at"], texts, calibration_share=share.calibration_share, test_share=share.test_share
        ), []
    notes = [] if at_random else ["No opened_at: the split is random, so the figures say nothing about later tickets."]
    return split_at_random(texts, test_share=share.test_share, seed=share.seed), notes


def repeated(rows: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows as often as they weigh, to the nearest half: of those with half a weight every second has it whole."""
    halves = _halves(weights[rows])
    odd = halves % 2 == 1
    times = halves // 2
    times[odd] += np.cumsum(odd)[odd] % 2
    return np.repeat(rows, times)


def copies(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """How often a ticket of each weight is there on average after `repeated`."""
    return _halves(weights) / 2


def _halves(weights: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.floor(2 * weights + 0.5).astype(np.int64)


def _weights(tickets: pd.DataFrame) -> NDArray[np.float64]:
    """`label_weight` of each ticket, as `triage export-outcomes` gives it; 1 where there is none."""
    if "label_weight" not in tickets:
        return np.ones(len(tickets))
    weights: NDArray[np.float64] = (
        pd.to_numeric(tickets["label_weight"], errors="coerce").fillna(1.0).to_numpy(dtype=float)
    )
    if wrong := sorted(set(weights[~((weights >= 0) & (weights <= _MOST_WEIGHT))].tolist())):
        raise InputError(f"Column label_weight: expected 0 to {_MOST_WEIGHT}, found {wrong[0]:g}.")
    return np.where(weights < 0.25, 0.0, weights)  # to the nearest half, see `repeated`


def _labels(tickets: pd.DataFrame, targets: Sequence[str]) -> pd.DataFrame:
    if missing := [target for target in targets if target not in tickets or tickets[target].isna().all()]:
        here = [str(column) for column in tickets if tickets[column].notna().any()]
        raise InputError(
            f"Target {missing[0]!r}: the tickets have no such column, or nothing in it.",
            hint=f"Columns with values: {', '.join(here)}. Name the targets with --targets.",
        )
    return tickets[list(targets)].astype(object).where(tickets[list(targets)].notna(), None)
