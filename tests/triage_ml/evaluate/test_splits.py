"""Past fits, later calibrates, last tests; the same template never on two sides."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from triage_ml.errors import InputError, NotEnoughDataError
from triage_ml.evaluate import Split, split_at_random, split_by_column, split_by_time

SHARES = {"calibration_share": 0.2, "test_share": 0.2}


WORDS = ["disk", "mail", "login", "printer", "badge", "phone", "invoice", "server", "cable", "screen"]


def texts(rows: int) -> list[str]:
    """Different texts, not only different numbers: each is a word of its own length pattern."""
    return [f"{WORDS[row % 10]} {WORDS[row // 10 % 10]} {WORDS[row // 100 % 10]} trouble" for row in range(rows)]


def parts(split: Split) -> list[set[int]]:
    return [set(part.tolist()) for part in (split.fit, split.calibration, split.test)]


def test_by_time_the_parts_follow_each_other_whatever_the_order_of_rows() -> None:
    times = pd.Series(pd.date_range("2026-01-01", periods=500, freq="h", tz="UTC"))
    shuffled = np.random.default_rng(0).permutation(500)
    split = split_by_time(times[shuffled].reset_index(drop=True), [texts(500)[row] for row in shuffled], **SHARES)
    fit, calibration, test = (times.to_numpy()[shuffled][part] for part in (split.fit, split.calibration, split.test))
    assert fit.max() < calibration.min()
    assert calibration.max() < test.min()
    assert (len(fit), len(calibration), len(test)) == (320, 80, 100)


def test_a_later_ticket_with_a_template_seen_before_is_in_no_figure() -> None:
    rows = texts(500)
    rows[490] = "Disk full on srv-db-0017, 93 % used"
    rows[10] = "Disk full on srv-db-0042, 97 % used"
    split = split_by_time(pd.Series(pd.date_range("2026-01-01", periods=500, freq="h", tz="UTC")), rows, **SHARES)
    assert split.repeats.tolist() == [490]
    assert 490 not in set().union(*parts(split))
    assert any("1 later tickets" in note for note in split.notes)


def test_tickets_without_a_date_fit() -> None:
    times = pd.Series(pd.date_range("2026-01-01", periods=500, freq="h", tz="UTC"))
    times[499] = pd.NaT
    assert 499 in parts(split_by_time(times, texts(500), **SHARES))[0]


def test_at_random_keeps_a_template_on_one_side() -> None:
    rows = [f"{text} on host srv-{row:04}" for text in texts(100) for row in range(5)]
    split = split_at_random(rows, **SHARES, seed=3)
    template = np.arange(500) // 5
    sides = [set(template[part].tolist()) for part in (split.fit, split.calibration, split.test)]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 100
    assert len(split.test) == pytest.approx(100, abs=10)
    assert sum(len(part) for part in parts(split)) == 500


def test_at_random_depends_on_the_seed_alone() -> None:
    first, again, other = (split_at_random(texts(500), **SHARES, seed=seed) for seed in (1, 1, 2))
    assert parts(first) == parts(again)
    assert parts(first) != parts(other)


def test_a_published_split_is_kept_and_the_missing_part_cut_from_train() -> None:
    column = pd.Series(["train"] * 400 + ["test"] * 100, name="split")
    split = split_by_column(column, texts(500), calibration_share=0.2)
    fit, calibration, test = parts(split)
    assert test == set(range(400, 500))
    assert fit | calibration == set(range(400))
    assert len(calibration) == pytest.approx(80, abs=5)


def test_tune_and_val_are_not_fitted_on() -> None:
    column = pd.Series(["train"] * 300 + ["tune"] * 50 + ["val"] * 50 + ["calibration"] * 50 + ["test"] * 50, name="s")
    split = split_by_column(column, texts(500), calibration_share=0.2)
    assert parts(split) == [set(range(300)), set(range(400, 450)), set(range(450, 500))]
    assert "100 tickets" in split.notes[0]


def test_other_values_need_a_map() -> None:
    column = pd.Series(["train"] * 400 + ["holdout"] * 100, name="split")
    with pytest.raises(
        InputError, match=r"Split column 'split': expected .*, found 'holdout'\.\n.*--split-map holdout=test"
    ):
        split_by_column(column, texts(500), calibration_share=0.2)
    assert parts(split_by_column(column, texts(500), calibration_share=0.2, names={"holdout": "test"}))[2]


def test_too_few_tickets_are_refused() -> None:
    times = pd.Series(pd.date_range("2026-01-01", periods=30, freq="h", tz="UTC"))
    with pytest.raises(NotEnoughDataError, match="leaves 19 tickets to fit on, 5 to calibrate on and 6 to test on"):
        split_by_time(times, texts(30), **SHARES)
