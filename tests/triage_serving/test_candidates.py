from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient
from listed import WEEK, put_list

from triage_ml import store as stored
from triage_ml.errors import StoreError
from triage_ml.settings import Calendar
from triage_ml.store import Connection, Store

Headers = dict[str, str]


@pytest.fixture
def reviewer(new_key: Callable[..., Headers]) -> Headers:
    return new_key("review")


@pytest.fixture
def listed(store: Store) -> Store:
    put_list(store)
    return store


def decide(client: TestClient, headers: Headers, body: dict[str, Any], revision: int = 0, **more: str) -> Any:
    sent = {**headers, "If-Match": f'"{revision}"', **more}
    return client.post("/v1/candidates/p1/decisions", json=body, headers=sent)


def test_the_latest_list_is_given_with_the_status_of_each(client: TestClient, listed: Store, reviewer: Headers) -> None:
    body = client.get("/v1/candidates", headers=reviewer).json()
    assert (body["week"], body["tickets"], body["covered"]) == (WEEK, 1000, 0.9)
    assert [(one["pattern_id"], one["title"], one["status"]) for one in body["candidates"]] == [
        ("p1", "Pattern p1", "new"),
        ("p2", "Pattern p2", "new"),
    ]
    assert client.get("/v1/candidates", params={"week": WEEK}, headers=reviewer).json() == body


def test_a_rejected_pattern_does_not_come_back_as_new(client: TestClient, listed: Store, reviewer: Headers) -> None:
    assert decide(client, reviewer, {"action": "reject", "reason": "vendor fixes it"}).status_code == 201
    put_list(listed, "p1", week="2026-W47")
    body = client.get("/v1/candidates", headers=reviewer).json()
    assert [(body["week"], one["status"]) for one in body["candidates"]] == [("2026-W47", "rejected")]


def test_a_candidate_has_its_figures_decisions_and_an_etag(
    client: TestClient, listed: Store, reviewer: Headers
) -> None:
    first = client.get("/v1/candidates/p1", headers=reviewer)
    assert (first.headers["etag"], first.json()["hours"]["p50"], first.json()["decisions"]) == ('"0"', 6.5, [])
    done = decide(client, reviewer, {"action": "automated", "reference": "RB-1"})
    assert done.headers["etag"] == '"1"'
    standing = client.get("/v1/candidates/p1", headers=reviewer).json()["standing"]
    assert (standing["status"], standing["reference"], standing["mode"]) == ("automated", "RB-1", "suggest")
    assert standing["frozen"]["week"] == WEEK
    assert standing["frozen"]["hours"] == {"p10": 4.0, "p50": 6.5, "p90": 9.0}


def test_the_second_of_two_people_is_told_and_nothing_is_overwritten(
    client: TestClient, listed: Store, reviewer: Headers
) -> None:
    assert decide(client, reviewer, {"action": "accept"}).status_code == 201
    late = decide(client, reviewer, {"action": "reject", "reason": "no"})
    assert (late.status_code, late.json()["code"], late.headers["etag"]) == (412, "decided_meanwhile", '"1"')
    assert client.get("/v1/candidates/p1", headers=reviewer).json()["status"] == "accepted"


