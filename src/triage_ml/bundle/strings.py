"""Many strings as two plain arrays, so that a vocabulary needs neither JSON nor pickle."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["pack_strings", "unpack_strings"]


def pack_strings(strings: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """UTF-8 bytes end to end, shape (total,), and offsets, shape (n + 1,)."""
    encoded = [string.encode() for string in strings]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(part) for part in encoded], out=offsets[1:])
    return np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets


def unpack_strings(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> list[str]:
    """The reverse of `pack_strings`.

    >>> unpack_strings(*pack_strings(["vpn", "", "Zürich"]))
    ['vpn', '', 'Zürich']
    """
    raw = data.tobytes()
    return [raw[start:end].decode() for start, end in pairwise(offsets.tolist())]
