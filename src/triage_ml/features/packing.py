"""Texts as one row of bytes, normalised: what the compiled loops read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LONGEST_TEXT", "Packed", "chunks", "normalise", "pack"]

LONGEST_TEXT = 20_000  # characters; what a ticket is about stands before that
_NOT_WORD = re.compile(r"\W|_")
_CHUNK_TEXTS = 4096
_CHUNK_CHARACTERS = 2_000_000


@dataclass(frozen=True)
class Packed:
    """Normalised texts end to end as UTF-8.

    `codes` has shape (n,); text i is `codes[begins[i]:begins[i + 1]]`, its last byte a newline; `begins` has shape
    (texts + 1,).
    """

    codes: NDArray[np.uint8]
    begins: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.begins) - 1


def normalise(text: str) -> str:
    """Lower case; where there is more than ASCII, everything that is no letter or digit becomes a space.

    The number of characters stays as it was (but for a handful of letters whose lower case is longer).
    """
    lowered = text[:LONGEST_TEXT].lower()
    return lowered if lowered.isascii() else _NOT_WORD.sub(" ", lowered)


def pack(texts: Sequence[str]) -> Packed:
    """Normalise the texts and lay them end to end."""
    texts = [text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] for text in texts]
    joined = "\n".join([*texts, ""])
    if joined.isascii():
        codes, lengths = joined.lower().encode(), map(len, texts)
    else:
        encoded = [normalise(text).encode("utf-8", "replace") for text in texts]
        codes, lengths = b"\n".join([*encoded, b""]), map(len, encoded)
    begins = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(lengths, dtype=np.int64, count=len(texts)) + 1, out=begins[1:])
    return Packed(np.frombuffer(codes, dtype=np.uint8), begins)


def chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Runs of texts that fit the cache, and of a bounded number of characters; one run of none where there are no texts."""
    begin = characters = 0
    for index, text in enumerate(texts):
        characters += min(len(text), LONGEST_TEXT)
        if index - begin + 1 >= _CHUNK_TEXTS or characters > _CHUNK_CHARACTERS:
            yield texts[begin : index + 1]
            begin, characters = index + 1, 0
    if begin < len(texts) or not len(texts):
        yield texts[begin:]
