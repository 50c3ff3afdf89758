"""What makes a pattern the same pattern next week, and in another space: its id and its anchors.

An id is given once, from the texts that founded the pattern, and never changes. Anchors are some twenty of those texts,
redacted and masked, kept with the pattern for ever: encoded again they say where the pattern lies in any later space.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

import numpy as np

from triage_ml.patterns.uniques import text_key

__all__ = ["ANCHORS", "ANCHOR_LENGTH", "anchor_places", "new_pattern_id"]

ANCHORS = 20
ANCHOR_LENGTH = 600


def anchor_places(texts: int, count: int = ANCHORS) -> list[int]:
    """Which of a pattern's `texts` (most typical first) become anchors: evenly spread from the most typical to the edge."""
    places: list[int] = np.unique(np.linspace(0, texts - 1, min(count, texts)).round().astype(int)).tolist()
    return places


def new_pattern_id(anchors: Sequence[str], taken: Container[str]) -> str:
    """An id from the founding texts, so that the same tickets give the same id on any machine."""
    founding = "\n".join(sorted(anchors))
    for attempt in range(1_000):
        candidate = f"p{text_key(f'{attempt}:{founding}')[:12]}"
        if candidate not in taken:
            return candidate
    raise AssertionError("a thousand collisions of a 48-bit hash")
