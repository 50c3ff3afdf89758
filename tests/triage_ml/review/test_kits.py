from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import Any

import pytest
import yaml

from triage_ml.review import ReviewedCandidate, kit_archive, starter_kit
from triage_ml.store import PatternRecord, Standing
from triage_ml.value import KIND_TITLES

EVIL = "<script>alert(1)</script> [x](javascript:alert(2)) `rm -rf /` | {a}\n# Head\n=1+1"


def candidate(kind: str = "chatbot_answer", *, examples: tuple[str, ...] = (), **figures: Any) -> ReviewedCandidate:
    texts = examples or ("Order 4711 is late", "Where is order 815?", "order 99 not here, mail <email>")
    record = PatternRecord("p1", "Late orders (EMEA)", ["order", "late"], texts, "2026-W40")
    listed = {
        "kind": kind,
        "volume": 40,
        "why": "82% are requests.",
        "hours": {"p10": 1.0, "p50": 2.0, "p90": 3.0},
        "touch_time": {"minutes": 12.0},
        "weekly": [3, 4],
        "knowledge": {"article": None},
        "move_down": {"to": "L1", "tickets": 12, "groups": {"Network": 12}, "hours": 3.0},
        "resolutions": [
            {"text": "Told the user when it comes.", "share": 0.7},
            {"text": "Sent it again.", "share": 0.2},
        ],
    }
    return ReviewedCandidate(record, Standing(owner="Mia"), "2026-W46", {**listed, **figures}, ["2026-W46"], [])


@pytest.mark.parametrize("kind", sorted(KIND_TITLES))
def test_every_kind_has_a_kit_that_says_it_is_a_draft(kind: str) -> None:
    files = starter_kit(candidate(), kind)

    assert len(files) > 1
    assert "Accountable: Mia" in files["README.md"]
    assert all("Draft" in text or name.endswith(".csv") for name, text in files.items())


def test_a_chatbot_gets_an_intent_that_rasa_reads() -> None:
    files = starter_kit(candidate(examples=("forgot [my] (pw)", "- second\nline", "forgot [my] (pw)")))

    (intent,) = yaml.safe_load(files["nlu.yml"])["nlu"]
    assert intent["intent"] == "late_orders_emea"
    assert intent["examples"].splitlines() == ["- forgot my pw", "- - second line"]
    assert [row["text"] for row in csv.DictReader(io.StringIO(files["examples.csv"]))] == [
        "forgot [my] (pw)",
        "'- second line",
    ]


def test_a_form_asks_for_what_the_tickets_name() -> None:
    fields = json.loads(starter_kit(candidate("self_service_form"))["fields.json"])["fields"]

    assert [(one["name"], one["label"], one["required"]) for one in fields] == [
        ("number", "Order", True),
        ("email", "E-mail address", False),
    ]


def test_a_runbook_says_what_it_does_not_cover() -> None:
    text = starter_kit(candidate("runbook_script"))["runbook.md"]

    assert "70% of the close notes say:" in text
    assert "1. Told the user when it comes." in text
    assert "- 20% were solved otherwise: Sent it again." in text
    assert "- 10% were solved in ways that are seen less often" in text


@pytest.mark.parametrize("kind", sorted(KIND_TITLES))
def test_hostile_words_stay_words(kind: str) -> None:
    hostile = candidate(kind, examples=(EVIL,), resolutions=[{"text": EVIL, "share": 1.0}], why=EVIL)
    for name, text in starter_kit(hostile).items():
        if name.endswith(".md"):
            assert "<script" not in text.replace("\\<script", "")
            assert "](" not in text.replace("\\](", "")
            assert "\n# Head" not in text
        if name.endswith(".yml"):
            assert len(yaml.safe_load(text)["nlu"]) == 1


@pytest.mark.parametrize("kind", sorted(KIND_TITLES))
def test_an_address_is_no_link(kind: str) -> None:
    said = "see https://evil.example/x, HTTP://evil.example or www.evil.example"
    hostile = candidate(kind, examples=(said,), resolutions=[{"text": said, "share": 1.0}], why=said)
    for name, text in starter_kit(hostile).items():
        if name.endswith(".md"):
            assert "://" not in text
            assert "www." not in text.casefold()


def test_without_notes_figures_or_examples_it_asks() -> None:
    record = PatternRecord("p1", "数 ?", [], [], "2026-W40")
    bare = ReviewedCandidate(record, Standing(), None, None, [], [])

    assert "What is different" in starter_kit(bare, "runbook_script")["runbook.md"]
    assert "intent: pattern_p1" in starter_kit(bare, "chatbot_answer")["nlu.yml"]
    assert set(starter_kit(bare)) == {"README.md", "analysis.md"}


def test_the_archive_holds_the_files_and_is_the_same_every_time() -> None:
    files = starter_kit(candidate())

    archive = kit_archive(files)

    assert archive == kit_archive(dict(reversed(files.items())))
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert {name: opened.read(name).decode() for name in opened.namelist()} == files
