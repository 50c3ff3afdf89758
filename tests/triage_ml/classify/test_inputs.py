"""What a classifier refuses to learn from, and says so; what it takes in more than one form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from triage_ml import answer
from triage_ml.classify import TriageClassifier
from triage_ml.classify.inputs import texts_of
from triage_ml.errors import InputError
from triage_ml.text import prepare, ticket_text

TEXTS = ["cannot log in, password expired", "printer jammed again", "vpn drops at home"] * 30
LABELS = pd.DataFrame({"category": ["Access", "Printing", "Network"] * 30})


def classifier(**params: Any) -> TriageClassifier:
    return TriageClassifier(**{"penalty": 3.0, **params})


@pytest.mark.parametrize("penalty", [0, 0.0, -1.0, float("nan"), float("inf")])
def test_a_penalty_that_is_none_is_refused(penalty: float) -> None:
    with pytest.raises(ValueError, match=r"^penalty must be above 0, or None to have it chosen, found "):
        classifier(penalty=penalty).fit(TEXTS, LABELS)


@pytest.mark.parametrize("precision", [0.0, 1.0, 1.5, -0.9])
def test_a_promise_that_nobody_can_make_is_refused(precision: float) -> None:
    with pytest.raises(ValueError, match=rf"^precision must be between 0 and 1, found {precision}$"):
        classifier(precision=precision).fit(TEXTS, LABELS)


@pytest.mark.parametrize(("rows", "texts"), [(40, 90), (90, 60)], ids=["too few labels", "too many labels"])
def test_a_row_of_labels_for_each_text_is_wanted(rows: int, texts: int) -> None:
    with pytest.raises(InputError, match=rf"^Expected a row of labels for each of {texts} texts, found {rows}\.$"):
        classifier().fit(TEXTS[:texts], LABELS[:rows])
    with pytest.raises(InputError, match=rf"^Expected a row of calibration labels for each of {texts} texts, found "):
        classifier().fit(TEXTS, LABELS, calibration=(TEXTS[:texts], LABELS[:rows]))


@pytest.mark.parametrize("weight", [-1.0, float("inf"), float("nan")])
def test_a_weight_that_is_no_number_of_tickets_is_refused(weight: float) -> None:
    message = r"^Expected finite weights of 0 and above, for how many tickets each one stands\.$"
    with pytest.raises(InputError, match=message):
        classifier().fit(TEXTS, LABELS, stands_for=[weight, *[1.0] * 89])


def test_labels_to_calibrate_on_need_no_name_where_there_is_one_target() -> None:
    named, unnamed = LABELS["category"], pd.Series(LABELS["category"].tolist())
    assert set(classifier().fit(TEXTS, named, calibration=(TEXTS, unnamed)).classes_) == {"category"}
    assert set(classifier().fit(TEXTS, unnamed, calibration=(TEXTS, unnamed)).classes_) == {"target"}


def test_labels_to_calibrate_on_are_of_the_same_targets() -> None:
    message = r"^Labels to calibrate on: expected the targets \['category'\], found \['tier'\]\.$"
    with pytest.raises(InputError, match=message):
        classifier().fit(TEXTS, LABELS, calibration=(TEXTS, LABELS.rename(columns={"category": "tier"})))


def test_the_order_of_the_targets_is_that_of_the_labels() -> None:
    both = LABELS.assign(tier=["L1", "L2", "L1"] * 30)
    model = classifier().fit(TEXTS, both, calibration=(TEXTS, both[["tier", "category"]]))
    assert model.classes_ == {"category": ("Access", "Network", "Printing"), "tier": ("L1", "L2")}


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (pd.DataFrame({"c": [1, 2, 3] * 30}), r"^Target 'c': expected labels as text, found int64\.\nTurn them "),
        (pd.DataFrame({"c": ["1", 2, "3"] * 30}), r"^Target 'c': expected labels as text, found int\.\n"),
        (
            pd.DataFrame({"c": ["a\ud800", "b", "c"] * 30}, dtype=object),
            r"^Target 'c': the label 'a\\ud800' holds half of a surrogate pair, which no file can hold\.\n",
        ),
        (pd.DataFrame(index=range(90)), r"^Labels: expected a column for each target, each once, found \[\]\.$"),
        (pd.DataFrame([["a", "b"]] * 90, columns=["c", "c"]), r"each once, found \['c', 'c'\]\.$"),
    ],
    ids=["numbers", "numbers among text", "half a surrogate pair", "no target", "a target twice"],
)
def test_labels_that_no_answer_could_be_are_refused(labels: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message):
        classifier().fit(TEXTS, labels)


def test_a_list_is_no_table_of_labels() -> None:
    with pytest.raises(TypeError, match=r"^expected a table of labels with .*, or a Series, found list$"):
        classifier().fit(TEXTS, LABELS["category"].tolist())


@pytest.mark.parametrize(("hole", "kind"), [(None, "NoneType"), (float("nan"), "float")])
def test_a_missing_text_is_named(hole: object, kind: str) -> None:
    with pytest.raises(TypeError, match=rf"^expected texts, found {kind} in row 2: put '' where there is none$"):
        classifier().fit([*TEXTS[:2], hole, *TEXTS[3:]], LABELS)  # type: ignore[list-item]


def test_a_ticket_table_is_read_as_its_prepared_texts() -> None:
    tickets = pd.DataFrame({"ticket_id": range(90), "title": "Hi team,", "description": [f"<p>{t}</p>" for t in TEXTS]})
    model = classifier().fit(tickets, LABELS)
    asked = model.predict(tickets)
    assert asked["category"].tolist() == LABELS["category"].tolist()
    pd.testing.assert_frame_equal(model.decide(tickets[:3]), model.decide(TEXTS[:3]))
    with pytest.raises(TypeError, match=r"^expected texts or a ticket table, found a table without title and descr"):
        model.predict(pd.DataFrame({"text": TEXTS}))


def test_a_ticket_table_is_prepared_as_the_service_prepares_it() -> None:
    tickets = pd.DataFrame({"title": ["Hi team,"], "description": ["<p>password: hunter2 of jo@example.com</p>"]})
    assert texts_of(tickets) == prepare(ticket_text(tickets)) == answer.prepare(ticket_text(tickets))
    assert "hunter2" not in texts_of(tickets)[0]


def test_a_target_that_was_not_learnt_is_named() -> None:
    model = classifier().fit(TEXTS, LABELS)
    for ask in (model.head, model.policies, lambda target: model.explain(TEXTS[:1], target)):
        with pytest.raises(InputError, match=r"^No target 'tier' was learnt; those that were: category\.$"):
            ask("tier")


def test_an_unfitted_classifier_has_no_classes() -> None:
    assert not hasattr(TriageClassifier(), "classes_")


def test_the_same_labels_in_any_column_type_give_the_same_classes() -> None:
    kinds = [LABELS["category"].astype(kind) for kind in ("category", "string", "object")]
    answers = [classifier().fit(TEXTS, kind).predict_proba(TEXTS[:5])["category"].to_numpy() for kind in kinds]
    np.testing.assert_array_equal(answers[0], answers[1])
    np.testing.assert_array_equal(answers[0], answers[2])
