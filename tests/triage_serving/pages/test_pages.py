from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from listed import WEEK, figures, put_list

from triage_ml.errors import StoreError
from triage_ml.patterns import Said, grow, text_key
from triage_ml.store import PatternRecord, Store, WeekList, put_patterns, put_week, standings
from triage_serving.automations import Automations

Make = Callable[..., Any]
EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> =cmd|' /C calc'!A0 javascript:alert(3) https://evil.example"
)


def status_of(store: Store, pattern_id: str = "p1") -> str:
    with store.read() as connection:
        found = standings(connection, today=datetime.now(UTC).date())
    return found[pattern_id].status if pattern_id in found else "new"


def test_the_whole_review_of_a_week(person: Make, listed: Store) -> None:
    ana = person()
    assert "Pattern p1" in ana.read("/review").text
    page = ana.read("/review/candidates/p1")
    assert "6.5 hours to save a week" in " ".join(page.text.split())

    done = ana.decide(page, "automated", reference="RB-7", mode="auto")
    assert (done.status_code, done.headers["location"]) == (303, "/review/candidates/p1#decisions")
    page = ana.read("/review/candidates/p1")
    assert "By RB-7, auto" in " ".join(page.text.split())
    assert "promised then: 6.5 hours a week" in " ".join(page.text.split())

    ana.decide(page, "assign", owner="Mia", consulted="Jo\nKim\n")
    assert "Accountable: Mia." in ana.read("/review/candidates/p1").text
    ana.decide(ana.read("/review/candidates/p1"), "undo")
    ana.decide(ana.read("/review/candidates/p1"), "undo")
    assert status_of(listed) == "new"
    ana.decide(ana.read("/review/candidates/p1"), "reject", reason="not now", until="2099-01-01")
    assert "Rejected" in ana.read("/review?status=rejected").text
    assert "Pattern p1" not in ana.read("/review?status=new").text


def test_the_second_of_two_people_is_told_and_keeps_what_they_typed(person: Make, listed: Store) -> None:
    ana, bo = person(name="ana"), person(name="bo")
    both = ana.read("/review/candidates/p1"), bo.read("/review/candidates/p1")
    assert ana.decide(both[0], "accept").status_code == 303

    late = bo.decide(both[1], "reject", reason="we had that last year")

    assert late.status_code == 412
    assert "ana decided on this pattern after you read it" in late.text
    assert "we had that last year" in late.text
    assert status_of(listed) == "accepted"


def test_a_decision_that_makes_no_sense_says_why(person: Make, listed: Store) -> None:
    ana = person()
    refused = ana.decide(ana.read("/review/candidates/p1"), "reject")
    assert refused.status_code == 422
    assert "reject needs reason" in refused.text


@pytest.mark.parametrize("path", ["/review", "/review/candidates/p1", "/review/patterns", "/review/keys"])
def test_nobody_sees_a_page_before_signing_in(person: Make, listed: Store, path: str) -> None:
    answer = person(signed_in=False).client.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/review/sign-in?next={path}")
    assert "Pattern" not in answer.text


@pytest.mark.parametrize(("key", "status"), [("nonsense", 401), ("triage_aaaaaaaaaaaa_bb", 401), ("", 401)])
def test_a_wrong_key_starts_no_session(person: Make, key: str, status: int) -> None:
    ana = person(signed_in=False)
    ana.key = key
    answer = ana.sign_in()
    assert (answer.status_code, "set-cookie" in answer.headers) == (status, False)
    assert 'role="alert"' in answer.text


def test_a_key_for_scoring_may_not_sign_in_and_a_reviewer_not_make_keys(person: Make) -> None:
    assert person("score", signed_in=False).sign_in().status_code == 403
    assert person("review").client.get("/review/keys").status_code == 403
    assert person("admin").client.get("/review/keys").status_code == 200


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(person: Make) -> None:
    cookie = person(signed_in=False).sign_in().headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age=43200" in cookie
    assert "Secure" not in cookie
    ana = person(signed_in=False)
    ana.client.headers["x-forwarded-proto"] = "https"
    assert "Secure" in ana.sign_in().headers["set-cookie"]


