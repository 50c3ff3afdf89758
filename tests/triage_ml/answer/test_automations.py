"""The known pattern of a ticket, and the automation that takes it."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from triage_ml.answer import Answerer, RuleBook, prepare, read_model, score_table, write_model
from triage_ml.answer import answerer as answering
from triage_ml.answer.rules import Rule, Then, When
from triage_ml.classify import TriageClassifier
from triage_ml.patterns import Assignment, masked_texts
from triage_ml.settings import Decision
from triage_ml.taxonomy import Group, Taxonomy

RESET = Assignment("p-reset", "Reset AD password", 0.83)
TICKETS: list[dict[str, Any]] = [
    {"ticket_id": "1", "title": "password expired since monday", "channel": "portal"},
    {"ticket_id": "2", "title": "printer jammed since monday", "channel": "portal"},
    {"ticket_id": "3", "title": "password expired since monday", "channel": "board"},
]
IN_FORCE = {"p-reset": {"reference": "RB-12", "owner": "desk"}}


class PasswordBook:
    """Knows one pattern, by one word."""

    def assign(self, texts: Sequence[str], *, masked: bool) -> list[Assignment | None]:
        assert masked  # what the recogniser reads too is not masked once more
        return [RESET if "password" in text else None for text in texts]


class PasswordRecogniser:
    """Sure of one pattern wherever its word stands, and less so where it is misspelt; `carries` is what its evidence does."""

    patterns = ("p-reset",)

    def __init__(self, *, carries: bool = True) -> None:
        self.carries = carries
        self.asked: list[float] = []

    def recognise(self, texts: Sequence[str]) -> list[tuple[str | None, float]]:
        sure = {"password": 0.97, "pasword": 0.55}
        return [
            next((("p-reset", share) for word, share in sure.items() if word in text), (None, 0.9)) for text in texts
        ]

    def thresholds(self, patterns: Collection[str], precision: float) -> dict[str, float]:
        self.asked.append(precision)
        return dict.fromkeys(patterns, 0.8) if self.carries else {}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    draw = np.random.default_rng(0)
    kinds = {"password expired": ("L1", "Service Desk"), "printer jammed": ("L2-EUC", "Field Support")}
    texts = [f"{draw.choice(list(kinds))} since {draw.choice(['monday', 'today'])}" for _ in range(400)]
    labels = pd.DataFrame([kinds[" ".join(text.split()[:2])] for text in texts], columns=["tier", "assignment_group"])
    model = TriageClassifier().fit(prepare(texts[:250]), labels[:250], calibration=(prepare(texts[250:]), labels[250:]))
    taxonomy = Taxonomy(groups=(Group("Service Desk", "L1"), Group("Field Support", "L2-EUC"), Group("Robots", "L0")))
    folder = tmp_path_factory.mktemp("bundles") / "model"
    write_model(folder, model, taxonomy)
    return folder


def answerer(folder: Path, automations: Mapping[str, Any] = IN_FORCE, **more: Any) -> Answerer:
    settings = more.pop("decision", Decision(routing=("tier",)))
    recogniser = more.pop("recogniser", PasswordRecogniser())
    return Answerer(
        read_model(folder),
        settings,
        patterns=PasswordBook(),  # type: ignore[arg-type]
        automations=automations,
        recogniser=recogniser,
        **more,
    )


def test_a_ticket_says_its_pattern(folder: Path) -> None:
    first, second, _ = answerer(folder, {}).answer(TICKETS)
    assert first["pattern"] == {"pattern_id": "p-reset", "title": "Reset AD password", "similarity": 0.83}
    assert second["pattern"] is None
    assert first["automation"] is None
    assert first["targets"]["tier"]["value"] == "L1"


def test_a_ticket_says_its_variant_where_its_text_tells_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "RESET", replace(RESET, variant_id="v-vpn"))

    (first, *_) = answerer(folder, {}).answer(TICKETS)

    assert first["pattern"]["variant_id"] == "v-vpn"


def test_a_text_is_masked_once_for_patterns_and_automations(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []

    def masked(given: Sequence[str], *, redacted: bool) -> list[str]:
        assert redacted  # what the classifier reads is not cleaned and redacted once more
        texts.extend(given)
        return masked_texts(given, redacted=True)

    monkeypatch.setattr(answering, "masked_texts", masked)
    answerer(folder).answer(TICKETS)
    assert texts == prepare([ticket["title"] for ticket in TICKETS])


def test_an_automation_in_force_takes_the_ticket(folder: Path) -> None:
    first, second, _ = answerer(folder).answer(TICKETS)
    assert first["automation"] == {"pattern_id": "p-reset", "reference": "RB-12", "owner": "desk"}
    assert first["decision"] == {"action": "auto", "reason": "automated"}
    tier = first["targets"]["tier"]
    assert (tier["value"], tier["action"], tier["reason"], tier["threshold"]) == ("L0", "auto", "automated", None)
    assert tier["because"] == []
    assert tier["alternatives"][0]["value"] == "L1"
    assert second["automation"] is None
    assert second["targets"]["tier"]["value"] == "L2-EUC"


@pytest.mark.parametrize(
    "recogniser", [None, PasswordRecogniser(carries=False)], ids=["no recogniser", "evidence that carries no promise"]
)
def test_without_evidence_an_automation_is_suggested_and_never_acts(
    folder: Path, recogniser: PasswordRecogniser | None
) -> None:
    first, second, _ = answerer(folder, recogniser=recogniser).answer(TICKETS)
    assert first["decision"] == {"action": "suggest", "reason": "automated"}
    assert first["automation"]["reference"] == "RB-12"
    assert second["automation"] is None


def test_an_automation_acts_on_the_promise_of_the_model_that_answers(folder: Path) -> None:
    recogniser = PasswordRecogniser()
    answerer(folder, recogniser=recogniser)
    assert recogniser.asked == [read_model(folder).classifier.precision]


def test_a_ticket_that_is_less_surely_of_the_pattern_is_suggested_wherever_its_text_is_near_to(folder: Path) -> None:
    misspelt = answerer(folder).answer([{"ticket_id": "4", "title": "pasword expird", "channel": "portal"}])[0]
    assert misspelt["pattern"] is None
    assert misspelt["decision"]["action"] == "suggest"
    assert misspelt["automation"]["pattern_id"] == "p-reset"


def test_a_text_near_to_the_pattern_that_is_something_else_is_not_taken(folder: Path) -> None:
    class Doubting(PasswordRecogniser):
        def recognise(self, texts: Sequence[str]) -> list[tuple[str | None, float]]:
            return [(None, 0.9)] * len(texts)

    first = answerer(folder, recogniser=Doubting()).answer(TICKETS)[0]
    assert first["pattern"]["pattern_id"] == "p-reset"
    assert first["automation"] is None
    assert first["targets"]["tier"]["value"] == "L1"


def test_the_group_that_takes_over_is_only_suggested(folder: Path) -> None:
    group = answerer(folder).answer(TICKETS)[0]["targets"]["assignment_group"]
    assert (group["value"], group["action"], group["reason"]) == ("Service Desk", "suggest", "automated")


def test_an_automation_may_only_be_suggested(folder: Path) -> None:
    careful = answerer(folder, {"p-reset": {"reference": "RB-12", "mode": "suggest"}}).answer(TICKETS)[0]
    assert careful["decision"] == {"action": "suggest", "reason": "automated"}


def test_assisted_support_holds_automations_back(folder: Path) -> None:
    assisted = answerer(folder, decision=Decision(routing=("tier",), force_suggest=True)).answer(TICKETS)[0]
    assert assisted["decision"]["action"] == "suggest"
    assert assisted["targets"]["tier"]["value"] == "L0"


def test_what_an_automation_handed_back_does_not_return_to_it(folder: Path) -> None:
    returned = answerer(folder).answer([{**TICKETS[0], "previous_groups": ["Robots"]}])[0]
    assert returned["automation"] is None
    assert returned["targets"]["tier"]["value"] == "L1"


def test_a_rule_may_keep_a_ticket_from_an_automation(folder: Path) -> None:
    board = Rule(name="board", when=When(channel=("board",)), then=Then(target="tier", value="L1"))
    answers = answerer(folder, rules=RuleBook((board,), "rules", (1,))).answer(TICKETS)
    assert answers[0]["automation"] is not None
    assert answers[2]["automation"] is None
    assert answers[2]["targets"]["tier"]["rule"] == "board"


def test_patterns_are_replaced_without_reading_the_model_again(folder: Path) -> None:
    before = answerer(folder, {})
    after = before.with_patterns(PasswordBook(), IN_FORCE, PasswordRecogniser())  # type: ignore[arg-type]
    assert after.model is before.model
    assert after.answer(TICKETS)[0]["automation"] is not None
    assert before.answer(TICKETS)[0]["automation"] is None


def test_the_table_says_pattern_and_rule(folder: Path) -> None:
    board = Rule(name="board", when=When(channel=("board",)), then=Then(target="tier", value="L1"))
    asked = answerer(folder, rules=RuleBook((board,), "rules", (1,)))
    table = score_table(asked, pd.DataFrame(TICKETS))
    assert [one or None for one in table["pattern_id"].fillna("")] == ["p-reset", None, "p-reset"]
    assert [one or None for one in table["rule"].fillna("")] == [None, None, "board"]
    for row, answer in zip(table.to_dict("records"), asked.answer(TICKETS), strict=True):
        assert (row["tier"], row["tier_action"], row["tier_reason"]) == tuple(
            answer["targets"]["tier"][key] for key in ("value", "action", "reason")
        )


def test_what_an_automation_takes_is_not_said_to_be_up_for_an_audit(tmp_path: Path) -> None:
    """The decision's reason is that of the first routing target, here not the one that the automation answers."""
    kinds = {"password expired": ("Access", "L1"), "printer jammed": ("Printing", "L2-EUC")}
    texts = prepare([f"{[*kinds][row % 2]} since {row}" for row in range(400)])
    labels = pd.DataFrame([kinds[[*kinds][row % 2]] for row in range(400)], columns=["category", "tier"])
    write_model(tmp_path / "model", TriageClassifier().fit(texts, labels), Taxonomy())
    decision = Decision(routing=("category", "tier"), audit_share=0.5)
    tickets = [{"ticket_id": str(row), "title": f"{[*kinds][row % 2]} since {row}"} for row in range(40)]
    answers = answerer(tmp_path / "model", decision=decision).answer(tickets)
    automated, others = answers[::2], answers[1::2]
    assert {one["targets"]["tier"]["reason"] for one in automated} == {"automated"}
    assert {(one["decision"]["action"], one["decision"]["reason"]) for one in automated} == {("auto", "confident")}
    assert not any("audit_share" in one["decision"] for one in automated)
    assert {one["decision"]["reason"] for one in others} == {"confident", "picked_for_audit"}
    assert {one["decision"]["audit_share"] for one in others} == {0.5}
