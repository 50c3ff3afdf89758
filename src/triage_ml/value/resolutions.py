"""How tickets of a pattern get solved: close notes that say the same in other words count as one way."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["common_resolutions"]

#: Share of words that two notes must have in common to be the same way (Jaccard).
ALIKE = 0.4
#: Notes that are compared; more would change the shares by less than they are worth.
COMPARED = 200
_WORD = re.compile(r"[^\W\d_]{3,}")


def common_resolutions(notes: Sequence[str], *, most: int = 3) -> list[tuple[str, float]]:
    """The commonest ways with the share of notes that go each, largest first.

    Each note joins the first way whose first note shares enough words with it (leader clustering, Hartigan 1975). The
    notes are taken in alphabetical order, so their order in a file does not matter.

    >>> common_resolutions(["Reset the password.", "Password reset", "Replaced the mouse"])
    [('Password reset', 0.667), ('Replaced the mouse', 0.333)]
    """
    said = sorted(note for note in notes if note.strip())[:: max(len(notes) // COMPARED, 1)]
    ways: list[tuple[set[str], str, int]] = []
    for note in said:
        words = set(_WORD.findall(note.casefold()))
        for index, (leader, text, count) in enumerate(ways):
            if len(words & leader) >= ALIKE * len(words | leader):
                ways[index] = (leader, text, count + 1)
                break
        else:
            ways.append((words, note, 1))
    ways.sort(key=lambda way: (-way[2], way[1]))
    return [(text, round(count / len(said), 3)) for _, text, count in ways[:most]]
