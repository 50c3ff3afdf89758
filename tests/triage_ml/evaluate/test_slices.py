"""Parts of the tickets, and what their figures say."""

from __future__ import annotations

import pandas as pd
import pytest

from triage_ml.evaluate import guess_language, share_interval, slice_columns, slice_figures


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I can not print on the second floor, please have a look", "en"),
        ("Ich kann seit heute nicht mehr drucken, bitte helfen", "de"),
        ("No puedo entrar en el correo desde esta mañana, por favor", "es"),
        ("Je ne peux pas ouvrir le dossier dans le partage", "fr"),
        ("CRITICAL srv-db-0042 disk 97 %", "other"),
        ("", "other"),
    ],
)
def test_a_language_is_told_by_its_small_words(text: str, language: str) -> None:
    assert guess_language(text) == language


def test_the_wilson_interval_of_nothing_and_of_everything() -> None:
    assert (share_interval(0, 0).low, share_interval(0, 0).high) == (0.0, 1.0)
    assert share_interval(50, 50).high == 1.0
    assert 0.9 < share_interval(50, 50).low < 1.0


def test_slices_come_from_what_the_tickets_have() -> None:
    tickets = pd.DataFrame({"channel": ["email", None], "opened_at": pd.to_datetime(["2026-01-31", None], utc=True)})
    columns = slice_columns(tickets, ["one two three", "word " * 50])
    assert columns["slice.length"].tolist() == ["1 to 10 words", "31 to 100 words"]
    assert columns["slice.age"].tolist()[0] == "2026-01"
    assert "slice.tier" not in columns


def test_a_slice_has_accuracy_coverage_and_precision() -> None:
    rows = 80
    answers = pd.DataFrame(
        {
            "ticket": range(rows),
            "slice.channel": ["email"] * 40 + ["chat"] * 30 + ["phone"] * 10,
            "category_truth": ["a"] * rows,
            "category": ["a"] * 60 + ["b"] * 20,
            "category_auto": [True] * 50 + [False] * 30,
        }
    )
    email, chat = (next(r for r in slice_figures(answers, "category") if r.value == name) for name in ("email", "chat"))
    assert (email.accuracy.value, email.coverage, email.precision) == (1.0, 1.0, 1.0)
    assert (chat.tickets, chat.accuracy.value, chat.coverage) == (30, pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert len(slice_figures(answers, "category")) == 2  # ten phone calls say nothing