def test_without_if_match_nothing_is_decided(client: TestClient, listed: Store, reviewer: Headers) -> None:
    missing = client.post("/v1/candidates/p1/decisions", json={"action": "accept"}, headers=reviewer)
    assert (missing.status_code, missing.json()["code"]) == (428, "precondition_required")
    for other in ("*", '"zero"', "0"):
        sent = {**reviewer, "If-Match": other}
        assert client.post("/v1/candidates/p1/decisions", json={"action": "accept"}, headers=sent).status_code == 412
    assert client.get("/v1/candidates/p1", headers=reviewer).json()["revision"] == 0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"action": "reject"}, "`reject` needs `reason`"),
        ({"action": "automated"}, "`automated` needs `reference`"),
        ({"action": "accept", "title": "x"}, "`accept` takes no `title`"),
        ({"action": "reject", "reason": "x", "until": "2020-13-01"}, "expected a day like"),
        ({"action": "note", "reason": " "}, "at least 1 character"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_decision_that_makes_no_sense_is_refused(
    client: TestClient, listed: Store, reviewer: Headers, body: dict[str, Any], message: str
) -> None:
    refused = decide(client, reviewer, body)
    assert refused.status_code == 422
    assert message in refused.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"action": "merge", "into": "p1"}, "a pattern can't be merged into itself"),
        ({"action": "merge", "into": "gone"}, "there is no pattern with this id"),
        ({"action": "split", "reason": "two", "apart": ["made up"]}, "each must be one of the pattern's examples"),
        ({"action": "reject", "reason": "x", "until": "2020-01-01"}, "this day is over"),
        ({"action": "undo"}, "there is nothing to undo"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_decision_that_cannot_be_taken_as_things_stand_is_refused(
    client: TestClient, listed: Store, reviewer: Headers, body: dict[str, Any], message: str
) -> None:
    refused = decide(client, reviewer, body)
    assert (refused.status_code, refused.json()["code"]) == (409, "decision_refused")
    assert message in refused.json()["errors"][0]["message"]


def test_the_figures_that_somebody_read_stay_beside_the_decision(
    client: TestClient, listed: Store, reviewer: Headers
) -> None:
    read = client.get("/v1/candidates/p1", headers=reviewer).json()
    put_list(listed, "p1", week="2026-W47", hours={"p10": 0.0, "p50": 1.0, "p90": 2.0})

    seen = {name: read[name] for name in ("week", "figures_digest")}
    done = decide(client, reviewer, {"action": "accept", **seen})

    assert done.status_code == 201
    assert done.json()["standing"]["frozen"]["week"] == WEEK
    assert done.json()["standing"]["frozen"]["hours"]["p50"] == 6.5
    assert done.json()["decisions"][0]["details"].keys() == {"frozen"}


def test_a_list_that_was_mined_again_after_it_was_read_is_not_decided_on(
    client: TestClient, listed: Store, reviewer: Headers
) -> None:
    read = client.get("/v1/candidates/p1", headers=reviewer).json()
    seen = {name: read[name] for name in ("week", "figures_digest")}
    put_list(listed, hours={"p10": 0.0, "p50": 1.0, "p90": 2.0})

    late = decide(client, reviewer, {"action": "accept", **seen})
    gone = decide(client, reviewer, {"action": "accept", "week": "2026-W40"})

    assert [(one.status_code, one.json()["code"]) for one in (late, gone)] == [(412, "listed_anew")] * 2
    assert client.get("/v1/candidates/p1", headers=reviewer).json()["status"] == "new"
    assert decide(client, reviewer, {"action": "assign", "owner": "Mia", **seen}).status_code == 201


def test_a_decision_reads_nothing_of_other_patterns_while_the_store_is_locked(
    client: TestClient, listed: Store, reviewer: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[str] = []
    depth = 0
    begin = Store.begin

    @contextmanager
    def watched(self: Store) -> Iterator[Connection]:
        nonlocal depth
        with begin(self) as connection:
            depth += 1
            try:
                yield connection
            finally:
                depth -= 1

    def noted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            inside.extend([name] * bool(depth))
            return real(*args, **named)

        return call

    monkeypatch.setattr(Store, "begin", watched)
    for name in ("all_records", "standings", "lineage_of", "evidence_of"):
        monkeypatch.setattr(f"triage_ml.review.weeks.{name}", noted(name, getattr(stored, name)))

    done = decide(client, reviewer, {"action": "automated", "reference": "RB-1"})

    assert done.status_code == 201
    assert inside == []


def test_a_decision_counts_on_the_day_that_it_is_where_the_desk_is(
    client: TestClient, listed: Store, reviewer: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Calendar, "today", lambda *_: date(2031, 5, 6))

    standing = decide(client, reviewer, {"action": "automated", "reference": "RB-1"}).json()["standing"]

    assert standing["since"] == "2031-05-06"
    over = decide(client, reviewer, {"action": "reject", "reason": "x", "until": "2031-05-05"}, 1)
    assert over.json()["errors"][0]["message"] == "this day is over"


def test_undo_is_a_decision(client: TestClient, listed: Store, reviewer: Headers) -> None:
    decide(client, reviewer, {"action": "accept"})
    undone = decide(client, reviewer, {"action": "undo"}, 1).json()
    assert (undone["status"], undone["revision"]) == ("new", 2)
    assert [one["action"] for one in undone["decisions"]] == ["accept", "undo"]


def test_the_same_request_twice_is_one_decision(client: TestClient, listed: Store, reviewer: Headers) -> None:
    once = {"Idempotency-Key": "k-1"}
    first, second = (decide(client, reviewer, {"action": "accept"}, **once) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert decide(client, reviewer, {"action": "undo"}, 1, **once).status_code == 409


def test_a_refused_decision_does_not_use_up_its_idempotency_key(
    client: TestClient, listed: Store, reviewer: Headers
) -> None:
    once = {"Idempotency-Key": "k-2"}
    assert decide(client, reviewer, {"action": "accept"}, 7, **once).status_code == 412
    assert decide(client, reviewer, {"action": "accept"}, 0, **once).status_code == 201


@pytest.mark.parametrize("path", ["/v1/candidates", "/v1/candidates/p1"])
def test_a_key_for_scoring_may_not_review(client: TestClient, listed: Store, path: str) -> None:
    assert client.get(path).status_code == 403
    assert client.get(path, headers={"Authorization": "Bearer no"}).status_code == 401


def test_what_is_not_there_is_not_found(client: TestClient, store: Store, reviewer: Headers) -> None:
    assert client.get("/v1/candidates", headers=reviewer).json()["code"] == "not_mined"
    put_list(store)
    for path in ("/v1/candidates?week=2025-W01", "/v1/candidates/nobody"):
        assert client.get(path, headers=reviewer).status_code == 404


def test_a_store_that_goes_away_in_the_middle_is_told_and_nothing_is_lost(
    client: TestClient, listed: Store, reviewer: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise StoreError("the disk is gone")

    decide(client, reviewer, {"action": "accept"})
    with monkeypatch.context() as broken:
        broken.setattr("triage_serving.deciding.add_decision", fail)
        away = decide(client, reviewer, {"action": "undo"}, 1)
    assert (away.status_code, away.json()["code"]) == (503, "store_unavailable")
    assert client.get("/v1/candidates/p1", headers=reviewer).json()["status"] == "accepted"
    assert decide(client, reviewer, {"action": "undo"}, 1).status_code == 201
