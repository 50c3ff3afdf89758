from __future__ import annotations

import numpy as np

from triage_ml.patterns import text_key
from triage_ml.patterns.texts import Rare, Texts, hex_key

ONE = Rare("vpn down", "VPN down", "VPN is down", 3, "2026-W01", "Network", "restarted")
OTHER = Rare("printer jam", "Printer jam", "Paper jam", 1, "2026-W02", "", "")
THIRD = Rare("password", "Password", "Forgot it", 2, "2026-W01", "Access", "reset")


def test_columns_give_back_the_texts_they_were_made_of() -> None:
    texts = Texts.of([ONE, OTHER, THIRD])

    assert list(texts) == [ONE, OTHER, THIRD]
    assert texts[1] == OTHER
    assert texts[1:] == [OTHER, THIRD]
    assert [hex_key(key) for key in texts.keys.tolist()] == [text_key(one.text) for one in texts]


def test_some_of_them_come_in_the_order_that_was_asked_for() -> None:
    assert list(Texts.of([ONE, OTHER, THIRD]).at(np.array([2, 0]))) == [THIRD, ONE]


def test_joined_columns_keep_their_names_apart() -> None:
    texts = Texts.of([OTHER]).joined(Texts.of([ONE, THIRD]).at(np.array([1])))

    assert list(texts) == [OTHER, THIRD]
    assert texts.note.is_said.tolist() == [False, True]
    assert texts.note.used().names == ("", "reset")


def test_a_week_is_given_to_all() -> None:
    assert {one.seen for one in Texts.of([ONE, OTHER]).seen_in("2026-W09")} == {"2026-W09"}
