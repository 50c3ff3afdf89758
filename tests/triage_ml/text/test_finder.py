"""Finding literals in one pass, against looking for each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage_ml.text.finder import MOST_GROUPS, LiteralFinder

literals = st.text(alphabet="abé ", min_size=1, max_size=4)
groups = st.lists(st.lists(literals, max_size=4), max_size=6)
texts = st.lists(st.text(alphabet="ABabéÉ x\n", max_size=20), max_size=6)


@given(groups, texts)
def test_finds_what_is_there(groups: list[list[str]], texts: list[str]) -> None:
    found = LiteralFinder(groups).find(texts)
    assert found.tolist() == [
        sum(1 << g for g, group in enumerate(groups) if any(literal in text.lower() for literal in group))
        for text in texts
    ]


def test_no_literal_runs_from_one_text_into_the_next() -> None:
    assert LiteralFinder([["ab"]]).find(["xa", "bx", "ab"]).tolist() == [0, 0, 1]


def test_the_last_group_counts() -> None:
    many = [[f"word{number:02d}"] for number in range(MOST_GROUPS)]
    assert int(LiteralFinder(many).find(["a word63"])[0]) == 1 << 63
    with pytest.raises(ValueError, match="at most 64"):
        LiteralFinder([*many, ["one more"]])
