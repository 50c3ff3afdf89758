from __future__ import annotations

import numpy as np
import pytest

from triage_ml.patterns import Said, counter_examples, grow, nearby, text_key


@pytest.mark.parametrize("chunk", [1, 1_000], ids=["one pattern at a time", "all at once"])
def test_the_nearest_texts_of_other_patterns_are_shown(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearby, "CHUNK", chunk)
    texts = [f"{what} {number}" for what in ("vpn client drops", "printer paper jam") for number in "abcdefgh"]
    said = sorted((Said(text, text, text, 2) for text in texts), key=lambda one: text_key(one.text))
    book = grow(None, said, week="", min_tickets=4).book
    asked = ["vpn client drops a", "vpn client certificate", "printer paper jam b", "something else"]
    pattern, _ = book.assign_masked(asked)
    vpn, printer = int(pattern[0]), int(pattern[2])

    found = counter_examples(book, asked, np.array([vpn, -1, printer, -1]))

    assert found == {vpn: [1], printer: []}


def test_without_texts_there_are_none() -> None:
    said = [Said("vpn down", "VPN", "VPN down", 9)]

    assert counter_examples(grow(None, said, week="", min_tickets=4).book, [], np.zeros(0, dtype=np.int64)) == {}
