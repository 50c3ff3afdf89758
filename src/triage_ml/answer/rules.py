"""Rules beside the model: what people know and no ticket taught.

    [[rules]]
    name = "monitoring goes to the NOC"
    when = { channel = "monitoring", keywords = ["server down", "link down"] }
    then = { target = "tier", value = "NOC" }

    [[rules]]
    name = "board members are handled by people"
    when = { keywords = ["board member"] }
    then = { block = "auto" }

    [[rules]]
    name = "phones never go to engineering"
    when = { ticket_type = ["request", "incident"], configuration_item = "phone" }
    then = { target = "tier", allow = ["L1", "L2-EUC"] }

A rule matches a ticket that meets all of its `when`: a field is one of the values (case does not matter), and of the
`keywords` any is in the text, or with `match = "all"` each of them. A keyword is whole words, with any white space between
them, in the text as the model reads it: cleaned and redacted. `then` is one of:

- `value`: answer this, `auto` (or what `action` says), reason `set_by_rule`. The first rule of the file that sets a target
  wins. Never a group that a person just moved the ticket from.
- `block = "auto"`: whatever the model says, `suggest` at most, for one target or without `target` for all of them.
- `block = [...]` and `allow = [...]`: never these values, or only these. Where the model would, the best value that is left
  is suggested.

The reason of what a rule blocked is `blocked_by_rule`, and the answer names the rule.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from triage_ml.answer.verdicts import ACTIONS, Verdicts
from triage_ml.errors import SettingsError

__all__ = ["RULE_FIELDS", "Rule", "RuleBook", "RulesFile", "Then", "When", "near"]

#: The columns of a ticket that a rule may ask for; all are known when it is filed.
RULE_FIELDS = ("channel", "priority", "ticket_type", "configuration_item")


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Texts = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_as_tuple)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class When(_Strict):
    """What a ticket must be like."""

    keywords: Texts = ()
    match: Literal["any", "all"] = "any"
    channel: Texts = ()
    priority: Texts = ()
    ticket_type: Texts = ()
    configuration_item: Texts = ()

    @model_validator(mode="after")
    def _says_something(self) -> When:
        if not all(keyword.strip() for keyword in self.keywords):
            raise ValueError(
                "a keyword must have a letter, a digit or a sign; an empty one would match nearly every ticket"
            )
        if not self.keywords and not any(getattr(self, name) for name in RULE_FIELDS):
            raise ValueError("expected keywords or a field; a rule for every ticket is no rule")
        return self

    @cached_property
    def patterns(self) -> list[re.Pattern[str]]:
        """All of them must be found in the case-folded text."""
        words = [r"\s+".join(map(re.escape, keyword.casefold().split())) for keyword in self.keywords]
        if self.match == "any":
            words = ["|".join(words)] if words else []
        return [re.compile(rf"(?<!\w)(?:{word})(?!\w)") for word in words]


class Then(_Strict):
    """What is answered, or must not be."""

    target: str | None = None
    value: str | None = None
    action: Literal["auto", "suggest", "human"] = "auto"
    block: Literal["auto"] | tuple[str, ...] | None = None
    allow: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Then:
        said = [name for name in ("value", "block", "allow") if getattr(self, name) is not None]
        if len(said) != 1:
            raise ValueError(f"expected one of value, block, allow; found {' and '.join(said) or 'none'}")
        if self.target is None and self.block != "auto":
            raise ValueError(f'{said[0]} needs a target, for example target = "tier"')
        if self.value is None and self.action != "auto":
            raise ValueError("action goes with value")
        return self

    @property
    def values(self) -> tuple[str, ...]:
        """Every value that is named."""
        if self.value is not None:
            return (self.value,)
        return self.block if isinstance(self.block, tuple) else self.allow or ()


class Rule(_Strict):
    """One rule of the file."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    when: When
    then: Then


class RulesFile(_Strict):
    """What the file may hold."""

    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class RuleBook:
    """The rules of a file, in its order."""

    rules: tuple[Rule, ...] = ()
    source: str = "rules"
    lines: Sequence[int] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.rules)

    def values_of(self, target: str) -> list[str]:
        """The values that rules may set for a target, in the order of the file."""
        return list(dict.fromkeys(r.then.value for r in self.rules if r.then.target == target and r.then.value))

    def check(self, known: Mapping[str, Iterable[str]]) -> None:
        """Hold the rules against the targets that are answered and the values that each may have.

        Raises
        ------
        SettingsError
            A rule names a target or a value that is not there.
        """
        for number, rule in enumerate(self.rules):
            line = f", line {self.lines[number]}" if self.lines else ""
            where = f"{self.source}{line}, rule {rule.name!r}"
            if rule.then.target is None:
                continue
            if rule.then.target not in known:
                raise SettingsError(f"{where}: no target {rule.then.target!r}{near(rule.then.target, known)}.")
            values = list(known[rule.then.target])
            for value in rule.then.values:
                if value not in values:
                    raise SettingsError(f"{where}: {rule.then.target} has no value {value!r}{near(value, values)}.")

    def apply(
        self, texts: Sequence[str], fields: Mapping[str, Sequence[Any]], verdicts: Mapping[str, Verdicts]
    ) -> None:
        """Change the verdicts, in place.

        Parameters
        ----------
        texts
            Cleaned and redacted.
        fields
            What each ticket has of `RULE_FIELDS`; a field that is not there is missing for all.
        """
        folded = [text.casefold() for text in texts]
        for rule in self.rules:
            rows = _matching(rule.when, folded, fields)
            if len(rows):
                _do(rule, rows, verdicts)


def _matching(when: When, folded: Sequence[str], fields: Mapping[str, Sequence[Any]]) -> NDArray[np.int64]:
    rows: Iterable[int] = range(len(folded))
    for name in RULE_FIELDS:
        if wanted := {value.strip().casefold() for value in getattr(when, name)}:
            values = fields.get(name) or [None] * len(folded)
            rows = [row for row in rows if isinstance(values[row], str) and values[row].strip().casefold() in wanted]
    for pattern in when.patterns:
        rows = [row for row in rows if pattern.search(folded[row])]
    return np.fromiter(rows, dtype=np.int64)


def _do(rule: Rule, rows: NDArray[np.int64], verdicts: Mapping[str, Verdicts]) -> None:
    then = rule.then
    if then.block == "auto":
        for name in [then.target] if then.target else verdicts:
            verdicts[name].cap(rows, "blocked_by_rule", rule=rule.name)
        return
    verdict = verdicts[str(then.target)]
    if then.value is not None:
        verdict.fix(rows, then.value, ACTIONS.index(then.action), "set_by_rule", rule=rule.name)
        return
    mask = np.zeros(len(verdict.classes), dtype=bool)
    mask[verdict.places(then.values)] = True
    verdict.bar(rows, mask if then.allow is None else ~mask, "blocked_by_rule", rule=rule.name)


def near(word: str, known: Iterable[str]) -> str:
    """How a message goes on after a word that is not known."""
    options = list(known)
    near = difflib.get_close_matches(word, options, n=1)
    return f"; did you mean `{near[0]}`" if near else f"; known are {', '.join(options)}"
