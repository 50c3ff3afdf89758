"""Every route × every scope × no, wrong, expired and revoked key: as the table in docs/service.md says."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from listed import put_list

from triage_ml.store import SCOPES, Store, revoke_key, split_key

PAGE = (Path(__file__).parents[2] / "docs" / "service.md").read_text(encoding="utf-8")
TABLE = re.search(r"<!-- routes -->\n(.*?)<!-- /routes -->", PAGE, re.DOTALL)[1]  # type: ignore[index]
ROWS = re.findall(r"^\| (GET|POST) `([^`]+)` \| (\w+) \| (.+) \|$", TABLE, re.MULTILINE)
BODIES: dict[str, Any] = {
    "/v1/score": {"ticket_id": "A", "title": "VPN down"},
    "/v1/score/batch": {"tickets": [{"ticket_id": "A", "title": "VPN down"}]},
    "/v1/outcomes": {"ticket_id": "A", "labels": {"tier": "L1"}, "source": "automation"},
    "/v1/similar": {"ticket_id": "A", "title": "VPN down"},
    "/v1/candidates/{pattern_id}/decisions": {"action": "note", "reason": "seen"},
}

Headers = dict[str, str]


def ask(client: TestClient, method: str, path: str, headers: Headers) -> Any:
    real = path.replace("{ticket_id}", "A").replace("{pattern_id}", "p1")
    more = {"If-Match": '"0"'} if path.endswith("/decisions") else {}
    return client.request(method, real, headers={"Authorization": "", **more, **headers}, json=BODIES.get(path))


def test_the_table_names_every_route(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    there = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    assert {(method, path) for method, path, _, _ in ROWS} == there


@pytest.mark.parametrize(("method", "path", "needs", "good"), ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
def test_a_route_opens_to_whom_the_table_says(
    client: TestClient,
    store: Store,
    new_key: Callable[..., Headers],
    method: str,
    path: str,
    needs: str,
    good: str,
) -> None:
    put_list(store)
    statuses = {int(status) for status in re.findall(r"\b\d{3}\b", good)}
    for scope in SCOPES:
        answer = ask(client, method, path, new_key(scope))
        if needs in ("none", scope) or scope == "admin":
            assert answer.status_code in statuses, (scope, answer.text)
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "wrong_scope"), scope
    for name, headers in bad_keys(store, new_key, needs).items():
        answer = ask(client, method, path, headers)
        if needs == "none":
            assert answer.status_code in statuses, name
        else:
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthorised"), name


def bad_keys(store: Store, new_key: Callable[..., Headers], needs: str) -> dict[str, Headers]:
    scope = "score" if needs == "none" else needs
    expired = new_key(scope, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    revoked, right = new_key(scope), new_key(scope)
    parts = split_key(revoked["Authorization"].removeprefix("Bearer "))
    assert parts is not None
    with store.begin() as connection:
        revoke_key(connection, parts[0], now=datetime.now(UTC))
    return {
        "none": {},
        "wrong": {"Authorization": right["Authorization"][:-1] + "x"},
        "nonsense": {"Authorization": "Bearer nonsense"},
        "expired": expired,
        "revoked": revoked,
    }


def test_every_problem_code_of_the_code_stands_in_the_docs() -> None:
    serving = Path(__file__).parents[2] / "serving" / "triage_serving"
    sources = "".join(file.read_text(encoding="utf-8") for file in serving.glob("*.py"))
    codes = set(re.findall(r'Problem\(\s*(?:4|5)\d\d,\s*"([a-z_]+)"', sources))
    plain = {"invalid_json", "idempotency_conflict", "internal_error", "not_found"}  # said in the words of the answer
    assert codes - plain - set(re.findall(r"`([a-z_]+)`", PAGE)) == set()
