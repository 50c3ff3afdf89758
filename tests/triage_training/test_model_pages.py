"""The report and the card: figures by part, weak places named, no ticket's text."""

from __future__ import annotations

from triage_training.model_card import model_card
from triage_training.model_report import render_report
from triage_training.train import Trained

DIGEST = "sha256:" + "ab" * 32


def test_the_card_says_what_it_is_for_and_where_not_to_trust_it(trained: Trained) -> None:
    card = model_card(trained, DIGEST)
    titles = [line for line in card.splitlines() if line.startswith("#")]
    assert titles == [
        "# Model abababababab",
        "## What it is for",
        "## What it learnt from",
        "## What it measured",
        "## Where not to trust it",
    ]
    for note in trained.notes:
        assert f"- {note}" in card
    accuracy = trained.evaluation.targets["category"].accuracy
    assert f"| category | {accuracy.value:.1%} ({accuracy.low:.1%} to {accuracy.high:.1%}) |" in card


def test_the_report_shows_parts_with_their_intervals(trained: Trained) -> None:
    page = render_report(trained, DIGEST)
    assert page.count("<h3>By part</h3>") == len(trained.evaluation.targets)
    for part in ("channel", "language", "length", "age"):
        assert f"<td>{part}</td>" in page


def test_neither_holds_the_text_of_a_ticket(trained: Trained) -> None:
    pages = model_card(trained, DIGEST) + render_report(trained, DIGEST)
    assert not any(text in pages for text in trained.test.texts if len(text) > 40)
