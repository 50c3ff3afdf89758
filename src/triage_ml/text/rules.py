"""Ordered small rules over many texts: the machine under `redact` and `mask`.

Most rules match nothing in most texts, and a regular expression takes its time to say so. Four things make that cheap. A
rule names literals that a text must hold (`needs`). They are looked for in the few words of a text that hold any literal of
any rule: which words do is remembered, for tickets are made of the same words. A rule may name a quick pattern that must be
found besides (`hint`); neighbours with the same needs or hint share the test. And a pattern that begins with a plain set of
characters, before any look-behind, lets the engine skip to the places where it could begin.

Rules run until nothing changes any more, so the result never depends on how often they were applied. It ends because no
rule of ours matches a placeholder: every round leaves less text that can match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

__all__ = ["DIGITS", "Rule", "apply_rules"]

#: `needs` of a rule that can only match where there is a digit.
DIGITS = tuple("0123456789")

MAX_ROUNDS = 5
_MOST_REMEMBERED = 200_000


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
    hint: re.Pattern[str] | None = None


def apply_rules(texts: Iterable[str], rules: Sequence[Rule]) -> list[str]:
    """Every text with every rule applied, in order; as many texts out as in."""
    plan = _plan(tuple(rules))
    return [_settle(text, plan) for text in texts]


@dataclass(frozen=True)
class _Step:
    """Rules with the same needs, those with the same hint together; `spaced` are the needs that hold white space."""

    plain: tuple[str, ...]
    spaced: tuple[str, ...]
    groups: tuple[tuple[re.Pattern[str] | None, tuple[Rule, ...]], ...]

    def is_needed(self, words: str, lowered: str) -> bool:
        """Whether any literal is there, or none is asked for."""
        if not self.plain and not self.spaced:
            return True
        return _holds_any(words, self.plain) or _holds_any(lowered, self.spaced)


class _Plan:
    """The rules in order, and what is remembered of words."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.steps = tuple(
            _Step(
                tuple(need for need in needs if not _SPACE.search(need)),
                tuple(need for need in needs if _SPACE.search(need)),
                tuple((hint, tuple(same)) for hint, same in groupby(group, key=lambda rule: rule.hint)),
            )
            for needs, group in groupby(rules, key=lambda rule: rule.needs)
        )
        self.always = any(not rule.needs for rule in rules)
        # White space ends a word, so of a literal that holds some, the longest word must be in one.
        self._literals = tuple(dict.fromkeys(max(need.split(), key=len) for rule in rules for need in rule.needs))
        self._calm: set[str] = set()

    def telling(self, lowered: str) -> str:
        """The words of a text that hold a literal of any rule, in no order."""
        words = set(lowered.split()).difference(self._calm)
        return " ".join([word for word in words if self._tells(word)]) if words else ""

    def _tells(self, word: str) -> bool:
        if _holds_any(word, self._literals):
            return True
        if word.isalpha():  # nothing that could be a secret is remembered
            if len(self._calm) >= _MOST_REMEMBERED:
                self._calm.clear()
            self._calm.add(word)
        return False


_SPACE = re.compile(r"\s")


@lru_cache(maxsize=16)
def _plan(rules: tuple[Rule, ...]) -> _Plan:
    return _Plan(rules)


def _settle(text: str, plan: _Plan) -> str:
    for _ in range(MAX_ROUNDS):
        before = text
        text = _once(text, plan)
        if text == before:
            break
    return text


def _once(text: str, plan: _Plan) -> str:
    lowered = text.lower()
    words = plan.telling(lowered)
    if not words and not plan.always:
        return text
    for step in plan.steps:
        if step.is_needed(words, lowered):
            for hint, rules in step.groups:
                if hint is None or hint.search(text):
                    for rule in rules:
                        text = rule.pattern.sub(rule.replacement, text)
    return text


def _holds_any(text: str, literals: tuple[str, ...]) -> bool:
    for literal in literals:  # noqa: SIM110 (a generator in any() costs twice as much, and this is the inner loop)
        if literal in text:
            return True
    return False
