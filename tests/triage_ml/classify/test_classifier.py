"""The classifier as a scikit-learn user meets it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from triage_ml.classify import TriageClassifier, classifier_from_bundle, classifier_to_bundle
from triage_ml.errors import NotEnoughDataError

WORDS = {
    "Access": ["password expired", "account locked", "cannot log in", "reset my login"],
    "Printing": ["printer jammed", "toner empty", "blank pages printed", "print queue stuck"],
    "Network": ["vpn drops", "wifi is slow", "no network on floor", "cable unplugged"],
}


def desk(rows: int, seed: int = 0) -> tuple[pd.Series, pd.DataFrame]:
    draw = np.random.default_rng(seed)
    labels = draw.choice(list(WORDS), rows)
    texts = [
        f"{draw.choice(WORDS[label])} since {draw.choice(['monday', 'today', 'noon'])} please help" for label in labels
    ]
    frame = pd.DataFrame({"category": labels, "tier": np.where(labels == "Network", "L2", "L1")})
    return pd.Series(texts), frame


@pytest.fixture(scope="module")
def model() -> TriageClassifier:
    return TriageClassifier().fit(*desk(300), calibration=desk(200, seed=1))


def test_learns_every_target_on_one_representation(model: TriageClassifier) -> None:
    texts, labels = desk(100, seed=2)
    predicted = model.predict(texts)
    assert model.classes_ == {"category": ("Access", "Network", "Printing"), "tier": ("L1", "L2")}
    assert (predicted["category"] == labels["category"]).mean() > 0.95
    assert (predicted["tier"] == labels["tier"]).mean() > 0.95


def test_probabilities_sum_to_one_and_agree_with_predict(model: TriageClassifier) -> None:
    texts, _ = desk(50, seed=3)
    probabilities = model.predict_proba(texts)["category"]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert probabilities.idxmax(axis=1).tolist() == model.predict(texts)["category"].tolist()


def test_row_order_never_changes_an_answer(model: TriageClassifier) -> None:
    texts, _ = desk(60, seed=4)
    straight, reverse = model.decide(texts), model.decide(texts[::-1])
    pd.testing.assert_frame_equal(straight, reverse[::-1].reset_index(drop=True))


def test_the_same_seed_gives_the_same_arrays() -> None:
    first, second = (TriageClassifier(seed=7).fit(*desk(120)) for _ in range(2))
    contents, arrays = classifier_to_bundle(first)
    again_contents, again_arrays = classifier_to_bundle(second)
    assert contents == again_contents
    assert {name: array.tobytes() for name, array in arrays.items()} == {
        name: array.tobytes() for name, array in again_arrays.items()
    }


def test_the_order_of_the_rows_gives_the_same_arrays() -> None:
    texts, labels = desk(200)
    order = np.random.default_rng(3).permutation(200)
    straight = classifier_to_bundle(TriageClassifier().fit(texts, labels))
    shuffled = classifier_to_bundle(TriageClassifier().fit(texts.iloc[order], labels.iloc[order]))
    assert straight[0] == shuffled[0]
    assert all(np.array_equal(array, shuffled[1][name]) for name, array in straight[1].items())


def test_a_group_for_each_text_is_wanted() -> None:
    texts, labels = desk(40)
    with pytest.raises(ValueError, match=r"^Expected a group for each of 40 texts, found 2\.$"):
        TriageClassifier().fit(texts, labels, groups=[0, 1])


def test_texts_of_one_group_are_held_out_together() -> None:
    """Each ticket has its like, and no word in common with others: heads that never saw the like can't know."""
    draw = np.random.default_rng(0)
    words = ["".join(draw.choice(list("abcdefghijklmnopqrstuvwxyz"), 12)) for _ in range(80)]
    texts = [f"{word} {word} {end}" for word in words for end in ("one", "two")]
    labels = pd.DataFrame({"category": np.repeat(draw.choice(["A", "B"], 80), 2)})
    apart = TriageClassifier().fit(texts, labels).policies("category")[0.9]
    together = TriageClassifier().fit(texts, labels, groups=np.repeat(np.arange(80), 2)).policies("category")[0.9]
    assert apart.threshold <= 1 < together.threshold


def test_goes_to_arrays_and_back(model: TriageClassifier) -> None:
    texts, _ = desk(40, seed=5)
    again = classifier_from_bundle(*classifier_to_bundle(model))
    pd.testing.assert_frame_equal(again.decide(texts), model.decide(texts))
    assert again.get_params() == model.get_params() | {"features": None}


def test_clone_and_params() -> None:
    copy = clone(TriageClassifier(penalty=0.5, precision=0.8))
    assert (copy.penalty, copy.precision) == (0.5, 0.8)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        copy.predict(["a"])


def test_a_missing_label_leaves_the_ticket_out_of_that_target_only() -> None:
    texts, labels = desk(200)
    labels.loc[labels["category"] == "Printing", "tier"] = None
    labels["tier"] = labels["tier"].astype(object).where(labels["tier"].notna(), None)
    model = TriageClassifier().fit(texts, labels)
    assert model.classes_["category"] == ("Access", "Network", "Printing")
    assert model.predict(["printer jammed since monday"])["category"].item() == "Printing"


