"""The training step: parts in order of time, figures and evidence of what was not seen, and what can't be promised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from triage_ml.answer import write_model
from triage_ml.errors import InputError, NotEnoughDataError
from triage_ml.settings import Settings
from triage_ml.taxonomy import Taxonomy
from triage_training.curves import training_curves
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
    assert set(trained.answers["ticket"]).isdisjoint(trained.seen["ticket"])
    assert len(trained.answers) == len(trained.split.test)
    columns = {name for name in trained.answers if not str(name).startswith("slice.")}
    assert columns == {"ticket"} | {
        f"{target}{part}" for target in ("tier", "category") for part in ("", "_truth", "_probability", "_auto")
    }


def test_tickets_that_a_search_may_have_selected_on_count_as_seen() -> None:
    tickets = easy(600).assign(part=["train", "train", "train", "val", "test", "calibration"] * 100)
    trained = train(tickets, Settings(), targets=["category"], split_column="part")
    held_back = tickets.loc[tickets["part"] == "val", "ticket_id"]
    assert set(held_back) <= set(trained.seen["ticket"])
    assert set(trained.answers["ticket"]).isdisjoint(trained.seen["ticket"])
    assert any("a search selects on tune and val" in note for note in trained.notes)


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


def test_tickets_that_carry_no_promise_say_so() -> None:
    tickets = easy(300)
    tickets["category"] = tickets["category"].sample(frac=1, random_state=0).to_numpy()
    trained = train(tickets, Settings(train={"targets": ("category",)}))
    assert not trained.answers["category_auto"].any()
    policy = trained.classifier.policies("category")[0.9]
    counted = f"{policy.tickets} tickets that calibrate, which count as {policy.independent:.0f} different ones"
    assert policy.tickets >= policy.independent > 30
    assert any(f"no threshold keeps 90% precision for sure on the {counted}" in note for note in trained.notes)


def test_without_dates_it_splits_at_random_and_says_so() -> None:
    trained = train(easy(400).drop(columns="opened_at"), Settings(train={"targets": ("category",)}))
    assert trained.split.how == "random"
    assert not len(trained.split.calibration), "calibration is cross-fitted"
    assert trained.answers["category_auto"].any()
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


def test_the_heads_learn_from_the_latest_tickets_too() -> None:
    """A word that only stands in the latest, calibrating tickets is known to the model."""
    tickets = easy(1000)
    latest = (tickets.index >= 700) & (tickets.index < 800) & (tickets["category"] == "Access")
    tickets.loc[latest, "title"] = [f"yubikey {own_words(row)}" for row in tickets.index[latest]]
    trained = train(tickets, Settings(train={"targets": ("category",)}))
    assert set(tickets.index[latest]) <= set(trained.split.calibration)
    assert trained.classifier.predict(["my yubikey is gone"])["category"].item() == "Access"


def test_the_order_of_the_rows_gives_the_same_answers() -> None:
    tickets = easy(600).sample(frac=1, random_state=1)
    settings = Settings(train={"targets": ("category",)})
    answers = [
        train(table.reset_index(drop=True), settings).answers.sort_values("ticket").reset_index(drop=True)
        for table in (tickets, tickets[::-1])
    ]
    pd.testing.assert_frame_equal(*answers)


@pytest.mark.needs_shared
def test_a_named_encoder_joins_the_words_and_its_vectors_are_kept(shared: Path, tmp_path: Path) -> None:
    folder = shared / "models" / "minilm-static-256"
    settings = Settings(train={"targets": ("category",)}, paths={"home": tmp_path})
    trained = train(easy(200), settings, encoder=f"model2vec:{folder}")
    assert trained.classifier.features_.get_params()["encoder"] == f"model2vec:{folder.resolve()}"
    assert trained.evaluation.targets["category"].accuracy.value > 0.95
    assert len(list(settings.paths.embeddings.iterdir())) == 1
    named = Settings(train={"targets": ("category",), "encoder": f"model2vec:{folder}"}, paths={"home": tmp_path})
    again = train(easy(200), named)
    pd.testing.assert_frame_equal(again.answers, trained.answers)


def test_labels_that_look_alike_are_named_and_not_merged() -> None:
    tickets = easy(400)
    tickets.loc[tickets.index % 8 == 0, "category"] = "access"
    trained = train(tickets, Settings(train={"targets": ("category",)}))
    assert trained.classifier.classes_["category"] == ("Access", "Printing", "access")
    assert "category: 'Access' and 'access' may be one label; they are learnt as two." in trained.notes


def test_the_same_seed_writes_the_same_bundle_byte_for_byte(tmp_path: Path) -> None:
    settings = Settings(train={"targets": ("category",)})
    folders = [tmp_path / name for name in ("first", "again")]
    digests = [write_model(folder, train(easy(400), settings).classifier, Taxonomy()) for folder in folders]
    assert digests[0] == digests[1]
    first, again = ({file.name: file.read_bytes() for file in folder.iterdir()} for folder in folders)
    assert first == again


def test_a_class_with_a_threshold_of_its_own_is_named() -> None:
    """Half of what reads like printing was closed under another label."""
    tickets = pd.concat(
        [easy(1500), easy(1500).assign(category="Network", title=[f"vpn {own_words(n)}" for n in range(1500)])]
    )
    tickets = tickets.sample(frac=1, random_state=0).assign(ticket_id=[f"T{row}" for row in range(3000)])
    printing = np.flatnonzero(tickets["category"] == "Printing")
    tickets.iloc[printing[::3], tickets.columns.get_loc("category")] = "Facilities"
    trained = train(tickets.reset_index(drop=True), Settings(train={"targets": ("category",)}), at_random=True)
    assert any("'Printing' does not keep 90% precision where the others do" in note for note in trained.notes)
    automatic = trained.answers[trained.answers["category_auto"]]
    assert (automatic["category"] == automatic["category_truth"]).mean() >= 0.9
    assert automatic["category"].isin(["Access", "Network"]).mean() > 0.9


@pytest.mark.parametrize("weight", ["inf", "-1", "1000"])
def test_a_weight_that_cannot_be_is_told(weight: str) -> None:
    with pytest.raises(InputError, match="label_weight: expected 0 to 100"):
        train(easy(400).assign(label_weight=weight), Settings(), targets=["category"])


def test_a_target_that_is_named_twice_is_one() -> None:
    assert list(train(easy(400), Settings(), targets=["category", "category"]).evaluation.targets) == ["category"]


def test_a_few_audits_in_the_part_that_calibrates_choose_no_threshold() -> None:
    """A threshold with a bound is chosen in an eighth of the tickets: what counts are the audits there."""
    tickets = easy(1000).assign(label_source="auto_untouched", label_stands_for=1.0, label_audit_share=0.4)
    tickets.loc[np.random.default_rng(0).random(1000) < 0.4, "label_source"] = "audit_confirmed"
    plain = train(tickets.drop(columns="label_audit_share"), Settings(), targets=["category"])
    audited = train(tickets, Settings(), targets=["category"])
    policies = [next(iter(one.classifier.policies("category").values())) for one in (plain, audited)]
    picked = tickets["label_source"] == "audit_confirmed"
    assert picked.iloc[audited.split.fit].sum() > 200 > 100 > picked.iloc[audited.split.calibration].sum() > 30
    assert policies[0].tickets == policies[1].tickets == len(audited.split.calibration)
    assert policies[1].threshold == policies[0].threshold <= 1
    assert audited.evaluation.targets["category"].tickets == picked.iloc[audited.split.test].sum() >= 50


def test_tickets_that_stand_for_none_are_learnt_from_and_not_measured_by() -> None:
    """Untouched answers where audits tell the truth: one in five, and each of them labelled wrong."""
    tickets = easy(600)
    odd = np.random.default_rng(0).random(600) < 0.2
    tickets.loc[odd, "category"] = tickets.loc[odd, "category"].map({"Access": "Printing", "Printing": "Access"})
    weighed = train(tickets.assign(label_stands_for=np.where(odd, 0.0, 1.0)), Settings(), targets=["category"])
    as_they_are = train(tickets, Settings(), targets=["category"])
    figures = weighed.evaluation.targets["category"]
    assert figures.tickets == int((~odd[weighed.split.test]).sum()) < len(weighed.split.test)
    assert figures.accuracy.value > as_they_are.evaluation.targets["category"].accuracy.value + 0.1
    policies = [next(iter(one.classifier.policies("category").values())) for one in (weighed, as_they_are)]
    assert policies[0].tickets < policies[1].tickets
    assert policies[0].threshold <= 1 < policies[1].threshold
    curves = [training_curves(one)["category"].points for one in (weighed, as_they_are)]
    for (_, with_weights), (_, without) in zip(*curves, strict=True):
        assert with_weights > without + 0.1
