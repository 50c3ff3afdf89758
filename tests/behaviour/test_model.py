"""What a model that was trained on the desk must and must not be moved by."""

from __future__ import annotations

import pytest

from triage_ml.answer import prepare
from triage_ml.classify import TriageClassifier
from triage_ml.settings import Settings
from triage_ml.simulate import simulate_desk
from triage_ml.tickets import read_tickets
from triage_training.train import train

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> TriageClassifier:
    desk = simulate_desk(tmp_path_factory.mktemp("model") / "desk", tickets=8000, weeks=8, seed=11)
    return train(read_tickets(desk.tickets_file), Settings()).classifier


def category(model: TriageClassifier, text: str) -> str:
    return str(model.predict(prepare([text]))["category"].item())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Forgot my password and the account is locked, please reset it", "Access"),
        ("The printer on the second floor prints blank pages, toner is new", "Printing"),
        ("VPN drops every few minutes when I work from home", "Network"),
        ("Laptop screen is cracked, need a replacement", "Hardware"),
    ],
)
def test_knows_what_everybody_knows(model: TriageClassifier, text: str, expected: str) -> None:
    assert category(model, text) == expected


@pytest.mark.parametrize(
    "other",
    [
        "Forgot my pasword and the acount is locked, please reset it",
        "FORGOT MY PASSWORD AND THE ACCOUNT IS LOCKED, PLEASE RESET IT",
        "Hi team,\n\nforgot my password and the account is locked, please reset it.\n\nKind regards\nJo Miller",
        "forgot my password... and the account is locked!!! please reset it :-(",
    ],
    ids=["typos", "capitals", "greeting and signature", "punctuation"],
)
def test_is_not_moved_by_how_it_is_written(model: TriageClassifier, other: str) -> None:
    assert category(model, other) == category(model, "Forgot my password and the account is locked, please reset it")


def test_is_moved_by_what_is_broken(model: TriageClassifier) -> None:
    assert category(model, "The printer is down and prints nothing") != category(
        model, "The database is down, no connection"
    )


def test_says_when_it_can_not_know(model: TriageClassifier) -> None:
    rows = model.decide(prepare(["", "help", "zorblax fnord quuxify blarg wibble"]))
    assert rows["category_action"].tolist() == ["human"] * 3
