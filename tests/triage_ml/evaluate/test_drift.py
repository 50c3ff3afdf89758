"""A quiet desk is left in peace; what really changes is called, with its reason."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from triage_ml.evaluate import Drift, stability_index, watch

WEEKS = [f"2026-W{week:02d}" for week in range(1, 13)]
A_WEEK = 300
KINDS = ("password locked account", "printer paper jam", "vpn tunnel down", "mailbox quota full")

Change = Callable[[pd.DataFrame, list[str]], None]


def desk(change: Change | None = None, *, seed: int = 0, trained_weeks: int = 0) -> Drift:
    """Twelve weeks of four kinds; `change` may alter the table and the texts in place, the last week is the one judged."""
    draw = np.random.default_rng(seed)
    rows = A_WEEK * len(WEEKS)
    kind = draw.choice(4, rows, p=[0.4, 0.3, 0.2, 0.1])
    right = draw.random(rows) < 0.93
    truth = np.array(["L1", "L2-EUC", "NOC", "L2"], dtype=object)[kind]
    answers = pd.DataFrame(
        {
            "week": np.repeat(WEEKS, A_WEEK),
            "tier_truth": truth,
            "tier": np.where(right, truth, "L3"),
            "tier_probability": draw.normal(0.9, 0.05, rows),
            "tier_auto": True,
            "assignment_group": np.array(["Desk", "Field", "Network", "Mail"], dtype=object)[kind],
        }
    )
    texts = [f"{KINDS[one]} {'abcdef'[row % 6] * 4}" for row, one in enumerate(kind)]
    if change is not None:
        change(answers, texts)
    reference = (answers["week"] < WEEKS[8]).to_numpy()
    trained = (answers["week"] < WEEKS[trained_weeks]).to_numpy()
    return watch(answers, texts, targets=["tier"], reference=reference, trained=trained, labels=["assignment_group"])


def last_week(answers: pd.DataFrame) -> np.ndarray:
    return np.flatnonzero((answers["week"] == WEEKS[-1]).to_numpy())


@pytest.mark.parametrize("seed", range(5))
def test_a_quiet_desk_has_nothing_to_do(seed: int) -> None:
    found = desk(seed=seed)
    assert [week.verdict for week in found.weeks] == ["nothing to do"] * 4


def test_a_kind_that_appears_is_called_by_its_words() -> None:
    def appear(answers: pd.DataFrame, texts: list[str]) -> None:
        for row in last_week(answers)[:20]:
            texts[row] = "hologram projector flickers"

    found = desk(appear)
    assert found.verdict == "look"
    assert {change.word for change in found.weeks[-1].words} >= {"hologram", "projector", "flickers"}
    assert any("far more tickets than usual: " in reason and "hologram" in reason for reason in found.reasons)


def test_a_kind_that_fades_is_called() -> None:
    def fade(answers: pd.DataFrame, texts: list[str]) -> None:
        for row in last_week(answers):
            texts[row] = texts[row].replace("vpn tunnel down", "password locked account")

    assert any("far fewer tickets than usual" in reason and "vpn" in reason for reason in desk(fade).reasons)


def test_a_group_with_a_new_name_is_new_and_its_old_name_gone() -> None:
    def rename(answers: pd.DataFrame, _: list[str]) -> None:
        rows = last_week(answers)
        answers.loc[rows, "assignment_group"] = answers.loc[rows, "assignment_group"].replace("Network", "Connectivity")

    week = desk(rename).weeks[-1]
    assert (week.new_labels, week.gone_labels) == (
        {"assignment_group": ["Connectivity"]},
        {"assignment_group": ["Network"]},
    )


def test_a_kind_that_is_automated_is_called_although_it_goes_on_arriving() -> None:
    def automate(answers: pd.DataFrame, _: list[str]) -> None:
        rows = last_week(answers)
        mail = rows[answers.loc[rows, "assignment_group"] == "Mail"]
        answers.loc[mail, "tier_truth"] = "L0"

    words = {change.word for change in desk(automate).weeks[-1].words}
    assert "assignment_group: Mail, closed as L0" in words


def test_a_broken_promise_says_retrain() -> None:
    def worse(answers: pd.DataFrame, _: list[str]) -> None:
        rows = last_week(answers)
        answers.loc[rows[:100], "tier_truth"] = "L3"
        answers.loc[rows[:100], "tier"] = "L1"

    found = desk(worse)
    assert found.verdict == "retrain"
    assert any("right of what was decided auto" in reason and "promised 90%" in reason for reason in found.reasons)


def test_class_shares_that_turn_over_say_retrain() -> None:
    def turn(answers: pd.DataFrame, _: list[str]) -> None:
        answers.loc[last_week(answers), ["tier", "tier_truth"]] = "NOC"

    found = desk(turn)
    assert found.verdict == "retrain"
    assert found.weeks[-1].psi["tier"] > 0.25


def test_texts_that_are_not_kept_are_not_watched() -> None:
    def no_text(_: pd.DataFrame, texts: list[str]) -> None:
        texts.clear()

    assert desk(no_text).verdict == "nothing to do"


def test_the_stability_index_of_the_same_shares_is_nothing_and_grows_with_the_shift() -> None:
    past = pd.Series(["a"] * 500 + ["b"] * 500)
    shifted = [pd.Series(["a"] * share + ["b"] * (1000 - share)) for share in (500, 600, 800)]
    same, some, much = (stability_index(past, now) for now in shifted)
    assert same == 0.0
    assert 0.0 < some < 0.1 < 0.25 < much
    assert stability_index(past, pd.Series([], dtype=object)) == 0.0


def test_a_model_that_is_surer_of_what_it_learnt_is_no_drift() -> None:
    """Its confidence falls from the trained weeks to the first fresh one and stays: nothing happened."""

    def learnt(answers: pd.DataFrame, texts: list[str]) -> None:
        answers.loc[answers["week"] < WEEKS[4], "tier_probability"] += 0.05

    assert [week.verdict for week in desk(learnt, trained_weeks=4).weeks] == ["nothing to do"] * 4


def test_a_confidence_that_falls_from_one_fresh_week_to_the_next_is_called() -> None:
    def fall(answers: pd.DataFrame, texts: list[str]) -> None:
        answers.loc[answers["week"] == WEEKS[-1], "tier_probability"] -= 0.1

    found = desk(fall, trained_weeks=4)
    assert found.verdict == "look"
    assert found.reasons == ["tier: mean probability is 0.801, usual 0.901"]
    assert desk(fall, trained_weeks=9).weeks[-1].confidence == {}
