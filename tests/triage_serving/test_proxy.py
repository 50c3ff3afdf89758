"""A reverse proxy's word for who somebody is: taken from named addresses, and from nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from asking import TICKET, wait_until
from fakes import FakeLoader, FakeRegistry
from fastapi.testclient import TestClient
from listed import put_list

from triage_ml.errors import SettingsError
from triage_ml.settings import Settings, load_settings
from triage_ml.store import Store
from triage_serving.app import create_app
from triage_serving.proxy import ProxyTrust

PROXY, STRANGER = "10.1.0.7", "10.2.0.7"
ANA = {"X-Forwarded-User": "ana@example.org"}

From = Callable[[str], TestClient]


@pytest.fixture
def coming_from(settings: Settings, store: Store, registry: FakeRegistry, loader: FakeLoader) -> Iterator[From]:
    """A client of a service that believes 10.1.0.0/16, with an address of its own."""
    serving = settings.serving.model_copy(update={"proxy_addresses": ("10.1.0.0/16",)})
    app = create_app(
        settings.model_copy(update={"serving": serving}), store=store, registry=registry, load_answerer=loader
    )
    with TestClient(app) as running:
        wait_until(lambda: running.get("/readyz").status_code == 200)
        yield lambda address: TestClient(app, client=(address, 50_000), follow_redirects=False)


def test_a_person_whom_the_proxy_names_may_review(coming_from: From, store: Store) -> None:
    put_list(store)
    assert coming_from(PROXY).get("/v1/candidates", headers=ANA).status_code == 200
    assert coming_from(PROXY).get("/review", headers=ANA).status_code == 200


def test_a_person_may_not_do_what_the_scope_does_not_hold(coming_from: From) -> None:
    response = coming_from(PROXY).post("/v1/score", json=TICKET, headers=ANA)
    assert (response.status_code, response.json()["code"]) == (403, "wrong_scope")


def test_the_header_of_anybody_else_is_nothing(coming_from: From) -> None:
    assert coming_from(STRANGER).get("/v1/candidates", headers=ANA).status_code == 401
    forged = ANA | {"X-Forwarded-For": PROXY, "Forwarded": f"for={PROXY}"}
    assert coming_from(STRANGER).get("/v1/candidates", headers=forged).status_code == 401
    assert coming_from(STRANGER).get("/review", headers=ANA).status_code == 303


def test_without_the_setting_no_header_is_believed(client: TestClient) -> None:
    headers = ANA | {"Authorization": ""}
    assert client.get("/v1/candidates", headers=headers).status_code == 401


def test_a_key_counts_more_than_the_header(coming_from: From, new_key: Callable[..., dict[str, str]]) -> None:
    assert coming_from(PROXY).get("/v1/model", headers=ANA).status_code == 403
    assert coming_from(PROXY).get("/v1/model", headers=ANA | new_key("score")).status_code == 200
    wrong = ANA | {"Authorization": "Bearer triage_nobody_nothing"}
    assert coming_from(PROXY).get("/v1/candidates", headers=wrong).status_code == 401


def test_a_decision_is_signed_with_the_persons_name_and_the_form_is_tied_to_the_browser(
    coming_from: From, store: Store
) -> None:
    put_list(store)
    browser = coming_from(PROXY)
    page = browser.get("/review/candidates/p1", headers=ANA)
    assert "triage_session" in page.headers["set-cookie"]
    fields = dict(re.findall(r'name="(token|revision|action)" value="([^"]*)"', page.text)) | {"action": "accept"}
    other = coming_from(PROXY)
    assert other.post("/review/candidates/p1", data=fields, headers=ANA).status_code == 403
    assert browser.post("/review/candidates/p1", data=fields, headers=ANA).status_code == 303
    (decision,) = browser.get("/v1/candidates/p1", headers=ANA).json()["decisions"]
    assert decision["decided_by"] == "ana@example.org"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [b""],
        [b"   "],
        [b"ana", b"eve"],
        [b"a" * 101],
        [b"ana\x00"],
        [b"\xff\xfe"],
    ],
    ids=["none", "empty", "blank", "twice", "long", "not printable", "not UTF-8"],
)
def test_a_header_that_is_no_name_names_nobody(headers: list[bytes]) -> None:
    trust = ProxyTrust([PROXY])
    assert trust.person(PROXY, [(b"x-forwarded-user", value) for value in headers]) is None


@pytest.mark.parametrize("peer", [PROXY, f"::ffff:{PROXY}"])
def test_an_address_may_come_as_ipv6(peer: str) -> None:
    person = ProxyTrust([PROXY]).person(peer, [(b"x-forwarded-user", "Zoë".encode())])
    assert person is not None
    assert (person.name, person.scope) == ("Zoë", "review")
    assert not person.matches("")


@pytest.mark.parametrize("peer", [None, "testclient", "", STRANGER])
def test_a_socket_without_a_known_address_is_a_strangers(peer: str | None) -> None:
    assert ProxyTrust([PROXY]).person(peer, [(b"x-forwarded-user", b"ana")]) is None


def test_a_wrong_address_in_the_settings_is_refused(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_SERVING__PROXY_ADDRESSES", '["10.1.0.0/99"]')
    with pytest.raises(SettingsError, match=r"'10\.1\.0\.0/99' is no address or network"):
        load_settings()
