"""Rows by their label."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["rows_by_label"]


def rows_by_label(labels: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Each label and its rows, both in ascending order.

    >>> [(label, rows.tolist()) for label, rows in rows_by_label(np.array([3, -1, 3]))]
    [(-1, [1]), (3, [0, 2])]
    """
    if not len(labels):
        return
    order = np.argsort(labels, kind="stable")
    found, starts = np.unique(labels[order], return_index=True)
    yield from zip(found.tolist(), np.split(order, starts[1:]), strict=True)
