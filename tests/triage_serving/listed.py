"""A mined week in a store, as `triage mine` leaves it."""

from __future__ import annotations

from typing import Any

from triage_ml.store import PatternRecord, Store, WeekList, put_patterns, put_week

WEEK = "2026-W46"


def figures(pattern_id: str, **changes: Any) -> dict[str, Any]:
    """Figures of a candidate."""
    return {
        "pattern_id": pattern_id,
        "volume": 40,
        "weekly": [30, 34, 38, 40],
        "trend": {"direction": "growing", "ratio": 1.4, "low": 1.1, "high": 1.7, "is_burst": False},
        "hours": {"p10": 4.0, "p50": 6.5, "p90": 9.0},
        "work": {"p10": 8.0, "p50": 10.5, "p90": 13.0},
        "savings": {
            "covered": 0.73,
            "success": 0.88,
            "left_minutes": 0.0,
            "certainty": 0.9,
            "build_hours": 40.0,
            "weeks_to_pay_back": 6.2,
        },
        "touch_time": {"minutes": 9.8, "source": "logged", "tickets": 120},
        "automatability": 0.71,
        "parts": {"same_resolution": 0.8, "few_groups": 0.9},
        "kind": "self_service_form",
        "runner_up": "chatbot_answer",
        "why": "82% are requests: a form can ask for what is needed.",
        "tiers": {"L1": 0.9, "L2": 0.1},
        "groups": {"Service Desk North": 1.0},
        "handoffs": 0.2,
        "resolutions": [{"text": "Reset the password in AD.", "share": 0.75}],
        "move_down": {"to": "L1", "tickets": 12, "groups": {"Identity Operations": 12}, "hours": 4.5},
        "knowledge": {"state": "covered", "article": "KB0010023", "cited": 0.4, "others": 0.1},
    } | changes


def put_list(store: Store, *ids: str, week: str = WEEK, **changes: Any) -> None:
    """List patterns with these ids; their title is `Pattern <id>`."""
    ids = ids or ("p1", "p2")
    with store.begin() as connection:
        put_patterns(
            connection,
            [
                PatternRecord(one, f"Pattern {one}", ["password", "reset"], [f"I forgot my password {one}"], week)
                for one in ids
            ],
        )
        put_week(connection, WeekList(week, 1000, 0.9, [figures(one, **changes) for one in ids]))
