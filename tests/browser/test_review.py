"""The review in a real browser: with script, without it, on a phone, and by keyboard."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from listed import WEEK, figures, put_list

from triage_ml.store import (
    FACT_COLUMNS,
    LineageEvent,
    PatternDecision,
    PatternRecord,
    Store,
    WeekList,
    add_decision,
    add_lineage,
    count_work,
    create_key,
    put_facts,
    put_patterns,
    put_week,
)

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


PAGES = (
    "/review",
    "/review/candidates/p1",
    "/review/candidates/p2",
    "/review/patterns",
    "/review/routing",
    "/review/service-levels",
    "/review/keys",
)


def worked(store: Store) -> None:
    """Work of twelve weeks, an automation in force for four of them, and a pattern with a history."""
    weeks = [f"2026-W{number}" for number in range(35, 47)]
    rows = [
        {**dict.fromkeys(FACT_COLUMNS), "ticket_id": f"{pattern}-{week}-{n}", "week": week, "digest": "d"}
        | {
            "pattern_id": pattern,
            "tier": "L0" if pattern == "p1" and week > "2026-W42" and n < 12 else ("L1", "L2")[n % 2],
        }
        | {"effort_minutes": 30.0, "handoffs": float(n % 3 == 0), "activity": "corrective", "sla_met": n % 5 > 0}
        for pattern in ("p1", "p2")
        for week in weeks
        for n in range(20)
    ]
    details = {
        "reference": "RB-7",
        "mode": "auto",
        "since": "2026-10-19",
        "frozen": {"week": WEEK, "hours": {"p50": 5.0}},
    }
    now = datetime(2026, 10, 19, 9, tzinfo=UTC)
    with store.begin() as connection:
        put_facts(connection, rows)
        count_work(connection)
        add_decision(connection, PatternDecision("p1", 1, "automated", now, "ana", details))
        add_lineage(connection, [LineageEvent("p1", "2026-W40", "split", "p3")], now=now)


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


#: Run in the page by the debugger, so that the pages' own policy, which allows no foreign script, stays as it is.
AXE = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
  .filter(one => ['serious', 'critical'].includes(one.impact))
  .map(one => [one.id, one.nodes.map(node => node.html.slice(0, 120))])"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_serious(
    browser: Any, service: str, key: str, store: Store, axe: str, scheme: str, width: int
) -> None:
    worked(store)
    with store.begin() as connection:
        admin = create_key(connection, "admin", now=datetime.now(UTC), name="root")[0]
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{service}/review/sign-in")
    page.evaluate(axe)
    assert page.evaluate(AXE) == []
    sign_in(page, service, admin)
    for path in PAGES:
        page.goto(service + path)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        page.evaluate(axe)
        assert page.evaluate(AXE) == [], path


def test_what_can_be_taken_away_arrives(browser: Any, service: str, key: str) -> None:
    page = browser.new_context(accept_downloads=True).new_page()
    sign_in(page, service, key)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="XLSX").click()
    assert waiting.value.suggested_filename == f"weekly-list-{WEEK}.xlsx"
    page.goto(f"{service}/review/candidates/p1")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="chatbot answer").click()
    assert waiting.value.suggested_filename == "starter-kit-p1.zip"


def test_on_paper_there_is_the_list_and_nothing_to_click(browser: Any, service: str, key: str) -> None:
    page = browser.new_context().new_page()
    sign_in(page, service, key)
    page.emulate_media(media="print")
    assert page.locator("table.list").is_visible()
    assert not page.locator("form.filters").is_visible()
    assert not page.locator("header.bar").is_visible()


def test_500_rows_filter_without_a_stutter(browser: Any, service: str, key: str, store: Store) -> None:
    put_list(store, *(f"p{number:04d}" for number in range(500)), weekly=list(range(16)))
    page = browser.new_context().new_page()
    sign_in(page, service, key)
    assert page.locator("table.list tbody tr").count() == 500
    held = page.evaluate("""async () => { const times = []; let last = performance.now();
      for (let n = 0; n < 30; n++) { document.dispatchEvent(new KeyboardEvent('keydown', {key: 'j', bubbles: true}));
        await new Promise(requestAnimationFrame); const now = performance.now(); times.push(now - last); last = now; }
      return times.sort((a, b) => a - b)[15]; }""")
    assert held < 250, "moving down the list holds the page up"
