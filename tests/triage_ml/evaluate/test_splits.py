"""Past fits, later calibrates, last tests; the same template never on two sides."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from triage_ml.errors import InputError, NotEnoughDataError
from triage_ml.evaluate import Split, split_at_random, split_by_column, split_by_time

SHARES = {"calibration_share": 0.2, "test_share": 0.2}
DRAWN = {"test_share": 0.2, "seed": 3}


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


def test_one_of_the_latest_with_a_template_seen_before_fits_and_does_not_calibrate() -> None:
    rows = texts(500)
    rows[350] = "Disk full on srv-db-0017, 93 % used"
    rows[10] = "Disk full on srv-db-0042, 97 % used"
    split = split_by_time(pd.Series(pd.date_range("2026-01-01", periods=500, freq="h", tz="UTC")), rows, **SHARES)
    fit, calibration, _ = parts(split)
    assert 350 in fit
    assert 350 not in calibration
    assert not len(split.repeats)


def test_tickets_without_a_date_fit() -> None:
    times = pd.Series(pd.date_range("2026-01-01", periods=500, freq="h", tz="UTC"))
    times[499] = pd.NaT
    assert 499 in parts(split_by_time(times, texts(500), **SHARES))[0]


def test_at_random_keeps_a_template_on_one_side() -> None:
    rows = [f"{text} on host srv-{row:04}" for text in texts(100) for row in range(5)]
    split = split_at_random(rows, **DRAWN)
    template = np.arange(500) // 5
    assert (pd.factorize(split.templates)[0] == template).all()
    sides = [set(template[part].tolist()) for part in (split.fit, split.calibration, split.test)]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 100
    assert len(split.test) == pytest.approx(100, abs=10)
    assert sum(len(part) for part in parts(split)) == 500


def test_at_random_depends_on_the_seed_alone() -> None:
    first, again, other = (split_at_random(texts(500), test_share=0.2, seed=seed) for seed in (1, 1, 2))
    assert parts(first) == parts(again)
    assert parts(first) != parts(other)


def test_a_published_split_is_kept_and_without_a_calibration_part_all_of_train_fits() -> None:
    column = pd.Series(["train"] * 400 + ["test"] * 100, name="split")
    assert parts(split_by_column(column, texts(500), **DRAWN)) == [set(range(400)), set(), set(range(400, 500))]


def test_tune_and_val_are_not_fitted_on() -> None:
    column = pd.Series(["train"] * 300 + ["tune"] * 50 + ["val"] * 50 + ["calibration"] * 50 + ["test"] * 50, name="s")
    split = split_by_column(column, texts(500), **DRAWN)
    assert parts(split) == [set(range(300)), set(range(400, 450)), set(range(450, 500))]
    assert "100 tickets" in split.notes[0]


def test_other_values_need_a_map() -> None:
    column = pd.Series(["train"] * 400 + ["holdout"] * 100, name="split")
    with pytest.raises(
        InputError, match=r"Split column 'split': expected .*, found 'holdout'\.\n.*--split-map holdout=test"
    ):
        split_by_column(column, texts(500), **DRAWN)
    assert parts(split_by_column(column, texts(500), names={"holdout": "test"}, **DRAWN))[2]


def test_a_published_split_without_a_test_part_gets_one_from_train() -> None:
    split = split_by_column(pd.Series(["train"] * 400 + ["val"] * 100, name="split"), texts(500), **DRAWN)
    assert len(split.test) == 80
    assert set(split.test) | set(split.fit) == set(range(400))
    assert any("80 tickets of train" in note for note in split.notes)


@pytest.mark.parametrize("share", [0.3, 0.9])
@pytest.mark.parametrize("seed", range(4))
def test_a_giant_template_does_not_test(share: float, seed: int) -> None:
    rows = texts(1000)
    giant = round(1000 * share)
    rows[:giant] = [f"Disk full on srv-db-{row:04}, {row % 100} % used" for row in range(giant)]
    split = split_at_random(rows, test_share=0.2, seed=seed)
    assert set(range(giant)) <= set(split.fit.tolist()) or share * 1000 <= 200
    assert len(split.test) <= 200


def test_a_desk_of_few_templates_is_split_and_told_so() -> None:
    rows = [f"{WORDS[row % 10]} full on srv-db-{row:04}" for row in range(1000)]
    split = split_by_time(pd.Series(pd.date_range("2026-01-01", periods=1000, freq="h", tz="UTC")), rows, **SHARES)
    assert (len(split.fit), len(split.calibration), len(split.test)) == (800, 0, 200)
    assert any("so the figures are of those, too" in note for note in split.notes)


def test_few_tickets_to_calibrate_on_fit() -> None:
    rows = [f"{WORDS[row % 10]} full on srv-db-{row:04}" for row in range(500)]
    rows[395:] = texts(105)
    split = split_by_time(pd.Series(pd.date_range("2026-01-01", periods=500, freq="h", tz="UTC")), rows, **SHARES)
    assert len(split.calibration) == 0
    assert any("Only 5 tickets to calibrate on" in note for note in split.notes)


@pytest.mark.parametrize("dated", [True, False])
def test_the_order_of_rows_changes_no_part(dated: bool) -> None:
    days = pd.Series(pd.date_range("2026-01-01", periods=50, freq="D", tz="UTC")).repeat(10).reset_index(drop=True)
    rows = texts(500)
    shuffled = np.random.default_rng(0).permutation(500)

    def split(order: np.ndarray) -> list[set[str]]:
        ordered = [rows[row] for row in order]
        made = split_by_time(days[order], ordered, **SHARES) if dated else split_at_random(ordered, **DRAWN)
        return [{ordered[row] for row in part} for part in (made.fit, made.calibration, made.test)]

    assert split(shuffled) == split(np.arange(500))


def test_too_few_tickets_are_refused() -> None:
    times = pd.Series(pd.date_range("2026-01-01", periods=30, freq="h", tz="UTC"))
    with pytest.raises(NotEnoughDataError, match="leaves 24 tickets to fit on and 6 to test on"):
        split_by_time(times, texts(30), **SHARES)
