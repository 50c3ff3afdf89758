from __future__ import annotations

import re

import numpy as np
import pytest

from triage_ml.errors import InputError
from triage_ml.simulate.dice import Dice
from triage_ml.simulate.template import compile_template


class FakeWords:
    """Words whose slots are their own names, in capitals."""

    def __init__(self, seed: int = 0) -> None:
        self.dice = Dice(np.random.default_rng(seed))

    def slot(self, name: str) -> str:
        return name.upper()


def every_text(source: str, tries: int = 300) -> set[str]:
    template = compile_template(source, where="test")
    words = FakeWords()
    return {template(words) for _ in range(tries)}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain text, with a comma.", {"plain text, with a comma."}),
        ("[Hi|Hello] team", {"Hi team", "Hello team"}),
        ("open {ticket} now", {"open TICKET now"}),
        ("a [b|] c", {"a b c", "a c"}),
        (
            "[Hi|], please help [today|].",
            {"Hi, please help today.", "Hi, please help.", "please help today.", "please help."},
        ),
        ("[one|two [and|or] {x}]", {"one", "two and X", "two or X"}),
        ("left | right", {"left | right"}),
        ("line one\n[line two|]\nend", {"line one\nline two\nend", "line one\n\nend"}),
    ],
    ids=["plain", "choice", "slot", "left-out", "left-out-at-the-start", "nested", "bar-outside", "lines"],
)
def test_a_template_renders_each_of_its_texts(source: str, expected: set[str]) -> None:
    assert every_text(source) == expected


@pytest.mark.parametrize(
    ("source", "pattern"),
    [("{n:3-12}", r"[3-9]|1[0-2]"), ("{d:4}", r"\d{4}"), ("{x:6}", r"[0-9a-f]{6}")],
    ids=["number", "digits", "hexadecimal"],
)
def test_numbers_are_of_the_form_asked_for_and_vary(source: str, pattern: str) -> None:
    texts = every_text(source)
    assert all(re.fullmatch(pattern, text) for text in texts)
    assert len(texts) >= 10


def test_each_place_draws_its_own_number() -> None:
    first, second = compile_template("{d:6} {d:6}", where="test")(FakeWords()).split()
    assert first != second


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("[a|b", r"kinds\.toml, title: a square bracket is not closed\."),
        ("a]", r"kinds\.toml, title: a square bracket is closed that was never opened\."),
        ("{host", r"kinds\.toml, title: a curly bracket is not closed, or holds no slot name\."),
        ("a {} b", r"kinds\.toml, title: a curly bracket is not closed, or holds no slot name\."),
        ("{hots}", r"kinds\.toml, title: unknown slot \{hots\}\.\nKnown slots are host, user\."),
    ],
)
def test_a_wrong_template_says_where_and_what(source: str, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        compile_template(source, where="kinds.toml, title", slots=frozenset({"user", "host"}))
