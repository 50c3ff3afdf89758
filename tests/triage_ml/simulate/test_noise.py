from __future__ import annotations

from difflib import SequenceMatcher

import numpy as np
import pytest

from triage_ml.simulate.dice import Dice, Weighted
from triage_ml.simulate.noise import mistype

TEXT = "Since Monday the printer on the second floor does not answer any more, please have a look at it."


def test_typos_change_a_text_but_leave_it_readable() -> None:
    texts = {mistype(TEXT, 90, Dice(np.random.default_rng(seed))) for seed in range(50)}
    assert len(texts) > 30
    assert all(SequenceMatcher(None, TEXT, text).ratio() > 0.93 for text in texts)


@pytest.mark.parametrize("text", ["", "a", "??", "12", "ÄÖ"])
def test_a_text_too_short_for_typos_survives(text: str) -> None:
    for seed in range(20):
        assert len(mistype(text, 90, Dice(np.random.default_rng(seed)))) <= 2 * len(text)


def test_shares_are_kept() -> None:
    dice = Dice(np.random.default_rng(0))
    weighted = Weighted({"a": 0.7, "b": 0.2, "c": 0.1})
    drawn = [weighted.draw(dice) for _ in range(20_000)]
    assert [drawn.count(name) / 20_000 for name in "abc"] == pytest.approx([0.7, 0.2, 0.1], abs=0.015)


def test_a_place_between_0_and_1_names_its_option() -> None:
    weighted = Weighted({"low": 3, "high": 1})
    assert [weighted.at(place) for place in (0.0, 0.74, 0.76, 0.999)] == ["low", "low", "high", "high"]