@pytest.mark.parametrize("text", ["", "?", "hm"])
def test_too_little_text_is_for_a_person(model: TriageClassifier, text: str) -> None:
    row = model.decide([text]).iloc[0]
    assert (row["category_action"], row["category_reason"]) == ("human", "text_too_short")
    assert row["category"] in model.classes_["category"]


def test_text_unlike_anything_learnt_is_for_a_person(model: TriageClassifier) -> None:
    row = model.decide(["quarterly zebra migration across serengeti"]).iloc[0]
    assert (row["category_action"], row["category_reason"]) == ("human", "unfamiliar_text")


def test_a_class_without_evidence_is_never_auto() -> None:
    texts, labels = desk(300)
    rare = pd.concat([texts, pd.Series(["badge reader broken at gate"] * 4)], ignore_index=True)
    with_rare = pd.concat([labels, pd.DataFrame({"category": ["Badges"] * 4, "tier": ["L1"] * 4})], ignore_index=True)
    model = TriageClassifier().fit(rare, with_rare)
    row = model.decide(["badge reader broken at gate"]).iloc[0]
    assert (row["category"], row["category_action"], row["category_reason"]) == (
        "Badges",
        "suggest",
        "not_enough_evidence",
    )


def test_reasons_sum_to_the_margin(model: TriageClassifier) -> None:
    texts = ["Printer JAMMED since noon, please help", "VPN drops, password expired", "Straße – vpn drops"]
    head = model.head("category")
    vectors, _ = model.vectors(texts)
    margins = head.margins(vectors)
    chosen = margins.argmax(axis=1)
    constant = head.constant(vectors, chosen)
    for index, terms in enumerate(model.explain(texts, "category", most=None)):
        total = sum(term.weight for term in terms) + float(constant[index])
        assert total == pytest.approx(float(margins[index, chosen[index]]), abs=1e-4)


def test_reasons_are_words_as_the_reader_wrote_them(model: TriageClassifier) -> None:
    text = "Printer JAMMED since noon"
    terms = [term.term for term in model.explain([text], "category")[0]]
    assert terms
    assert all(term in text for term in terms)
    assert {"Printer", "JAMMED"} & set(terms)


def test_reasons_point_at_the_right_place_behind_an_umlaut(model: TriageClassifier) -> None:
    terms = model.explain(["Öffnen geht nicht – Ärger: PRINTER jammed"], "category", most=None)[0]
    assert {"PRINTER", "PRINTER jammed"} <= {term.term for term in terms}


def test_one_class_only_is_refused() -> None:
    texts, labels = desk(60)
    with pytest.raises(NotEnoughDataError, match=r"Target 'tier': at least two classes are needed .*, found only 'L1'"):
        TriageClassifier().fit(texts, labels.assign(tier="L1")[["tier"]])


def test_five_rows_are_refused() -> None:
    texts, labels = desk(5)
    with pytest.raises(NotEnoughDataError, match="at least 30 labelled tickets are needed to learn from, found 5"):
        TriageClassifier().fit(texts, labels)


def test_one_string_is_no_sequence_of_texts(model: TriageClassifier) -> None:
    with pytest.raises(TypeError, match="put it in a list"):
        model.predict("printer jammed")


def test_familiarity_tells_what_was_learnt_from_what_was_not(model: TriageClassifier) -> None:
    texts, _ = desk(60, seed=8)
    usual = model.familiarity(texts)
    strange = model.familiarity(["quarterly zebra migration across serengeti", "bake the bread at noon", "sing a song"])
    assert strange.max() < np.quantile(usual, 0.05)


@pytest.mark.parametrize(
    "text", ["", "😀 😀", "QUJD" * 25_000, "\x00\x01 PK", "<p>printer jammed</p>", "שלום printer jammed"]
)
def test_odd_texts_are_decided_and_explained(model: TriageClassifier, text: str) -> None:
    row = model.decide([text]).iloc[0]
    assert row["category"] in model.classes_["category"]
    assert row["category_action"] in ("auto", "suggest", "human")
    assert len(model.explain([text], "category")) == 1


def test_a_class_with_one_ticket_is_learnt_and_never_auto() -> None:
    texts, labels = desk(200)
    texts = pd.concat([texts, pd.Series(["espresso machine leaks in the kitchen"])], ignore_index=True)
    labels = pd.concat([labels, pd.DataFrame({"category": ["Facilities"], "tier": ["L1"]})], ignore_index=True)
    model = TriageClassifier().fit(texts, labels)
    place = model.classes_["category"].index("Facilities")
    for policy in model.policies("category").values():
        assert policy.thresholds[place] > 1
    assert model.decide(["espresso machine leaks in the kitchen"])["category_action"].item() != "auto"


def test_labels_that_look_alike_are_not_merged() -> None:
    texts, labels = desk(300)
    odd = labels.index[labels["category"] == "Network"][::2]
    labels.loc[odd, "category"] = "network"
    assert TriageClassifier().fit(texts, labels).classes_["category"] == ("Access", "Network", "Printing", "network")
