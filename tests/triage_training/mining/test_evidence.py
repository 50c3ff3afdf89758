from __future__ import annotations

import pandas as pd
import pytest

from triage_ml.settings import Settings
from triage_ml.store import evidence_of, open_store
from triage_training.languages import language_of
from triage_training.mine import mine
from triage_training.mine_evidence import evidence_by_pattern


def fact(ticket_id: str, text_key: str = "k", **values: object) -> dict[str, object]:
    row = {"ticket_id": ticket_id, "text_key": text_key, "pattern_id": "p1", "variant_id": None, "similarity": 0.9}
    return {**row, "reopens": None, "handoffs": None, **values}


def test_who_says_it_where_and_how() -> None:
    frame = pd.DataFrame(
        {"ticket_id": list("ABCD"), "requester_id": ["x", "x", "x", "y"], "site": ["Bern", "Ulm", None, "Ulm"]}
    )
    facts = [
        fact("A", reopens=1.0, handoffs=0.0),
        fact("B", reopens=0.0, variant_id="p1-a"),
        fact("C", reopens=0.0, variant_id="p1-a"),
        fact("D", "j", pattern_id="p1"),
        fact("E", pattern_id=None),
    ]

    (found,) = evidence_by_pattern(frame, facts, {"k": "disk is full on <host>", "j": "die platte ist voll"}).values()

    assert (found["tickets"], found["texts"], found["machine_made"]) == (4, 2, 0.75)
    assert found["templates"] == [{"text": "disk is full on <host>", "tickets": 3}]
    assert found["languages"] == {"en": 0.75, "de": 0.25}
    assert found["requesters"] == {"count": 2, "largest": 0.75}
    assert found["sites"] == {"count": 2, "largest": 0.667}
    assert found["variants"] == {"p1-a": 1.0}
    assert (found["reopened"], found["handed_off"]) == (0.333, 0.0)
    assert "configuration_items" not in found


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I can not sign in since the update", "en"),
        ("Der Drucker ist seit heute nicht mehr da", "de"),
        ("Je ne peux pas ouvrir le portail depuis ce matin", "fr"),
        ("No tengo acceso a la carpeta desde el lunes", "es"),
        ("Non ho accesso al portale della ditta", "it"),
        ("ORA-00600 <host> <num>", "other"),
        ("", "other"),
    ],
)
def test_a_language_is_guessed_by_its_small_words(text: str, language: str) -> None:
    assert language_of(text) == language


def test_evidence_of_the_last_week_is_in_the_store(desk: pd.DataFrame, settings: Settings) -> None:
    (*_, last) = mine(desk.assign(requester_id="r" + desk["ticket_id"].str[-2:]), settings)

    store = open_store(settings.store_url)
    with store.read() as connection:
        found = evidence_of(connection, last.candidates[0]["pattern_id"])
    store.close()
    assert found is not None
    week, figures = found
    assert week == "2026-W05"
    assert figures["requesters"]["count"] == 15
    assert figures["languages"]


def test_typical_texts_are_the_most_alike_and_those_at_the_edge_the_least() -> None:
    texts = {f"k{number}": f"text {number}" for number in range(8)}
    facts = [fact(f"T{number}", f"k{number}", similarity=1.0 - number / 10) for number in (5, 1, 7, 3, 0, 2, 6, 4)]

    found = evidence_by_pattern(pd.DataFrame({"ticket_id": []}), facts, texts)["p1"]

    assert found["typical"] == ["text 0", "text 1", "text 2"]
    assert found["edge"] == ["text 7", "text 6", "text 5"]
