"""Answers as the service and the batch give them."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest

from triage_ml.answer import Answerer, load_answerer, prepare, read_model, score_table, write_model
from triage_ml.bundle import read_bundle, write_bundle
from triage_ml.classify import REASONS, TriageClassifier
from triage_ml.errors import BundleCorruptError, BundleFormatError
from triage_ml.settings import Decision, Settings
from triage_ml.taxonomy import Taxonomy

WORDS = {
    ("Access", "L1"): ["password expired", "account locked", "cannot log in"],
    ("Printing", "L2-EUC"): ["printer jammed", "toner empty", "blank pages printed"],
    ("Servers", "L0"): ["disk full alarm on server", "service stopped alarm on server"],
}
TICKETS: list[dict[str, Any]] = [
    {"ticket_id": "1", "title": "Password EXPIRED", "description": "cannot log in since monday, help"},
    {"ticket_id": "2", "title": None, "description": "printer jammed again, toner empty"},
    {"ticket_id": "3", "title": "", "description": "?"},
    {"ticket_id": "4", "title": "مرحبا 😀", "description": "zebra crossing serengeti quarterly"},
    {"ticket_id": "5", "title": "disk full alarm on server", "description": None},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    draw = np.random.default_rng(0)
    rows = [list(WORDS)[index] for index in draw.integers(0, 3, 900)]
    days = ["monday", "today"]  # and a place each, for copies of one text are evidence of one
    texts = [
        f"{draw.choice(WORDS[row])} since {draw.choice(days)} please help {place}" for place, row in enumerate(rows)
    ]
    labels = pd.DataFrame(rows, columns=["category", "tier"])
    model = TriageClassifier().fit(prepare(texts[:600]), labels[:600], calibration=(prepare(texts[600:]), labels[600:]))
    folder = tmp_path_factory.mktemp("bundles") / "model"
    write_model(folder, model, Taxonomy())
    return folder


@pytest.fixture(scope="module")
def answerer(folder: Path) -> Answerer:
    return load_answerer(folder, Settings())


def test_an_answer_is_the_contract(answerer: Answerer) -> None:
    answer = answerer.answer(TICKETS)[0]
    assert answer["ticket_id"] == "1"
    assert answer["decision"] == {"action": "auto", "reason": "confident"}
    target = answer["targets"]["category"]
    assert set(target) == {"value", "probability", "threshold", "action", "reason", "alternatives", "because"}
    assert (target["value"], target["action"], target["reason"]) == ("Access", "auto", "confident")
    assert target["threshold"] <= target["probability"] <= 1
    assert 0 < len(target["because"]) <= 5
    assert "EXPIRED" in " ".join(term["term"] for term in target["because"])
    assert (answer["pattern"], answer["automation"]) == (None, None)


def test_every_ticket_gets_a_known_class_and_a_known_reason(answerer: Answerer) -> None:
    for answer in answerer.answer(TICKETS):
        for name, target in answer["targets"].items():
            assert target["value"] in answerer.model.classifier.classes_[name]
            assert target["reason"] in REASONS
            assert target["action"] in ("auto", "suggest", "human")


def test_what_can_not_be_read_is_for_a_person(answerer: Answerer) -> None:
    decisions = [answer["decision"] for answer in answerer.answer(TICKETS)]
    assert decisions[2] == {"action": "human", "reason": "text_too_short"}
    assert decisions[3] == {"action": "human", "reason": "unfamiliar_text"}


def test_the_automation_tier_is_never_auto_without_an_automation(answerer: Answerer) -> None:
    tier = answerer.answer(TICKETS)[4]["targets"]["tier"]
    assert (tier["value"], tier["action"]) == ("L0", "suggest")


def test_the_most_cautious_routing_target_decides(folder: Path) -> None:
    both = Answerer(read_model(folder), Decision())
    category_alone = Answerer(read_model(folder), Decision(routing=("category",)))
    assert both.answer(TICKETS)[4]["decision"]["action"] == "suggest"
    assert category_alone.answer(TICKETS)[4]["decision"]["action"] == "auto"


def test_assisted_support_suggests_what_would_be_auto(folder: Path) -> None:
    careful = Answerer(read_model(folder), Decision(force_suggest=True))
    answers = careful.answer(TICKETS)
    assert {answer["decision"]["action"] for answer in answers} == {"suggest", "human"}
    assert answers[0]["decision"] == {"action": "suggest", "reason": "confident"}  # what `triage ready` measures
    tier = answers[4]["targets"]["tier"]
    assert (tier["value"], tier["action"], tier["reason"]) == ("L0", "suggest", "below_threshold")


def test_a_batch_answers_what_single_tickets_are_answered(answerer: Answerer) -> None:
    together = answerer.answer(TICKETS)
    assert together == [answerer.answer([ticket])[0] for ticket in TICKETS]


def test_the_table_says_what_the_answers_say(answerer: Answerer) -> None:
    frame = pd.DataFrame(TICKETS)
    table = score_table(answerer, frame)
    assert list(table)[:3] == ["ticket_id", "action", "reason"]
    for row, answer in zip(table.to_dict("records"), answerer.answer(TICKETS), strict=True):
        assert row["ticket_id"] == answer["ticket_id"]
        assert {"action": row["action"], "reason": row["reason"]} == answer["decision"]
        for name, target in answer["targets"].items():
            assert (row[name], row[f"{name}_action"], row[f"{name}_reason"]) == (
                target["value"],
                target["action"],
                target["reason"],
            )
            assert row[f"{name}_probability"] == pytest.approx(target["probability"], abs=1e-4)


ODD_TEXTS = {
    "empty": "",
    "one word": "printer",
    "100,000 characters": "printer jammed again " * 4762,
    "one monster": "a" * 100_000,
    "emoji": "printer 🖨️🔥 jammed 👩\u200d💻",
    "right to left": "\u202eالطابعة printer שלום jammed",
    "HTML": "<html><body><p>printer&nbsp;jammed</p><script>alert(1)</script><!-- x --></body></html>",
    "unfinished HTML": "<div><p>printer jammed<script>" + "<" * 5000,
    "base64": "printer jammed " + "iVBORw0KGgoAAAANSUhEUgAA" * 4000,
    "binary": "PK\x03\x04\x00\x01\x02\x7f\ufffd printer\x00jammed",
    "half a surrogate pair": "printer \ud800 jammed",
    "changes its length in lower case": "ß" * 40 + " İstanbul ſ printer jammed",
}


def test_odd_texts_are_answered_alike_alone_together_and_in_a_table(answerer: Answerer) -> None:
    tickets = [{"ticket_id": name, "description": text} for name, text in ODD_TEXTS.items()]
    together = answerer.answer(tickets)
    frame = pd.DataFrame(tickets, dtype=object)
    table = score_table(answerer, frame)
    shuffled = score_table(answerer, frame[::-1])[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(shuffled, table)
    for ticket, answer, row in zip(tickets, together, table.to_dict("records"), strict=True):
        assert answer == answerer.answer([ticket])[0]
        target = answer["targets"]["category"]
        assert (row["category"], row["category_reason"]) == (target["value"], target["reason"])
        assert orjson.loads(orjson.dumps(answer)) == answer, "it can be sent"
    decided = dict(zip(ODD_TEXTS, table["action"], strict=True))
    assert {decided[name] for name in ("empty", "one word", "one monster")} == {"human"}
    values = dict(zip(ODD_TEXTS, table["category"], strict=True))
    said = set(ODD_TEXTS) - {"empty", "one monster"}
    assert {values[name] for name in said} == {"Printing"}


def test_an_empty_table_gives_an_empty_table(answerer: Answerer) -> None:
    empty = score_table(answerer, pd.DataFrame({"ticket_id": [], "title": [], "description": []}))
    assert len(empty) == 0
    assert "tier_reason" in empty


def test_all_reasons_and_alternatives_on_request(answerer: Answerer) -> None:
    mixed = {
        "ticket_id": "1",
        "title": "Password expired, password expired",
        "description": "and the printer is jammed",
    }
    full = answerer.answer([mixed], include_all=True)[0]["targets"]["category"]
    assert len(full["alternatives"]) == 2
    assert any(term["weight"] < 0 for term in full["because"])


def test_secrets_never_come_back_as_reasons(answerer: Answerer) -> None:
    ticket = {
        "ticket_id": "9",
        "title": "cannot log in",
        "description": "my password: Tr0ub4dor-x9 and mail jo.doe@acme.example",
    }
    shown = str(answerer.answer([ticket], include_all=True))
    assert "Tr0ub4dor" not in shown
    assert "acme.example" not in shown


def test_a_model_that_answers_its_sample_otherwise_is_refused(folder: Path, tmp_path: Path) -> None:
    bundle = read_bundle(folder, "model")
    arrays = {name: np.array(array) for name, array in bundle.arrays.items()}
    arrays["sample.0"] = 1 - arrays["sample.0"]
    write_bundle(tmp_path / "other", "model", bundle.contents, arrays)
    with pytest.raises(BundleCorruptError, match="does not answer its stored sample"):
        read_model(tmp_path / "other")


@pytest.mark.parametrize(
    "change",
    [
        lambda contents, arrays: contents.pop("familiarity"),
        lambda contents, arrays: contents["classifier"].update(unheard_of=1),
        lambda contents, arrays: contents["targets"][0].pop("policies"),
        lambda contents, arrays: contents.update(targets=7),
        lambda contents, arrays: contents.pop("taxonomy"),
        lambda contents, arrays: arrays.pop("target-0.weights"),
        lambda contents, arrays: arrays.pop("sample.0"),
        lambda contents, arrays: arrays.update({"target-0.weights": np.zeros((2, 3), dtype=np.float32)}),
    ],
    ids=["no part", "new part", "no key", "other type", "no taxonomy", "no array", "no sample", "other shape"],
)
def test_contents_of_another_version_are_refused_by_name(folder: Path, tmp_path: Path, change: Any) -> None:
    bundle = read_bundle(folder, "model")
    contents, arrays = copy.deepcopy(dict(bundle.contents)), dict(bundle.arrays)
    change(contents, arrays)
    write_bundle(tmp_path / "other", "model", contents, arrays)
    with pytest.raises(
        BundleFormatError,
        match=r"other: the bundle holds other contents than this version of triage-ml reads \(\w+\)\.\nAnother version wrote it",
    ):
        read_model(tmp_path / "other")


def test_one_changed_byte_is_refused(folder: Path, tmp_path: Path) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(folder, changed)
    victim = next(changed.glob("target-0.weights.npy"))
    raw = bytearray(victim.read_bytes())
    raw[-5] ^= 1
    victim.write_bytes(bytes(raw))
    with pytest.raises(BundleCorruptError, match=r"weights\.npy: the checksum differs from the manifest"):
        read_model(changed)


def test_answers_say_that_they_are_audited_and_with_which_share(folder: Path) -> None:
    tickets = [
        {"ticket_id": f"INC{one}", "title": "password expired, cannot log in since monday"} for one in range(200)
    ]
    plain = [one["decision"] for one in load_answerer(folder, Settings()).answer(tickets)]
    assert {one["action"] for one in plain} == {"auto"}
    assert not any("audit_share" in one for one in plain)
    answerer = load_answerer(folder, Settings(decision={"audit_share": 0.2}))
    audited = answerer.answer(tickets)
    said = {(one["decision"]["action"], one["decision"]["reason"]) for one in audited}
    assert said == {("auto", "confident"), ("suggest", "picked_for_audit")}
    assert {one["decision"]["audit_share"] for one in audited} == {0.2}
    assert all(
        answer["reason"] == "picked_for_audit"
        for one in audited
        if one["decision"]["action"] == "suggest"
        for answer in one["targets"].values()
    )
    table = answerer.table([one["ticket_id"] for one in tickets], [one["title"] for one in tickets])
    assert table["reason"].tolist() == [one["decision"]["reason"] for one in audited]
