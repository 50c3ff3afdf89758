"""The little language of the catalogue: `[one|or another|]`, nested as deep as needed, and `{slot}`.

A template is compiled once into nested functions, because a desk renders millions of texts. `{n:1-254}`, `{d:4}` and
`{x:6}` are a whole number, digits and hexadecimal digits, new at each place; every other slot is the reader's to fill.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from triage_ml.errors import InputError
from triage_ml.simulate.dice import Dice

__all__ = ["Template", "Words", "compile_template"]


class Words(Protocol):
    """What a template is rendered with: random choices, and a value for each slot."""

    dice: Dice

    def slot(self, name: str) -> str:
        """The value of a slot, the same for the same name within one ticket."""
        ...


Template = Callable[[Words], str]

_TOKEN = re.compile(r"[\[\]|]|\{[^{}\[\]|\s]+\}|[^\[\]|{}]+|[{}]")
_PRIMITIVE = re.compile(r"n:(\d+)-(\d+)|d:(\d+)|x:(\d+)")


def compile_template(source: str, *, where: str, slots: frozenset[str] | None = None) -> Template:
    """The template in `source` as a function of the words it is rendered with.

    Parameters
    ----------
    where
        File and key, for the error message.
    slots
        The slots that may be used; anything goes for None.

    Raises
    ------
    InputError
        Brackets don't match, or a slot is not among `slots`.
    """
    parser = _Parser(_TOKEN.findall(source), where, slots)
    return _tidied(parser.sequence(ends=()))


class _Parser:
    """Recursive descent over the tokens of one template."""

    def __init__(self, tokens: list[str], where: str, slots: frozenset[str] | None) -> None:
        self.tokens = tokens
        self.where = where
        self.slots = slots
        self.at = 0

    def sequence(self, ends: tuple[str, ...]) -> Template:
        parts: list[Template] = []
        while self.at < len(self.tokens) and self.tokens[self.at] not in ends:
            piece = self.tokens[self.at]
            self.at += 1
            parts.append(self.part(piece))
        return _joined(parts)

    def part(self, piece: str) -> Template:
        if piece == "[":
            return self.choice()
        if piece == "]":
            raise InputError(f"{self.where}: a square bracket is closed that was never opened.")
        if piece in "{}":
            raise InputError(f"{self.where}: a curly bracket is not closed, or holds no slot name.")
        if piece[0] == "{":
            return self.slot(piece[1:-1])
        return _literal(piece)

    def choice(self) -> Template:
        options: list[Template] = []
        end = "|"
        while end == "|":
            options.append(self.sequence(ends=("|", "]")))
            if self.at == len(self.tokens):
                raise InputError(f"{self.where}: a square bracket is not closed.")
            end = self.tokens[self.at]
            self.at += 1
        count = len(options)
        return lambda words: options[int(words.dice.random() * count)](words)

    def slot(self, name: str) -> Template:
        if primitive := _PRIMITIVE.fullmatch(name):
            return _number(primitive)
        if self.slots is not None and name not in self.slots:
            known = ", ".join(sorted(self.slots))
            raise InputError(f"{self.where}: unknown slot {{{name}}}.", hint=f"Known slots are {known}.")
        return lambda words: words.slot(name)


def _number(primitive: re.Match[str]) -> Template:
    low, high, digits, hexadecimals = primitive.groups()
    if low is not None:
        first, last = int(low), int(high)
        return lambda words: str(words.dice.between(first, last))
    if digits is not None:
        count, base = int(digits), 10 ** int(digits)
        return lambda words: f"{words.dice.below(base):0{count}d}"
    count, base = int(hexadecimals), 16 ** int(hexadecimals)
    return lambda words: f"{words.dice.below(base):0{count}x}"


def _literal(text: str) -> Template:
    return lambda words: text


def _joined(parts: list[Template]) -> Template:
    if len(parts) == 1:
        return parts[0]
    return lambda words: "".join([part(words) for part in parts])


def _tidied(template: Template) -> Template:
    """Alternatives that were left out leave gaps; close them."""

    def render(words: Words) -> str:
        text = template(words)
        while "  " in text:
            text = text.replace("  ", " ")
        for gap, closed in ((" ,", ","), (" .", "."), (" ?", "?"), ("\n ", "\n"), (" \n", "\n")):
            if gap in text:
                text = text.replace(gap, closed)
        return text.strip(" ,;\n")

    return render
