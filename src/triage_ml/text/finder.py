"""Which of many literals are in which of many texts, in one pass over the bytes (Aho and Corasick 1975)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from triage_ml.compiled import compiled

__all__ = ["MOST_GROUPS", "LiteralFinder"]

MOST_GROUPS = 64


class LiteralFinder:
    """Finds groups of literals in the lower-cased form of texts.

    Parameters
    ----------
    groups
        At most 64 groups of lower-case literals, none empty.
    """

    def __init__(self, groups: Sequence[Sequence[str]]) -> None:
        if len(groups) > MOST_GROUPS:
            raise ValueError(f"at most {MOST_GROUPS} groups, found {len(groups)}")
        words = [(literal.encode(), group) for group, literals in enumerate(groups) for literal in literals]
        letters = sorted({byte for word, _ in words for byte in word})
        # Bytes that no literal has are one letter, 0: the table is then small enough to stay in the fastest memory.
        self._letter = np.zeros(256, dtype=np.uint8)
        self._letter[letters] = np.arange(1, len(letters) + 1)
        self._next, self._found = _automaton(words, self._letter, len(letters) + 1)

    def find(self, texts: Sequence[str]) -> NDArray[np.uint64]:
        """Shape (texts,): bit g is set where a literal of group g is in the text."""
        joined = "".join(texts)
        if joined.isascii():
            codes, lengths = joined.lower().encode(), map(len, texts)
        else:
            encoded = [text.lower().encode("utf-8", "replace") for text in texts]
            codes, lengths = b"".join(encoded), map(len, encoded)
        ends = np.fromiter(accumulate(lengths), dtype=np.int64, count=len(texts))
        return _scan(np.frombuffer(codes, dtype=np.uint8), ends, self._letter, self._next, self._found)


def _automaton(
    words: Sequence[tuple[bytes, int]], letter: NDArray[np.uint8], letters: int
) -> tuple[NDArray[np.uint16], NDArray[np.uint64]]:
    """The next state for each state and letter, and the groups that are found on reaching a state."""
    children: list[dict[int, int]] = [{}]
    found = [0]
    for word, group in words:
        state = 0
        for byte in word:
            code = int(letter[byte])
            if code not in children[state]:
                children[state][code] = len(children)
                children.append({})
                found.append(0)
            state = children[state][code]
        found[state] |= 1 << group
    following = np.zeros((len(children), letters), dtype=np.uint16)
    fallback = [0] * len(children)
    waiting = deque([0])
    while waiting:
        state = waiting.popleft()
        found[state] |= found[fallback[state]]
        following[state] = following[fallback[state]]
        for code, child in children[state].items():
            fallback[child] = int(following[state, code]) if state else 0
            following[state, code] = child
            waiting.append(child)
    return following, np.array(found, dtype=np.uint64)


@compiled
def _scan(
    codes: NDArray[np.uint8],
    ends: NDArray[np.int64],
    letter: NDArray[np.uint8],
    following: NDArray[np.uint16],
    found: NDArray[np.uint64],
) -> NDArray[np.uint64]:
    groups = np.zeros(len(ends), dtype=np.uint64)
    begin = 0
    for text in range(len(ends)):
        state, seen = np.uint16(0), np.uint64(0)
        for place in range(begin, ends[text]):
            state = following[state, letter[codes[place]]]
            seen |= found[state]
        groups[text] = seen
        begin = ends[text]
    return groups
