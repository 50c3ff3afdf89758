"""Ordered small rules over many texts: the machine under `redact` and `mask`.

Regular expressions are slow where nothing matches, which is most of the time. So each rule may name literals that a text
must hold before it is tried (`needs`); neighbours with the same `needs` share the test.

Rules run until nothing changes any more, so the result never depends on how often they were applied. It ends because no
rule of ours matches a placeholder: every round leaves less text that can match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

__all__ = ["DIGITS", "Rule", "apply_rules"]

#: `needs` of a rule that can only match where there is a digit.
DIGITS = tuple("0123456789")

MAX_ROUNDS = 5


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
        Lower-case literals, one of which must be in the lower-cased text for the pattern to match at all.
        Empty: the rule is always tried.

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


def apply_rules(texts: Iterable[str], rules: Sequence[Rule]) -> list[str]:
    """Every text with every rule applied, in order; as many texts out as in."""
    plan = [(needs, list(group)) for needs, group in groupby(rules, key=lambda rule: rule.needs)]
    return [_settle(text, plan) for text in texts]


def _settle(text: str, plan: list[tuple[tuple[str, ...], list[Rule]]]) -> str:
    for _ in range(MAX_ROUNDS):
        before = text
        text = _once(text, plan)
        if text == before:
            break
    return text


def _once(text: str, plan: list[tuple[tuple[str, ...], list[Rule]]]) -> str:
    lowered = text.lower()
    for needs, rules in plan:
        if needs and not _holds_any(lowered, needs):
            continue
        for rule in rules:
            text = rule.pattern.sub(rule.replacement, text)
    return text


def _holds_any(text: str, literals: tuple[str, ...]) -> bool:
    for literal in literals:  # noqa: SIM110 (a generator in any() costs twice as much, and this is the inner loop)
        if literal in text:
            return True
    return False
