"""Ordered small rules over many texts: the machine under `redact` and `mask`.

Most rules match nothing in most texts, and a regular expression takes its time to say so. Three things make that cheap. A
rule names literals that a text must hold (`needs`), which costs next to nothing. It may name a quick pattern that must be
found besides (`hint`); neighbours with the same needs or hint share the test. And a pattern that begins with a plain set of
characters, before any look-behind, lets the engine skip to the places where it could begin.

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
    plan = _plan(rules)
    return [_settle(text, plan) for text in texts]


Plan = list[tuple[tuple[str, ...], list[tuple[re.Pattern[str] | None, list[Rule]]]]]


def _plan(rules: Sequence[Rule]) -> Plan:
    """The rules in order, neighbours with the same needs together, and in there neighbours with the same hint."""
    return [
        (needs, [(hint, list(same)) for hint, same in groupby(group, key=lambda rule: rule.hint)])
        for needs, group in groupby(rules, key=lambda rule: rule.needs)
    ]


def _settle(text: str, plan: Plan) -> str:
    for _ in range(MAX_ROUNDS):
        before = text
        text = _once(text, plan)
        if text == before:
            break
    return text


def _once(text: str, plan: Plan) -> str:
    lowered = text.lower()
    for needs, groups in plan:
        if needs and not _holds_any(lowered, needs):
            continue
        for hint, rules in groups:
            if hint is None or hint.search(text):
                for rule in rules:
                    text = rule.pattern.sub(rule.replacement, text)
    return text


def _holds_any(text: str, literals: tuple[str, ...]) -> bool:
    for literal in literals:  # noqa: SIM110 (a generator in any() costs twice as much, and this is the inner loop)
        if literal in text:
            return True
    return False
