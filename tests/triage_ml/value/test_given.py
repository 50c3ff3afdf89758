"""What the desk states of itself: minutes by tier, articles, costs; and what must not be automated lightly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from triage_ml.errors import SettingsError
from triage_ml.settings import Value
from triage_ml.taxonomy import Taxonomy, Tier
from triage_ml.value import Evidence, Given, automatability, cue_shares, list_candidates, touch_time

WEEKS = ["2026-W01", "2026-W02", "2026-W03", "2026-W04"]


def facts(**changes: Any) -> list[dict[str, Any]]:
    row = {
        "pattern_id": "p", "similarity": 0.8, "tier": "L1", "category": "Access", "assignment_group": "Desk",
        "ticket_type": "request", "channel": "portal", "effort_minutes": 30.0, "handoffs": 0.0, "reopens": 0.0,
        "priority": "P3", "activity": "adaptive", "article": "KB0000001",
    }  # fmt: skip
    return [{**row, **changes, "week": week, "ticket_id": f"{week}-{n}"} for week in WEEKS for n in range(20)]


def listed(rows: list[dict[str, Any]], taxonomy: Taxonomy | None = None, **given: Any) -> Any:
    notes = {"p": ["Granted access via portal."] * 20}
    (one,) = list_candidates(rows, WEEKS, taxonomy or Taxonomy(), min_tickets=10, notes=notes, given=Given(**given))
    return one


def test_stated_minutes_are_taken_where_nothing_is_logged_and_said_to_be() -> None:
    none = listed(facts(effort_minutes=None), minutes_of_tier={"L1": 12.0, "L2": 40.0})
    logged = listed(facts(), minutes_of_tier={"L1": 12.0})

    assert (none.touch.minutes, none.touch.source) == (12.0, "proxy")
    assert none.savings.hours.p50 > 0
    assert (round(logged.touch.minutes), logged.touch.source) == (30, "logged")


def test_a_proxy_for_nothing_is_none() -> None:
    empty = np.zeros(0)
    assert touch_time(empty, empty, empty, 0.0).source == "unknown"
    assert Given({"L2": 5.0}).minutes(facts()[:1]) is None


def test_an_article_that_does_not_exist_is_doubtful() -> None:
    assert listed(facts()).knowledge.state == "covered"
    assert listed(facts(), articles=frozenset({"KB0000002"})).knowledge.state == "doubtful_article"


def test_money_is_shown_where_every_tier_has_its_cost() -> None:
    priced = Taxonomy(tiers=(Tier("L0", 0), Tier("L1", 1, cost_per_hour=30.0), Tier("L2", 2)), currency="EUR")

    money = listed(facts(), priced).figures()["money"]

    assert money["currency"] == "EUR"
    assert money["a_week"] == pytest.approx(30.0 * listed(facts(), priced).savings.expected, abs=0.51)
    assert listed(facts(tier="L2"), priced).figures()["money"] is None


def test_privileged_work_caps_how_far_it_can_be_automated() -> None:
    notes = ["Granted local admin rights.", "Reset the payroll password.", "Unlocked.", "Unlocked."]
    tame = Evidence(0.9, {"Desk": 1.0}, 0.0, 0.1, 1.0, 0.0, 0.9, 10.0, {"L1": 1.0}, cues=cue_shares(["Unlocked."]))
    risky = Evidence(0.9, {"Desk": 1.0}, 0.0, 0.1, 1.0, 0.0, 0.9, 10.0, {"L1": 1.0}, cues=cue_shares(notes))

    assert "risk_cap" not in automatability(tame)[1]
    assert automatability(risky)[0] == automatability(risky)[1]["risk_cap"] == 0.6


def test_a_list_of_articles_is_read_or_named(tmp_path: Path) -> None:
    (tmp_path / "articles.txt").write_text("kb0000001\n\n KB0000002 \n")

    assert Value(articles=tmp_path / "articles.txt").known_articles() == {"KB0000001", "KB0000002"}
    assert Value().known_articles() is None
    with pytest.raises(SettingsError, match=r"nowhere\.txt: can't be read as a list of articles \(FileNotFoundError\)"):
        Value(articles=tmp_path / "nowhere.txt").known_articles()
