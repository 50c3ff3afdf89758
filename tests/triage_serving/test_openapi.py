"""The OpenAPI document: version, keys, and an example for everything that comes and goes, each of them valid."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema_rs import Draft202012Validator


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    return client.get("/openapi.json").json()


def contents(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where JSON under /v1 comes or goes, and its schema."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if not path.startswith("/v1/"):
                continue
            parts = {"body": operation.get("requestBody", {})} | operation["responses"]
            for name, part in parts.items():
                for content in part.get("content", {}).values():
                    yield f"{method} {path} {name}", content["schema"]


def test_everything_has_a_valid_example(document: dict[str, Any]) -> None:
    seen = 0
    for place, reference in contents(document):
        schema = document["components"]["schemas"][reference["$ref"].rpartition("/")[2]]
        assert schema.get("examples"), place
        validator = Draft202012Validator({**schema, "components": document["components"]})
        for example in schema["examples"]:
            assert [error.message for error in validator.iter_errors(example)] == [], place
            seen += 1
    assert seen > 20


def test_no_pattern_looks_around_which_re2_can_not_compile(client: TestClient) -> None:
    text = client.get("/openapi.json").text
    assert text.count('"pattern":') > 2
    assert not re.search(r'"pattern":"[^"]*\(\?<?[=!]', text)


def test_it_is_openapi_3_1_and_every_address_under_v1_asks_for_a_key(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert bool(operation.get("security")) == path.startswith("/v1/"), path


@pytest.mark.parametrize("path", ["/v1/score", "/v1/score/batch", "/v1/outcomes"])
def test_examples_are_answered(client: TestClient, document: dict[str, Any], path: str) -> None:
    reference = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    for example in document["components"]["schemas"][reference.rpartition("/")[2]]["examples"]:
        assert client.post(path, json=example).status_code == 200


def test_the_page_for_people_names_every_route_and_loads_nothing_from_elsewhere(
    client: TestClient, document: dict[str, Any]
) -> None:
    page = client.get("/docs", headers={"Authorization": ""})
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    for path in document["paths"]:
        assert path in page.text
    addresses = re.findall(r'(?:src|href)="([^"#]+)"', page.text)
    assert [address for address in addresses if not address.startswith("/")] == []
    for address in set(addresses):
        assert client.get(address).status_code == 200
    assert "<script" not in page.text


def test_the_page_for_people_shows_scopes_fields_and_examples(client: TestClient) -> None:
    page = html.unescape(client.get("/docs").text)
    for scope in ("review", "score"):
        assert f"An API key with scope `{scope}` (or `admin`)." in page
    assert '"ticket_id": "INC0012345"' in page
    assert "Without it: the last prediction before `resolved_at`." in page
