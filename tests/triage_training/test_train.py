"""The training step: parts in order of time, figures and evidence of what was not seen, and what can't be promised."""

from __future__ import annotations

import pandas as pd
import pytest

from triage_ml.errors import InputError, NotEnoughDataError
from triage_ml.settings import Settings
from triage_training.train import Trained, train

EASY = {"Access": "password expired, account locked", "Printing": "printer jammed, toner empty"}


def own_words(row: int) -> str:
    return " ".join("abcdefghij"[row // place % 10] * (4 + index) for index, place in enumerate((1, 10, 100)))


def easy(rows: int) -> pd.DataFrame:
    """Two classes that anything can tell apart, each ticket with words of its own."""
    kinds = list(EASY.items())
    return pd.DataFrame(
        {
            "ticket_id": [f"T{row}" for row in range(rows)],
            "title": [f"{kinds[row % 2][1]} {own_words(row)}" for row in range(rows)],
            "description": "",
            "category": [kinds[row % 2][0] for row in range(rows)],
            "opened_at": pd.date_range("2026-01-01", periods=rows, freq="h", tz="UTC"),
        }
    )


def test_the_evidence_holds_no_text_and_no_ticket_of_the_fit(trained: Trained) -> None:
    assert set(trained.answers["ticket"]).isdisjoint(trained.seen)
    assert len(trained.answers) == len(trained.split.test)
    columns = {name for name in trained.answers if not str(name).startswith("slice.")}
    assert columns == {"ticket"} | {
        f"{target}{part}" for target in ("tier", "category") for part in ("", "_truth", "_probability", "_auto")
    }


def test_figures_and_evidence_agree(trained: Trained) -> None:
    for target, figures in trained.evaluation.targets.items():
        right = trained.answers[target] == trained.answers[f"{target}_truth"]
        assert right.mean() == pytest.approx(figures.accuracy.value)


def test_the_profile_says_what_the_data_was(trained: Trained, desk_tickets: pd.DataFrame) -> None:
    assert trained.profile["tickets"] == len(desk_tickets)
    assert sum(trained.profile["classes"]["tier"].values()) == desk_tickets["tier"].notna().sum()


def test_the_same_tickets_give_the_same_profile_and_other_labels_another() -> None:
    tickets = easy(400)
    settings = Settings(train={"targets": ("category",)})
    first, again = (train(tickets, settings).profile["sha256"] for _ in range(2))
    assert first == again
    tickets.loc[0, "category"] = "Printing"
    assert train(tickets, settings).profile["sha256"] != first


def test_300_tickets_say_what_they_cannot_promise() -> None:
    trained = train(easy(120), Settings(train={"targets": ("category",)}))
    assert not trained.answers["category_auto"].any()
    assert any("no threshold keeps 90% precision" in note for note in trained.notes)


def test_without_dates_it_splits_at_random_and_says_so() -> None:
    trained = train(easy(400).drop(columns="opened_at"), Settings(train={"targets": ("category",)}))
    assert trained.split.how == "random"
    assert any("No opened_at" in note for note in trained.notes)


def test_a_random_split_on_request_although_there_are_dates() -> None:
    trained = train(easy(400), Settings(train={"targets": ("category",)}), at_random=True)
    assert trained.split.how == "random"


def test_a_target_that_is_not_there_names_the_columns_that_are() -> None:
    with pytest.raises(InputError, match=r"Target 'urgency': .*\nColumns with values: ticket_id, title, .*category"):
        train(easy(100), Settings(), targets=["urgency"])


def test_a_few_labelled_tickets_are_refused() -> None:
    with pytest.raises(
        NotEnoughDataError, match=r"At least 50 tickets with a label of category are needed .* found 20"
    ):
        train(easy(20), Settings(), targets=["category"])
