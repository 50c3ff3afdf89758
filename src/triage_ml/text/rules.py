"""Ordered small rules over many texts: the machine under `redact` and `mask`.

Most rules match nothing in most texts, and a regular expression takes its time to say so. Three things make that cheap. A
rule names literals that a text must hold (`needs`), and one pass over all texts finds the literals of all rules. A rule may
name a quick pattern that must be found besides (`hint`); neighbours with the same needs and hint share the test. And a
pattern that begins with a plain set of characters, before any look-behind, lets the engine skip to the places where it could
begin.

Rules run until nothing changes any more, so the result never depends on how often they were applied. It ends because no
rule of ours matches a placeholder: every round leaves less text that can match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np

from triage_ml.text.finder import MOST_GROUPS, LiteralFinder

__all__ = ["DIGITS", "Rule", "apply_rules"]

#: `needs` of a rule that can only match where there is a digit: Western, Arabic, Persian, Devanagari, full width.
DIGITS = tuple(chr(zero + digit) for zero in (0x30, 0x660, 0x6F0, 0x966, 0xFF10) for digit in range(10))

MAX_ROUNDS = 5
_BLOCK = 4096


@dataclass(frozen=True)
class Rule:
    """What to look for and what to put there.

    Parameters
    ----------
    name
        For people; rules are told apart by it.
    pattern
        A compiled regular expression. It must be linear on hostile input and must not match a placeholder like `<num>`.
    replacement
        As for `re.sub`: a template, or a function of the match.
    needs
        Lower-case literals, one of which must be in the lower-cased text for the pattern to match at all. Empty: no matter.
    needs_too
        More of these, one of which must be there besides.
    hint
        A quick pattern that must be found for `pattern` to match at all.

    >>> import re
    >>> from triage_ml.text import MASK_RULES, mask
    >>> badge = Rule("badge", re.compile(r"badge [A-Z]{3}"), "badge <badge>", needs=("badge",))
    >>> mask(["Lost badge XKD on floor 3"], rules=(badge, *MASK_RULES))
    ['Lost badge <badge> on floor <num>']
    """

    name: str
    pattern: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str]
    needs: tuple[str, ...] = ()
    needs_too: tuple[str, ...] = ()
    hint: re.Pattern[str] | None = None


def apply_rules(texts: Iterable[str], rules: Sequence[Rule]) -> list[str]:
    """Every text with every rule applied, in order; as many texts out as in."""
    plan = _plan(tuple(rules))
    settled = list(texts)
    moving = list(range(len(settled)))
    for _ in range(MAX_ROUNDS):
        # Some thousand at a time: a pass over them takes room for a copy.
        blocks = [moving[begin : begin + _BLOCK] for begin in range(0, len(moving), _BLOCK)]
        moving = [place for block in blocks for place in plan.apply(settled, block)]
    return settled


class _Plan:
    """The rules in order, those with the same needs together, and within them those with the same hint."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        bits: dict[tuple[str, ...], int] = {}
        self._steps = []
        for needs, group in groupby(rules, key=lambda rule: (rule.needs, rule.needs_too)):
            # Literals past the last bit share it: their rules are then tried where any of them is.
            required = {min(bits.setdefault(one, len(bits)), MOST_GROUPS - 1) for one in needs if one}
            same_hint = [(hint, tuple(same)) for hint, same in groupby(group, key=lambda rule: rule.hint)]
            self._steps.append((sum(1 << bit for bit in required), same_hint))
        groups: list[list[str]] = [[] for _ in range(min(len(bits), MOST_GROUPS))]
        for literals, bit in bits.items():
            groups[min(bit, MOST_GROUPS - 1)] += literals
        self._finder = LiteralFinder(groups)
        self._always = any(not required for required, _ in self._steps)

    def apply(self, texts: list[str], places: Sequence[int]) -> list[int]:
        """One round over the texts at these places; those that it changed."""
        found = self._finder.find([texts[place] for place in places])
        telling = range(len(places)) if self._always else np.flatnonzero(found).tolist()
        changed = []
        for index in telling:
            place = places[index]
            text = self._once(texts[place], int(found[index]))
            if text != texts[place]:
                texts[place] = text
                changed.append(place)
        return changed

    def _once(self, text: str, found: int) -> str:
        for required, groups in self._steps:
            if found & required == required:
                for hint, rules in groups:
                    if hint is None or hint.search(text):
                        for rule in rules:
                            text = rule.pattern.sub(rule.replacement, text)
        return text


@lru_cache(maxsize=16)
def _plan(rules: tuple[Rule, ...]) -> _Plan:
    return _Plan(rules)
