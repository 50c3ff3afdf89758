"""How tickets like this one were resolved: from the case index, and a clear refusal without one."""

from __future__ import annotations

import threading
from pathlib import Path

import pandas as pd
import pytest
from asking import TICKET, wait_until
from fastapi.testclient import TestClient

from triage_ml.cases import build_cases, cases_folder
from triage_ml.settings import Settings
from triage_serving.similar import SEARCHES

CASES = pd.DataFrame(
    {
        "ticket_id": ["INC1", "INC0012345", "INC3"],
        "title": ["Locked out of my account", "Locked out", "Printer jam"],
        "description": ["My password expired.", "My password expired.", "Paper is stuck in the tray."],
        "resolution": ["Reset the password of jo@example.com", "Reset it.", "Took the paper out."],
    }
)


def build(home: Path) -> None:
    build_cases(cases_folder(home), CASES)


@pytest.fixture
def with_cases(client: TestClient, settings: Settings) -> TestClient:
    build(settings.paths.home)
    wait_until(lambda: client.post("/v1/similar", json=TICKET).status_code == 200)
    return client


def test_the_nearest_case_comes_redacted_and_the_ticket_itself_does_not(with_cases: TestClient) -> None:
    body = with_cases.post("/v1/similar", json=TICKET).json()
    assert body["ticket_id"] == TICKET["ticket_id"]
    found = [case["ticket_id"] for case in body["similar"]]
    assert found[0] == "INC1"
    assert "INC0012345" not in found
    assert "example.com" not in body["similar"][0]["resolution"]
    assert 0 < body["similar"][0]["similarity"] <= 1


def test_a_limit(with_cases: TestClient) -> None:
    assert len(with_cases.post("/v1/similar?limit=1", json=TICKET).json()["similar"]) == 1
    assert with_cases.post("/v1/similar?limit=0", json=TICKET).status_code == 422


def test_without_an_index_it_says_what_to_do(client: TestClient) -> None:
    response = client.post("/v1/similar", json=TICKET)
    assert (response.status_code, response.json()["code"]) == (409, "no_case_index")
    assert "triage index" in response.json()["detail"]


@pytest.mark.parametrize("include", ["similar", "similar,all", "all,similar"])
def test_a_score_may_bring_similar_tickets(with_cases: TestClient, include: str) -> None:
    answer = with_cases.post(f"/v1/score?include={include}", json=TICKET).json()
    assert answer["similar"][0]["ticket_id"] == "INC1"
    assert len(answer["targets"]["tier"]["alternatives"]) == (2 if "all" in include else 1)


def test_a_batch_may_bring_similar_tickets(with_cases: TestClient) -> None:
    body = {"tickets": [TICKET, TICKET | {"ticket_id": "P", "title": "Printer jam"}]}
    answers = with_cases.post("/v1/score/batch?include=similar", json=body).json()["answers"]
    assert [len(answer["similar"]) > 0 for answer in answers] == [True, True]


def test_a_score_without_an_index_is_still_an_answer(client: TestClient) -> None:
    answer = client.post("/v1/score?include=similar", json=TICKET).json()
    assert (answer["similar"], answer["decision"]["action"]) == (None, "auto")


def test_a_damaged_index_is_refused_and_the_old_one_stays(with_cases: TestClient, settings: Settings) -> None:
    (cases_folder(settings.paths.home) / "manifest.json").write_text("{}")
    similar = with_cases.app.state.services.similar  # type: ignore[attr-defined]
    similar.poll()
    assert with_cases.post("/v1/similar", json=TICKET).status_code == 200


def test_searches_that_hang_are_bounded_and_keep_nobody_else_waiting(
    with_cases: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    similar, go = with_cases.app.state.services.similar, threading.Event()  # type: ignore[attr-defined]

    class Stuck:
        def nearest(self, texts: list[str], *_: object, **__: object) -> list[list[object]]:
            go.wait(60)
            return [[] for _ in texts]

    monkeypatch.setattr(similar, "_index", Stuck())
    monkeypatch.setattr(similar, "poll", lambda: None)
    monkeypatch.setattr(similar, "_free", threading.BoundedSemaphore(SEARCHES))
    monkeypatch.setattr("triage_serving.similar.SEARCH_SECONDS", 0.02)
    answers = [with_cases.post("/v1/similar", json=TICKET) for _ in range(SEARCHES + 1)]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers[:-1]} == {(503, "too_slow")}
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (503, "busy")
    assert with_cases.get("/readyz").status_code == 200
    scored = with_cases.post("/v1/score?include=similar", json=TICKET)
    assert (scored.status_code, scored.json()["similar"]) == (200, None)
    go.set()
    wait_until(lambda: with_cases.post("/v1/similar", json=TICKET).status_code == 200)