def test_a_session_ends_by_time_by_signing_out_and_with_its_key(person: Make, store: Store, listed: Store) -> None:
    ana, bo, kim = (person(name=name) for name in ("ana", "bo", "kim"))
    bo.client.post("/review/sign-out", data=bo.read("/review").forms["/review/sign-out"])
    assert bo.client.get("/review").status_code == 303
    admin = person("admin")
    page = admin.read("/review/keys")
    kim_id = kim.key.split("_")[1]
    admin.client.post(f"/review/keys/{kim_id}/revoke", data=page.forms[f"/review/keys/{kim_id}/revoke"])
    assert kim.client.get("/review").status_code == 303
    assert ana.client.get("/review").status_code == 200
    with store.begin() as connection:
        past = datetime.now(UTC) - timedelta(seconds=1)
        connection.execute(sa.text("UPDATE sessions SET expires_at = :past"), {"past": past.replace(tzinfo=None)})
    assert ana.client.get("/review").status_code == 303


@pytest.mark.parametrize(
    ("token", "origin"), [("", None), ("ab.cd", None), ("é.ü", None), (None, "https://evil.example")],
    ids=["none", "made up", "odd", "other site"],
)  # fmt: skip
def test_a_form_from_elsewhere_decides_nothing(
    person: Make, listed: Store, token: str | None, origin: str | None
) -> None:
    ana = person()
    form = ana.read("/review/candidates/p1").forms["accept"]
    if token is not None:
        form["token"] = token
    answer = ana.client.post("/review/candidates/p1", data=form, headers={"origin": origin} if origin else {})
    assert answer.status_code == 403
    assert status_of(listed) == "new"


def test_the_form_of_one_session_is_no_good_in_another(person: Make, listed: Store) -> None:
    ana, bo = person(name="ana"), person(name="bo")
    assert bo.decide(ana.read("/review/candidates/p1"), "accept").status_code == 403


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "/v1/model", "/reviewx"]
)
def test_signing_in_leads_nowhere_else(person: Make, target: str) -> None:
    ana = person(signed_in=False)
    answer = ana.client.post("/review/sign-in", data={"key": ana.key, "next": target})
    assert answer.headers["location"] == "/review"


def test_a_key_is_shown_once(person: Make) -> None:
    admin = person("admin")
    form = admin.read("/review/keys").forms["/review/keys"]
    made = admin.client.post("/review/keys", data={**form, "name": "robot", "scope": "score", "days": "30"}).text
    assert made.count("triage_") == 1
    assert "triage_" not in admin.read("/review/keys").text


def test_ticket_text_stays_text(person: Make, store: Store) -> None:
    with store.begin() as connection:
        put_patterns(connection, [PatternRecord("p1", EVIL[:200], [EVIL], [EVIL], WEEK)])
        one = figures("p1", resolutions=[{"text": EVIL, "share": 1.0}], groups={EVIL: 1.0}, tiers={EVIL: 1.0})
        put_week(connection, WeekList(WEEK, 10, 1.0, [one]))
    ana = person()
    for path in ("/review", "/review/candidates/p1", "/review/patterns"):
        page = ana.read(path)
        assert [given for tag, given in page.tags if tag == "script"] == [
            {"src": "/review/static/review.js", "defer": ""}
        ]
        assert not [given for tag, given in page.tags if tag == "img" or "onerror" in given or "style" in given]
        addresses = [
            given.get("href", given.get("src", "/")) for tag, given in page.tags if tag in {"a", "link", "script"}
        ]
        assert all(address.startswith(("/review", "?", "#")) for address in addresses)
        assert "<script>alert(1)</script>" in page.text


def test_every_page_forbids_what_is_not_ours(person: Make, listed: Store) -> None:
    answer = person().client.get("/review")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["x-frame-options"] == "DENY"


def test_words_status_and_order_come_from_the_address(person: Make, store: Store) -> None:
    put_list(store, "a1", "b2", "c3")
    ana = person()
    assert "Pattern b2" in ana.read("/review?text=B2+pattern").text
    assert "Pattern a1" not in ana.read("/review?text=b2").text
    backwards = ana.read("/review?sort=title").text
    assert backwards.index("Pattern a1") < backwards.index("Pattern b2") < backwards.index("Pattern c3")
    for odd in ("sort=;drop", "page=-1", "page=99999999", "show=%00", "page=²"):
        assert ana.client.get(f"/review?{odd}").status_code == 200


