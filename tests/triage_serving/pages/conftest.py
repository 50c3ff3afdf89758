"""A browser without script: keeps cookies, follows links, fills in the forms that the pages really have."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi.testclient import TestClient
from listed import put_list

from triage_ml.store import Store

__all__ = ["Page", "Person"]


class Page(HTMLParser):
    """Text, tags and forms of a page; `forms` maps the value of a form's `action` field (or its address) to its fields."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.forms: dict[str, dict[str, str]] = {}
        self.text = ""
        self._form: dict[str, str] | None = None
        self._to = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag == "form":
            self._form, self._to = {}, given.get("action", "")
        elif self._form is not None and "name" in given:
            self._form[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form" and self._form is not None:
            self.forms[self._form.get("action", self._to)] = self._form
            self._form = None

    def handle_data(self, data: str) -> None:
        self.text += data


class Person:
    """Somebody with a browser of their own."""

    def __init__(self, app: Any, key: str) -> None:
        self.client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
        self.key = key

    def sign_in(self) -> Any:
        return self.client.post("/review/sign-in", data={"key": self.key, "next": "/review"})

    def read(self, address: str) -> Page:
        answer = self.client.get(address)
        assert answer.status_code == 200, answer.text
        return Page(answer.text)

    def decide(self, page: Page, action: str, pattern_id: str = "p1", **fields: str) -> Any:
        return self.client.post(f"/review/candidates/{pattern_id}", data={**page.forms[action], **fields})


@pytest.fixture
def person(client: TestClient, new_key: Callable[..., dict[str, str]]) -> Callable[..., Person]:
    """Makes people who are signed in, with a key of a scope."""

    def make(scope: str = "review", *, name: str = "ana", signed_in: bool = True) -> Person:
        key = new_key(scope, name=name)["Authorization"].removeprefix("Bearer ")
        someone = Person(client.app, key)
        if signed_in:
            assert someone.sign_in().status_code == 303
        return someone

    return make


@pytest.fixture
def listed(store: Store) -> Store:
    put_list(store)
    return store
