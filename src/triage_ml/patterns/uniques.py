"""Tickets -> weighted uniques: tickets that say the same once masked are one point, so they can't land apart.

Everything after this step works on uniques. They are ordered by a hash of their text, so the order of the rows in a file
never reaches a result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["NO_TEXT", "Uniques", "collapse", "same_form", "text_key"]

#: Index of a ticket whose text is empty once masked: it belongs to no unique and to no pattern.
NO_TEXT = -1

#: Characters of a text that are compared; what comes later is logs and quotes.
COMPARED = 1_500


@dataclass(frozen=True)
class Uniques:
    """Distinct masked texts.

    Attributes
    ----------
    texts
        The n texts, ordered by key.
    keys
        Hex digests of the texts; the same text has the same key in every week.
    weights
        Shape (n,), how many tickets say it.
    of_row
        Shape (tickets,), the unique of each ticket or `NO_TEXT`.
    """

    texts: tuple[str, ...]
    keys: tuple[str, ...]
    weights: NDArray[np.int64]
    of_row: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.texts)


def same_form(text: str) -> str:
    """A masked text as it is compared: without case, white space collapsed, cut after some 1,500 characters."""
    return " ".join(text.casefold().split())[:COMPARED].rstrip()


def text_key(text: str) -> str:
    """A short stable name of a text (64 bits, hex)."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def collapse(masked: Sequence[str]) -> Uniques:
    """Collapse masked texts; case and white space don't tell two apart.

    >>> uniques = collapse(["VPN down on <host>", "vpn  down on <host>", ""])
    >>> uniques.weights.tolist(), uniques.of_row.tolist()
    ([2], [0, 0, -1])
    """
    same = [same_form(text) for text in masked]
    key_of = {text: text_key(text) for text in set(same) if text}
    texts = tuple(sorted(key_of, key=lambda text: (key_of[text], text)))
    position = {text: index for index, text in enumerate(texts)}
    of_row = np.array([position.get(text, NO_TEXT) for text in same], dtype=np.int64)
    weights = np.bincount(of_row[of_row >= 0], minlength=len(texts)).astype(np.int64)
    return Uniques(texts, tuple(key_of[text] for text in texts), weights, of_row)
