"""Which tickets fit, which calibrate, which test.

By time: the model learns from the past, the latest of it calibrates, and what came last tests, as it will be used.
Tickets that are the same but for what varies (ids, hosts, numbers) stay on one side: one of the latest whose template was
already seen fits and does not calibrate, one of the test part is left out and counted, so that a model can't look good by
remembering. Without dates the test part is drawn at random, templates whole, and calibration is cross-fitted. The order of
the rows changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.errors import InputError, NotEnoughDataError
from triage_ml.text import mask

__all__ = [
    "SPLIT_PARTS",
    "Split",
    "split_at_random",
    "split_by_column",
    "split_by_time",
    "template_fingerprints",
]

IntArray = NDArray[np.int64]

SPLIT_PARTS = ("train", "tune", "val", "calibration", "test")
_FEWEST_IN_PART = 10


@dataclass(frozen=True)
class Split:
    """Row numbers of the three parts, how they were drawn, and what a reader should know about it.

    `calibration` is empty where calibration is to be cross-fitted. `repeats` are tickets of the test's time whose template
    stands in an earlier part: not in the test. `templates` has shape (tickets,): the number of each ticket's template;
    `fingerprints`, of the same shape, tells templates of other files apart as well (`template_fingerprints`).
    """

    how: str
    fit: IntArray
    calibration: IntArray
    test: IntArray
    repeats: IntArray
    templates: IntArray
    fingerprints: NDArray[np.uint64]
    notes: tuple[str, ...] = ()


def split_by_time(opened_at: pd.Series, texts: Sequence[str], *, calibration_share: float, test_share: float) -> Split:
    """Cut at two moments; `texts` are prepared ticket texts. Tickets without a date fit."""
    times = pd.to_datetime(opened_at, utc=True).to_numpy(dtype="datetime64[us]")
    dated = ~np.isnat(times)
    ranks, _ = pd.factorize(
        np.array(texts, dtype=object), sort=True
    )  # of one moment's tickets, the order of rows says nothing
    order = np.lexsort((ranks, times))[: dated.sum()]
    first_test = round(len(order) * (1 - test_share))
    first_calibration = round(first_test * (1 - calibration_share))
    part = np.zeros(len(times), dtype=np.int64)
    part[order[first_calibration:first_test]] = 1
    part[order[first_test:]] = 2
    templates, prints = _templates(texts)
    seen = _seen_earlier(part, templates)
    part[seen & (part == 1)] = 0
    return _split_parts("time", part, seen & (part == 2), templates, prints)


def split_at_random(texts: Sequence[str], *, test_share: float, seed: int) -> Split:
    """Draw whole templates at random until the test part has its size; the rest fits."""
    templates, prints = _templates(texts)
    part = _draw_test(np.zeros(len(templates), dtype=np.int64), templates, test_share, seed)
    return _split_parts("random", part, np.zeros(len(part), dtype=bool), templates, prints)


def split_by_column(
    values: pd.Series, texts: Sequence[str], *, names: Mapping[str, str] | None = None, test_share: float, seed: int
) -> Split:
    """A published split: `train` fits, `calibration` calibrates, `test` tests; `tune` and `val` are for searches.

    `names` maps the column's own values to these. Without a calibration part calibration is cross-fitted on `train`; a test
    part that is not there is drawn from `train`.
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
            f"{unused} tickets of the parts tune and val, or of no part, are neither fitted on nor measured on; a search "
            "selects on tune and val."
        )
    templates, prints = _templates(texts)
    if not (part == 2).any():
        part = _draw_test(part, templates, test_share, seed)
        notes.append(f"No part is called test: {(part == 2).sum()} tickets of train were drawn for it.")
    nowhere = np.zeros(len(part), dtype=bool)
    return _split_parts(f"column {values.name}", part, nowhere, templates, prints, tuple(notes))


def _draw_test(part: IntArray, templates: IntArray, share: float, seed: int) -> IntArray:
    """Move whole templates of part 0 to part 2, in random order, while they have room there: a giant one stays."""
    sizes = np.bincount(templates[part == 0], minlength=templates.max(initial=-1) + 1)
    room = round(share * sizes.sum())
    drawn = np.zeros(len(sizes), dtype=bool)
    for template in np.random.default_rng(seed).permutation(len(sizes)).tolist():
        if 0 < sizes[template] <= room:
            drawn[template] = True
            room -= sizes[template]
    given: IntArray = np.where((part == 0) & drawn[templates], 2, part)
    return given


def template_fingerprints(texts: Sequence[str]) -> NDArray[np.uint64]:
    """Of each text's template, the text with what varies masked: 64 bits of its BLAKE2b hash. Shape (texts,)."""
    return _templates(texts)[1]


def _templates(texts: Sequence[str]) -> tuple[IntArray, NDArray[np.uint64]]:
    """Number of each text's template, in the order of the alphabet, and its fingerprint. Both of shape (texts,)."""
    codes, templates = pd.factorize(np.array(mask(texts), dtype=object), sort=True)
    prints = np.array([_fingerprint(template) for template in templates], dtype=np.uint64)
    return codes.astype(np.int64), prints[codes]


def _fingerprint(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def _seen_earlier(part: IntArray, templates: IntArray) -> NDArray[np.bool_]:
    first = pd.Series(part).groupby(templates).transform("min").to_numpy()
    return (part > first) & (part > 0)


def _split_parts(
    how: str,
    part: IntArray,
    repeats: NDArray[np.bool_],
    templates: IntArray,
    prints: NDArray[np.uint64],
    notes: tuple[str, ...] = (),
) -> Split:
    fit, calibration, test = (np.flatnonzero((part == number) & ~repeats) for number in range(3))
    if 0 < len(calibration) < _FEWEST_IN_PART:
        notes = (*notes, f"Only {len(calibration)} tickets to calibrate on: they fit, and calibration is cross-fitted.")
        fit, calibration = np.sort(np.concatenate([fit, calibration])), calibration[:0]
    if len(test) < _FEWEST_IN_PART <= repeats.sum():
        notes = (*notes, "Nearly all later tickets repeat a template seen before, so the figures are of those, too.")
        repeats = np.zeros(len(part), dtype=bool)
        test = np.flatnonzero(part == 2)
    sizes = [f"{len(fit)} tickets to fit on"]
    sizes += [f"{len(calibration)} to calibrate on"] * bool(len(calibration))
    if min(len(fit), len(test), len(calibration) or len(fit)) < _FEWEST_IN_PART:
        raise NotEnoughDataError(
            f"The split by {how} leaves {', '.join(sizes)} and {len(test)} to test on; each part needs at least "
            f"{_FEWEST_IN_PART}.",
            hint="Import more tickets (a few hundred make a first model).",
        )
    if left_out := int(repeats.sum()):
        share = left_out / max((part == 2).sum(), 1)
        notes = (*notes, f"{left_out} later tickets ({share:.0%}) repeat a template seen before: not in the figures.")
    return Split(how, fit, calibration, test, np.flatnonzero(repeats), templates, prints, notes)
