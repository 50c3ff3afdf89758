"""Wrong labels that were planted: found, ranked, and judged by what a closed ticket tells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from triage_ml.evaluate import doubted_labels, label_doubt, label_evidence

CLASSES = ("Access", "Network", "Printing")
WORDS = {"Access": "password account locked", "Network": "vpn wifi drops", "Printing": "printer toner paper"}


def planted(rows: int = 900, wrong: int = 60) -> tuple[np.ndarray, np.ndarray, set[int]]:
    """Probabilities of a good model, labels of which some are swapped, and which."""
    draw = np.random.default_rng(1)
    truth = draw.integers(0, 3, rows)
    margins = draw.normal(0, 1, (rows, 3))
    margins[np.arange(rows), truth] += 4
    probabilities = np.exp(margins) / np.exp(margins).sum(axis=1, keepdims=True)
    labels = truth.copy()
    labels[:wrong] = (truth[:wrong] + 1) % 3
    return probabilities.astype(np.float32), np.array(CLASSES, dtype=object)[labels], set(range(wrong))


def test_planted_labels_are_found_and_the_surest_are_wrong_indeed() -> None:
    probabilities, labels, wrong = planted()
    found = doubted_labels(probabilities, CLASSES, labels)
    rows = [doubt.row for doubt in found]
    assert len({*rows} & wrong) / len(wrong) >= 0.75
    assert {*rows[:30]} <= wrong
    assert len({*rows} & wrong) / len(rows) >= 0.5
    assert [doubt.doubt for doubt in found] == sorted((doubt.doubt for doubt in found), reverse=True)
    assert all(doubt.label == labels[doubt.row] != doubt.suggested for doubt in found)


def test_a_larger_doubt_that_is_asked_makes_a_shorter_list_with_the_same_beginning() -> None:
    probabilities, labels, _ = planted()
    long, short = (doubted_labels(probabilities, CLASSES, labels, least=least) for least in (0.1, 0.6))
    assert 0 < len(short) < len(long)
    assert long[: len(short)] == short


def test_where_every_label_is_right_hardly_any_is_doubted() -> None:
    probabilities, labels, _ = planted(wrong=0)
    assert len(doubted_labels(probabilities, CLASSES, labels)) < 0.02 * len(labels)


def test_a_label_that_the_model_does_not_know_is_not_judged() -> None:
    probabilities, labels, _ = planted()
    labels[:] = "Facilities"
    assert doubted_labels(probabilities, CLASSES, labels) == []


def test_a_habit_of_the_desk_makes_the_same_probabilities_more_doubtful() -> None:
    """Where Network is often recorded as Access, a ticket that could be either is doubted sooner than without the habit."""
    probabilities, _, _ = planted(wrong=0)
    truth = probabilities.argmax(axis=1)
    habit = truth.copy()
    habit[np.flatnonzero(truth == 1)[:90]] = 0
    unsure = np.array([[0.5, 0.49, 0.01]], dtype=np.float32)
    asked = np.concatenate([probabilities, unsure])
    with_habit, without = (label_doubt(asked, np.append(given, 0)).doubt[-1] for given in (habit, truth))
    assert with_habit > 2 * without


def closed(rows: int = 600) -> tuple[pd.DataFrame, list[str], list[str], np.ndarray]:
    """Tickets whose first words say little and whose notes say what it was; every tenth has another category."""
    draw = np.random.default_rng(0)
    truth = draw.choice(CLASSES, rows)
    texts = [f"please help case {' '.join(draw.choice(list('abcdefghij'), 4))}" for _ in range(rows)]
    notes = [f"done {' '.join(draw.permutation(WORDS[label].split())[:2])}" for label in truth]
    labels = truth.astype(object)
    labels[::10] = [CLASSES[(CLASSES.index(label) + 1) % 3] for label in truth[::10]]
    tickets = pd.DataFrame({"category": labels, "assignment_group": [f"{label} team" for label in labels]})
    return tickets, texts, notes, truth


def test_notes_tell_what_the_first_words_leave_open_and_a_column_that_repeats_the_label_is_not_read() -> None:
    tickets, texts, notes, truth = closed()
    found = label_evidence(tickets, "category", texts=texts, notes=notes)
    assert found.read == ("resolution",)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, rtol=1e-5)
    rows = {d.row for d in doubted_labels(found.probabilities, found.classes, tickets["category"].to_numpy(object))}
    wrong = set(np.flatnonzero(tickets["category"].to_numpy(object) != truth).tolist())
    assert len(rows & wrong) / len(wrong) > 0.9
    assert len(rows & wrong) / len(rows) > 0.5


def test_the_same_tickets_give_the_same_evidence() -> None:
    tickets, texts, notes, _ = closed(200)
    first, second = (label_evidence(tickets, "category", texts=texts, notes=notes).probabilities for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_one_label_is_no_evidence() -> None:
    with pytest.raises(ValueError, match="category: 1 labels and 20 templates are too few"):
        label_evidence(pd.DataFrame({"category": ["A"] * 20}), "category", texts=[f"w{'x' * n}" for n in range(20)])
