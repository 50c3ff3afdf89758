"""The review in a real browser: with script, without it, on a phone, and by keyboard."""

from __future__ import annotations

from typing import Any

import pytest
from listed import WEEK, figures

from triage_ml.store import PatternRecord, Store, WeekList, put_patterns, put_week

pytestmark = pytest.mark.needs_browser

#: What axe calls serious, asked of the page itself: a field without a name, a button without one, a picture without one.
NAMELESS = """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a, [role=img]')]
  .filter(e => !(e.labels && e.labels.length) && !e.textContent.trim() && !e.getAttribute('aria-label'))
  .map(e => e.outerHTML)"""
#: Contrast of every text against the background that is really behind it (WCAG 2.1, relative luminance).
FAINT = """() => {
  const rgb = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = rgb(c).map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
    if (rgb(c)[3] !== 0) return c; } return 'rgb(255, 255, 255)'; };
  return [...document.querySelectorAll('main *, header *')]
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.offsetParent && !e.closest('svg'))
    .map(e => { const a = light(getComputedStyle(e).color), b = light(behind(e));
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), e.textContent.trim().slice(0, 40)]; })
    .filter(([ratio]) => ratio < 4.5); }"""


def sign_in(page: Any, service: str, key: str) -> None:
    page.goto(f"{service}/review")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{service}/review")


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_week_is_reviewed(browser: Any, service: str, key: str, script: bool) -> None:
    context = browser.new_context(java_script_enabled=script)
    page = context.new_page()
    loud: list[str] = []
    page.on("console", lambda message: loud.append(message.text) if message.type in ("error", "warning") else None)
    page.on("request", lambda request: loud.append(request.url) if not request.url.startswith(service) else None)
    sign_in(page, service, key)

    page.get_by_role("link", name="Pattern p1").click()
    page.get_by_text("Automated", exact=True).click()
    page.get_by_label("What answers it").fill("RB-7")
    page.get_by_role("button", name="Mark as automated").click()
    assert "By RB-7, suggest" in " ".join(page.locator(".lead").inner_text().split())

    page.get_by_role("button", name="Undo the last decision").click()
    assert page.locator(".lead .chip").inner_text() == "New"
    page.get_by_text("Reject", exact=True).first.click()
    page.locator("#reject-reason").fill("The vendor fixes it.")
    page.get_by_role("button", name="Reject", exact=True).click()
    page.goto(f"{service}/review?status=rejected")
    assert page.locator("th.name").all_inner_texts() == ["Pattern p1 new"]
    assert loud == []
    context.close()


def test_two_reviewers_at_once(browser: Any, service: str, key: str) -> None:
    first, second = (browser.new_context().new_page() for _ in range(2))
    for page in (first, second):
        sign_in(page, service, key)
        page.goto(f"{service}/review/candidates/p1")
    first.get_by_role("button", name="Accept").click()
    second.get_by_role("button", name="In progress").click()
    assert "decided on this pattern after you read it" in second.get_by_role("alert").inner_text()
    assert second.locator(".lead .chip").inner_text() == "Accepted"


def test_a_wrong_key_and_an_ended_session(browser: Any, service: str, key: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{service}/review")
    page.get_by_label("API key").fill("triage_aaaaaaaaaaaa_bbbb")
    page.get_by_role("button", name="Sign in").click()
    assert "not valid" in page.get_by_role("alert").inner_text()
    sign_in(page, service, key)
    context.clear_cookies()
    page.goto(f"{service}/review/candidates/p2")
    assert page.get_by_role("heading", level=1).inner_text() == "Sign in"
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Pattern p2"


def test_hostile_text_does_nothing(browser: Any, service: str, key: str, store: Store) -> None:
    evil = "<script>document.title='gone'</script><img src=x onerror=\"document.title='gone'\">"
    with store.begin() as connection:
        put_patterns(connection, [PatternRecord("evil", evil, [evil], [evil], WEEK)])
        put_week(connection, WeekList(WEEK, 9, 1.0, [figures("evil", why=evil)]))
    page = browser.new_context().new_page()
    sign_in(page, service, key)
    for path in ("/review", "/review/candidates/evil"):
        page.goto(service + path)
        page.wait_for_timeout(100)
        assert page.title() != "gone"


def test_by_keyboard(browser: Any, service: str, key: str) -> None:
    page = browser.new_context().new_page()
    sign_in(page, service, key)
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") == "Pattern p2"
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url("**/candidates/p1**")
    page.goto(f"{service}/review")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "f-text"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_field_has_a_name_and_every_text_can_be_read(
    browser: Any, service: str, key: str, scheme: str, width: int
) -> None:
    page = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800}).new_page()
    sign_in(page, service, key)
    for path in ("/review", "/review/candidates/p1", "/review/patterns", "/review/routing", "/review/service-levels"):
        page.goto(service + path)
        assert page.evaluate(NAMELESS) == [], path
        assert page.evaluate(FAINT) == [], path
        assert page.locator("h1").count() == 1
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than the screen"
