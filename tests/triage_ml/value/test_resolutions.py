from __future__ import annotations

import random

from triage_ml.value import common_resolutions

NOTES = ["Password reset in AD.", "Reset password in AD", "password reset, AD", "Replaced the keyboard.", ""]


def test_notes_that_say_the_same_in_other_words_are_one_way() -> None:
    (first, share), (second, other) = common_resolutions(NOTES)

    assert ("password" in first.casefold(), share) == (True, 0.75)
    assert (second, other) == ("Replaced the keyboard.", 0.25)


def test_the_order_of_notes_does_not_matter() -> None:
    assert common_resolutions(random.Random(3).sample(NOTES, len(NOTES))) == common_resolutions(NOTES)


def test_without_notes_there_are_no_ways() -> None:
    assert common_resolutions([]) == common_resolutions(["", " "]) == []


def test_of_very_many_notes_a_part_is_compared() -> None:
    (way,) = common_resolutions(["disk cleaned"] * 5_000)

    assert way == ("disk cleaned", 1.0)