def test_500_candidates_are_quick_and_small(person: Make, store: Store) -> None:
    put_list(store, *(f"p{number:04d}" for number in range(500)), weekly=list(range(16)))
    ana = person()
    ana.client.get("/review")
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        answer = ana.client.get("/review", headers={"accept-encoding": "gzip"})
        seconds.append(time.perf_counter() - started)
    assert answer.text.count('<th scope="row"') == 500
    assert int(answer.headers["content-length"]) < 300_000
    assert len(gzip.compress(answer.content)) < 300_000
    assert min(seconds) < 0.5, "500 rows took too long, even for a busy machine"


def test_5000_candidates_come_in_pages(person: Make, store: Store) -> None:
    put_list(store, *(f"p{number:04d}" for number in range(5000)))
    ana = person()
    assert ana.read("/review?page=10").html.count('<th scope="row"') == 500
    assert "No pattern is like that" in ana.read("/review?page=11").text


@pytest.mark.parametrize(
    ("path", "status"),
    [("/review/weeks/2020-W01", 404), ("/review/candidates/nobody", 404), ("/review/static/../app.py", 404)],
)
def test_what_is_not_there_is_a_page_too(person: Make, listed: Store, path: str, status: int) -> None:
    answer = person().client.get(path)
    assert (answer.status_code, "text/html" in answer.headers["content-type"]) == (status, "static" not in path)


def test_without_any_week_the_page_says_what_to_do(person: Make) -> None:
    assert "triage mine" in person().read("/review").text


def test_service_levels_patterns_and_routing_are_there_from_the_start(person: Make, listed: Store) -> None:
    ana = person()
    assert "No week has been mined yet" in ana.read("/review/service-levels").text
    assert "Pattern p2" in ana.read("/review/patterns").text
    assert "No ticket that was answered here has been closed yet" in ana.read("/review/routing").text


def test_a_store_that_goes_away_is_told_and_nothing_is_lost(
    person: Make, listed: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = person()
    page = ana.read("/review/candidates/p1")

    def fail(*_: object) -> bool:
        raise StoreError("the disk is gone")

    with monkeypatch.context() as broken:
        broken.setattr("triage_serving.deciding.add_decision", fail)
        away = ana.decide(page, "accept")
    assert away.status_code == 503
    assert "nothing was acknowledged" in away.text
    assert ana.decide(page, "accept").status_code == 303


def test_the_root_leads_to_the_review(client: TestClient) -> None:
    assert client.get("/", follow_redirects=False).headers["location"] == "/review"


@pytest.mark.parametrize(
    ("site", "status"), [("same-origin", 303), ("none", 303), ("same-site", 403), ("cross-site", 403)]
)
def test_a_browser_says_where_a_form_comes_from(person: Make, listed: Store, site: str, status: int) -> None:
    ana = person()
    form = ana.read("/review/candidates/p1").forms["accept"]
    sent = {"origin": "null", "sec-fetch-site": site}
    assert ana.client.post("/review/candidates/p1", data=form, headers=sent).status_code == status


def test_the_patterns_page_has_the_map_of_the_latest_list(
    person: Make, listed: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"{word} {what} {number}" for word, what in (("vpn", "down"), ("printer", "jam")) for number in "abcdefgh"]
    said = sorted((Said(text, text, text, 2) for text in texts), key=lambda one: text_key(one.text))
    book = grow(None, said, week="2026-W46", min_tickets=4).book
    known = [replace(one, pattern_id=key) for one, key in zip(book.patterns, ("p1", "p7"), strict=True)]
    monkeypatch.setattr(Automations, "book", replace(book, patterns=tuple(known)))

    page = person().read("/review/patterns")

    assert [given["data-pattern"] for tag, given in page.tags if tag == "circle"] == ["p1"]
    assert "Pattern p1: 40 tickets, 10.5 hours" in page.text
