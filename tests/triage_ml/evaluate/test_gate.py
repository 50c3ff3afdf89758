"""Each check on a challenger that was made worse in one way on purpose, and on one that is better."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from triage_ml.errors import InputError
from triage_ml.evaluate import (
    Check,
    Cost,
    Limits,
    absolute_checks,
    calibration_bound,
    calibration_change,
    calibration_error,
    compare,
    fair_rows,
    join_answers,
    paired_checks,
    shadow_checks,
)

CLASSES = np.array(["Access", "Email", "Network", "Printing"], dtype=object)
CHEAP = Cost(1.0, 10.0)
ROWS = 4000


def answers(*, skill: float = 0.8, seed: int = 0, rows: int = ROWS, worse: str | None = None) -> pd.DataFrame:
    """Answers of a calibrated model: a ticket is right with the probability that is stated, on average `skill`."""
    truth = np.random.default_rng(99).choice(CLASSES, rows)
    draw = np.random.default_rng(seed)
    probability = np.clip(draw.normal(skill, 0.12, rows), 0.3, 0.99).astype(np.float32)
    right = draw.random(rows) < probability
    if worse is not None:
        right &= (truth != worse) | (draw.random(rows) < 0.7)
    wrong = CLASSES[(np.searchsorted(CLASSES, truth) + draw.integers(1, 4, rows)) % 4]
    return pd.DataFrame(
        {
            "ticket": [f"T{row}" for row in range(rows)],
            "category_truth": pd.array(truth.tolist(), dtype="string"),
            "category": pd.array(np.where(right, truth, wrong).tolist(), dtype="string"),
            "category_probability": probability,
            "category_auto": probability > 0.92,
        }
    )


def failed(checks: list[Check]) -> list[str]:
    return [check.name for check in checks if not check.passed]


def test_a_calibrated_model_that_keeps_its_promise_passes() -> None:
    checks = absolute_checks(answers(), 0.90, CHEAP, Limits(), champion=answers())
    assert failed(checks) == []
    assert [check.name for check in checks] == ["calibration", "precision", "latency", "size"]


def test_probabilities_that_promise_too_much_fail_calibration() -> None:
    table = answers()
    table["category_probability"] = np.minimum(table["category_probability"] + 0.08, 0.999).astype(np.float32)
    assert failed(absolute_checks(table, 0.90, CHEAP, Limits(), champion=answers())) == ["calibration"]


def test_a_broken_promise_fails_precision() -> None:
    table = answers()
    table["category_auto"] = table["category_probability"] > 0.7
    checks = absolute_checks(table, 0.90, CHEAP, Limits())
    assert failed(checks) == ["precision"]
    assert "the promise is broken" in next(check.reason for check in checks if not check.passed)


def test_where_nothing_is_auto_nothing_is_promised() -> None:
    table = answers().assign(category_auto=False)
    check = next(check for check in absolute_checks(table, 0.90, CHEAP, Limits()) if check.name == "precision")
    assert (check.passed, check.figure) == (True, "no auto")


@pytest.mark.parametrize(("cost", "name"), [(Cost(80.0, 10.0), "latency"), (Cost(1.0, 900.0), "size")])
def test_a_model_over_budget_fails(cost: Cost, name: str) -> None:
    assert failed(absolute_checks(answers(), 0.90, cost, Limits())) == [name]


def test_a_better_model_passes_against_the_champion() -> None:
    assert failed(paired_checks(join_answers(answers(), answers(skill=0.9, seed=1)), Limits())) == []


def test_the_same_model_passes_against_itself() -> None:
    assert failed(paired_checks(join_answers(answers(), answers()), Limits())) == []


def test_a_worse_model_fails_macro_f1() -> None:
    assert "macro-F1" in failed(paired_checks(join_answers(answers(), answers(skill=0.75, seed=1)), Limits()))


def test_one_class_that_is_sold_for_the_others_fails_recall_and_is_named() -> None:
    joined = join_answers(answers(), answers(skill=0.93, seed=1, worse="Network"))
    checks = paired_checks(joined, Limits())
    assert failed(checks) == ["recall"]
    assert "lost: Network (-" in next(check.reason for check in checks if not check.passed)


def test_a_small_class_is_not_held_to_its_recall() -> None:
    joined = join_answers(answers(), answers(skill=0.93, seed=1, worse="Network"))
    assert failed(paired_checks(joined, Limits(recall_tickets=ROWS))) == []


def test_a_target_that_only_the_champion_answers_is_lost() -> None:
    champion = answers().assign(tier_truth="L1", tier="L1", tier_probability=np.float32(0.9), tier_auto=True)
    checks = paired_checks(join_answers(champion, answers()), Limits())
    assert [(check.name, check.target) for check in checks if not check.passed] == [("targets", "tier")]


def test_the_calibration_bound_shrinks_with_the_tickets() -> None:
    draw = np.random.default_rng(0).uniform(0.5, 1, 20_000).astype(np.float32)
    few, many = calibration_bound(draw[:200]), calibration_bound(draw)
    assert few > 0.05
    assert many < 0.015


def test_a_paired_interval_is_narrower_than_what_two_separate_ones_allow() -> None:
    champion = answers()
    challenger = champion.copy()
    challenger.loc[:39, "category"] = challenger.loc[:39, "category_truth"]  # forty tickets, otherwise the same
    found = compare(join_answers(champion, challenger), "category")
    assert 0 < found.accuracy.low < found.accuracy.value < found.accuracy.high
    assert found.accuracy.high - found.accuracy.low < 0.006
    assert found.broken == ()
    assert set(found.fixed) <= {f"T{row}" for row in range(40)}


def test_gains_and_losses_are_told_by_class_and_slice() -> None:
    challenger = answers(skill=0.9, seed=1, worse="Network").assign(
        **{"slice.channel": ["email", "chat"] * (ROWS // 2)}
    )
    found = compare(join_answers(answers(), challenger), "category", slices=["slice.channel"])
    assert found.classes[0].name == "Network"
    assert found.classes[0].change < 0 < found.classes[-1].change
    assert {row.name: row.tickets for row in found.slices["slice.channel"]} == {"email": ROWS // 2, "chat": ROWS // 2}


def test_only_tickets_that_both_answered_count() -> None:
    assert compare(join_answers(answers().iloc[:300], answers()), "category").tickets == 300
    with pytest.raises(InputError, match="none of the tickets that both models answered has a label"):
        compare(join_answers(answers().iloc[:0], answers()), "category")


def test_the_calibration_bound_is_that_of_drawn_answers() -> None:
    confidence = answers()["category_probability"].to_numpy(np.float32)
    draw = np.random.default_rng(3)
    errors = [calibration_error(confidence, draw.random(ROWS) < confidence) for _ in range(500)]
    assert calibration_bound(confidence) == pytest.approx(np.quantile(errors, 0.95), rel=0.1)


def test_a_first_version_is_warned_of_its_calibration_and_held_to_its_promise() -> None:
    table = answers()
    table["category_probability"] = np.minimum(table["category_probability"] + 0.08, 0.999).astype(np.float32)
    checks = absolute_checks(table, 0.90, CHEAP, Limits())
    assert failed(checks) == []
    assert [check.name for check in checks if check.warning] == ["calibration"]
    broken = absolute_checks(table.assign(category_auto=True), 0.90, CHEAP, Limits())
    assert failed(broken) == ["precision"]


def overconfident(by: float, seed: int = 0) -> pd.DataFrame:
    table = answers(seed=seed)
    table["category_probability"] = np.minimum(table["category_probability"] + by, 0.999).astype(np.float32)
    return table


def test_one_that_is_calibrated_no_worse_than_the_champion_is_warned_and_not_refused() -> None:
    checks = absolute_checks(overconfident(0.05), 0.90, CHEAP, Limits(), champion=overconfident(0.1))
    assert failed(checks) == []
    assert "as little as the champion's (-" in next(check for check in checks if check.warning).reason
    checks = absolute_checks(overconfident(0.1), 0.90, CHEAP, Limits(), champion=overconfident(0.05))
    assert failed(checks) == ["calibration"]
    assert "and worse than the champion's (+" in checks[0].reason


def test_the_interval_of_a_calibration_change_holds_no_change_and_a_large_one() -> None:
    same = calibration_change(join_answers(overconfident(0.05), overconfident(0.05)), "category")
    assert (same.value, same.low, same.high) == (0, 0, 0)
    worse = calibration_change(join_answers(overconfident(0.02), overconfident(0.1)), "category")
    assert 0 < worse.low < worse.value < worse.high < 0.12


def came_back(table: pd.DataFrame, *, share: float = 1.0) -> pd.DataFrame:
    """Labels as the service has them back: of what this model decided auto and nobody corrected, its answer is the label."""
    noticed = np.random.default_rng(5).random(len(table)) < 0.5
    right = (table["category"] == table["category_truth"]).to_numpy(dtype=bool)
    untouched = table["category_auto"].to_numpy(dtype=bool) & (right | ~noticed)
    source = np.where(untouched, "auto_untouched", np.where(right, "confirmed", "corrected"))
    kept = ~untouched | (np.random.default_rng(6).random(len(table)) < share)
    truth = table["category_truth"].where(~untouched, table["category"])
    return table.assign(
        category_truth=truth, label_source=source, label_stands_for=np.where(untouched, 1 / share, 1.0)
    ).loc[kept]


def test_the_champions_own_untouched_answers_are_no_truth_against_a_challenger() -> None:
    champion, better = answers().assign(category_auto=True), answers(skill=0.9, seed=1)
    labels = came_back(champion)
    theirs = labels.drop(columns=["label_source", "label_stands_for"])
    mine = better.loc[labels.index].assign(
        category_truth=labels["category_truth"],
        label_source=labels["label_source"],
        label_stands_for=labels["label_stands_for"],
    )
    assert len(fair_rows(join_answers(theirs, mine), "category")) == 0
    suggested = theirs.assign(category_auto=theirs["category_probability"] > 0.92)
    rows = fair_rows(join_answers(suggested, mine), "category")
    assert not rows["label_source"].str.endswith("_untouched").any()
    assert not rows["before.category_auto"].any()


def test_labels_from_elsewhere_all_count() -> None:
    joined = join_answers(answers(), answers(seed=1).assign(label_source=None))
    assert len(fair_rows(joined, "category")) == ROWS


def test_a_promise_that_is_kept_stays_kept_where_only_a_share_of_the_untouched_is() -> None:
    table = came_back(answers(), share=0.25)
    check = next(check for check in absolute_checks(table, 0.90, CHEAP, Limits()) if check.name == "precision")
    thinned = absolute_checks(table.drop(columns="label_stands_for"), 0.90, CHEAP, Limits())
    whole = came_back(answers())
    precision = (whole["category"] == whole["category_truth"])[whole["category_auto"]].mean()
    assert check.passed
    assert float(check.figure.split("%")[0]) / 100 == pytest.approx(precision, abs=0.01)
    assert float(next(c for c in thinned if c.name == "precision").figure.split("%")[0]) / 100 < precision - 0.03


def test_a_model_that_decides_nothing_auto_where_the_champion_does_is_warned_of() -> None:
    champion, never = answers(), answers(seed=1).assign(category_auto=False)
    check = next(c for c in absolute_checks(never, 0.90, CHEAP, Limits(), champion=champion) if c.name == "precision")
    decided = int(champion["category_auto"].sum())
    assert (check.passed, check.warning) == (True, True)
    assert f"the champion decides {decided:,} of these {ROWS:,} tickets" in check.reason
    for before in (None, never):
        checks = absolute_checks(never, 0.90, CHEAP, Limits(), champion=before)
        assert not next(c for c in checks if c.name == "precision").warning


def test_live_tickets_refuse_only_who_is_surely_worse() -> None:
    champion, same, worse = answers(rows=150), answers(rows=150, seed=1), answers(rows=150, skill=0.4, seed=1)
    assert failed(shadow_checks(join_answers(champion, same), Limits(), fewest=100)) == []
    assert failed(shadow_checks(join_answers(champion, worse), Limits(recall_tickets=30), fewest=100)) == [
        "macro-F1",
        "recall",
    ]
    few = join_answers(champion, worse).assign(
        category_truth=lambda table: table["category_truth"].where(table.index < 99)
    )
    assert shadow_checks(few, Limits(), fewest=100) == []
