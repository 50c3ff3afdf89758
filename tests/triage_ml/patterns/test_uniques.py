from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from triage_ml.patterns import NO_TEXT, collapse


def test_the_same_text_in_other_case_and_spacing_is_one_point() -> None:
    uniques = collapse(["Disk full on <host>", "disk  full on <HOST>\n", "printer jam"])

    assert len(uniques) == 2
    assert uniques.of_row[0] == uniques.of_row[1] != uniques.of_row[2]
    assert sorted(uniques.weights.tolist()) == [1, 2]


def test_a_text_without_anything_in_it_is_no_point() -> None:
    uniques = collapse(["", "  \n", "vpn"])

    assert uniques.of_row.tolist() == [NO_TEXT, NO_TEXT, 0]
    assert uniques.texts == ("vpn",)


@given(st.lists(st.text(max_size=12), max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_tickets_does_not_reach_the_points(texts: list[str], random: object) -> None:
    shuffled = list(texts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    before, after = collapse(texts), collapse(shuffled)

    assert before.texts == after.texts
    assert before.weights.tolist() == after.weights.tolist()


def test_what_comes_late_in_a_long_text_does_not_tell_two_apart() -> None:
    same = "service stopped " * 200

    assert len(collapse([same + "one", same + "two"])) == 1
