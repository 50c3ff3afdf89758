"""Which tickets fit, which calibrate, which test.

By time: the model is fitted on the past, calibrated on what came after it and tested on what came last, as it will be used.
Tickets that are the same but for what varies (ids, hosts, numbers) stay on one side: a later ticket whose template was
already seen is left out of calibration and test, and counted, so that a model can't look good by remembering.
Without dates the parts are drawn at random, templates whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.errors import InputError, NotEnoughDataError
from triage_ml.text import mask

__all__ = ["SPLIT_PARTS", "Split", "split_at_random", "split_by_column", "split_by_time"]

IntArray = NDArray[np.int64]

SPLIT_PARTS = ("train", "tune", "val", "calibration", "test")
_FEWEST_IN_PART = 10


@dataclass(frozen=True)
class Split:
    """Row numbers of the three parts, how they were drawn, and what a reader should know about it.

    `repeats` are later tickets whose template stands in an earlier part: in neither calibration nor test.
    """

    how: str
    fit: IntArray
    calibration: IntArray
    test: IntArray
    repeats: IntArray
    notes: tuple[str, ...] = ()


def split_by_time(opened_at: pd.Series, texts: Sequence[str], *, calibration_share: float, test_share: float) -> Split:
    """Cut at two moments; `texts` are prepared ticket texts. Tickets without a date fit."""
    times = pd.to_datetime(opened_at, utc=True).to_numpy(dtype="datetime64[us]")
    dated = ~np.isnat(times)
    order = np.argsort(times, kind="stable")[: dated.sum()]
    first_test = round(len(order) * (1 - test_share))
    first_calibration = round(first_test * (1 - calibration_share))
    part = np.zeros(len(times), dtype=np.int64)
    part[order[first_calibration:first_test]] = 1
    part[order[first_test:]] = 2
    return _split_parts("time", part, _seen_earlier(part, _templates(texts)))


def split_at_random(texts: Sequence[str], *, calibration_share: float, test_share: float, seed: int) -> Split:
    """Draw whole templates at random until the parts have their size."""
    templates = _templates(texts)
    shuffled = np.random.default_rng(seed).permutation(templates.max(initial=-1) + 1)[templates]
    place = np.empty(len(templates))
    place[np.argsort(shuffled, kind="stable")] = (np.arange(len(templates)) + 0.5) / max(len(templates), 1)
    first_of_template = pd.Series(place).groupby(shuffled).transform("min").to_numpy()
    part: IntArray = np.where(first_of_template < test_share, 2, 0)
    part[(part == 0) & (first_of_template < test_share + (1 - test_share) * calibration_share)] = 1
    return _split_parts("random", part, np.zeros(len(part), dtype=bool))


def split_by_column(
    values: pd.Series, texts: Sequence[str], *, calibration_share: float, names: Mapping[str, str] | None = None
) -> Split:
    """A published split: `train` fits, `calibration` calibrates, `test` tests; `tune` and `val` are for searches.

    `names` maps the column's own values to these. A missing calibration part is cut from `train`, every n-th template.
    """
    named = values.astype("string").map(lambda value: (names or {}).get(value, value), na_action="ignore")
    if unknown := sorted(set(named.dropna()) - set(SPLIT_PARTS)):
        raise InputError(
            f"Split column {values.name!r}: expected {', '.join(SPLIT_PARTS)}, found {unknown[0]!r}.",
            hint=f"Say what it means, for example --split-map {unknown[0]}=test.",
        )
    numbers = {"train": 0, "tune": 3, "val": 3, "calibration": 1, "test": 2}
    part = np.array([numbers.get(value, 3) for value in named.fillna("").tolist()], dtype=np.int64)
    notes = []
    if unused := int((part == 3).sum()):
        notes.append(
            f"{unused} tickets of the parts tune and val, or of no part, are not used: nothing is searched for."
        )
    if not (part == 1).any():
        every = max(round(1 / calibration_share), 2)
        part[(part == 0) & (_templates(texts) % every == 0)] = 1
        notes.append("The calibration part was cut from train.")
    return _split_parts(f"column {values.name}", part, np.zeros(len(part), dtype=bool), tuple(notes))


def _templates(texts: Sequence[str]) -> IntArray:
    """Number of each text's template: the text with what varies masked. Shape (texts,), first come first numbered."""
    codes, _ = pd.factorize(np.array(mask(texts), dtype=object))
    return codes.astype(np.int64)


def _seen_earlier(part: IntArray, templates: IntArray) -> NDArray[np.bool_]:
    first = pd.Series(part).groupby(templates).transform("min").to_numpy()
    return (part > first) & (part > 0)


def _split_parts(how: str, part: IntArray, repeats: NDArray[np.bool_], notes: tuple[str, ...] = ()) -> Split:
    fit, calibration, test = (np.flatnonzero((part == number) & ~repeats) for number in range(3))
    smallest = min(len(fit), len(calibration), len(test))
    if smallest < _FEWEST_IN_PART:
        raise NotEnoughDataError(
            f"The split by {how} leaves {len(fit)} tickets to fit on, {len(calibration)} to calibrate on and "
            f"{len(test)} to test on; each part needs at least {_FEWEST_IN_PART}.",
            hint="Import more tickets (a few hundred make a first model).",
        )
    if left_out := int(repeats.sum()):
        share = left_out / max((part > 0).sum(), 1)
        notes = (*notes, f"{left_out} later tickets ({share:.0%}) repeat a template seen before: not in the figures.")
    return Split(how, fit, calibration, test, np.flatnonzero(repeats), notes)
