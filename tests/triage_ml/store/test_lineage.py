from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from triage_ml.store import (
    FACT_COLUMNS,
    LineageEvent,
    PatternRecord,
    Proposal,
    Store,
    add_lineage,
    all_patterns,
    count_work,
    evidence_of,
    facts_between,
    lineage_of,
    move_texts,
    pattern_records,
    proposals,
    put_evidence,
    put_facts,
    put_patterns,
    put_proposals,
    update_patterns,
    work_by_week,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
WEEK = "2026-W46"
VPN, WIFI = (PatternRecord(one, one.title(), [], [], WEEK) for one in ("vpn", "wifi"))


def fact(ticket_id: str, pattern_id: str, **values: Any) -> dict[str, Any]:
    row = {**dict.fromkeys(FACT_COLUMNS), "ticket_id": ticket_id, "week": WEEK, "digest": "d"}
    return {**row, "pattern_id": pattern_id, **values}


def test_tickets_of_a_merged_pattern_count_for_the_one_that_goes_on_until_the_merge_is_undone(store: Store) -> None:
    with store.begin() as connection:
        put_patterns(connection, [VPN, WIFI])
        put_facts(connection, [fact("T1", "vpn"), fact("T2", "wifi")])
        count_work(connection)
        update_patterns(connection, [replace(WIFI, state="merged", merged_into="vpn")])

        assert [row["pattern_id"] for row in facts_between(connection, WEEK, WEEK)] == ["vpn", "vpn"]
        assert [(one.pattern_id, tickets) for one, tickets, _ in all_patterns(connection)] == [("vpn", 2), ("wifi", 0)]
        assert [(row["pattern_id"], row["tickets"]) for row in work_by_week(connection)] == [("vpn", 2)]

        update_patterns(connection, [WIFI])
        assert [row["pattern_id"] for row in facts_between(connection, WEEK, WEEK)] == ["vpn", "wifi"]


def test_what_mining_updates_leaves_the_words_of_a_pattern(store: Store) -> None:
    with store.begin() as connection:
        put_patterns(connection, [VPN])
        update_patterns(connection, [PatternRecord("vpn", "Other words", [], [], "w", state="idle", last_seen=WEEK)])

        assert pattern_records(connection, ["vpn"])["vpn"] == replace(VPN, state="idle", last_seen=WEEK)


def test_a_split_moves_the_tickets_that_say_so_and_no_others(store: Store) -> None:
    rows = [fact("T1", "vpn", text_key="k"), fact("T2", "vpn", text_key="j"), fact("T3", "wifi", text_key="k")]
    with store.begin() as connection:
        put_facts(connection, rows)
        move_texts(connection, [("k", "vpn", "new")])

        assert [row["pattern_id"] for row in facts_between(connection, WEEK, WEEK)] == ["new", "vpn", "wifi"]


def test_lineage_is_kept_in_order(store: Store) -> None:
    events = [LineageEvent("vpn", WEEK, "found"), LineageEvent("vpn", "2026-W47", "merged", "wifi")]
    with store.begin() as connection:
        add_lineage(connection, events[:1], now=NOW)
        add_lineage(connection, [*events[1:], LineageEvent("wifi", WEEK, "idle")], now=NOW)

        assert lineage_of(connection, ["vpn", "nowhere"]) == {"vpn": events}
        assert set(lineage_of(connection)) == {"vpn", "wifi"}


def test_evidence_and_proposals_are_the_latest(store: Store) -> None:
    first, second = Proposal("merge", "vpn", "wifi", 0.4), Proposal("split", "vpn", None, 0.1, {"parts": 2})
    with store.begin() as connection:
        put_evidence(connection, WEEK, {"vpn": {"languages": {"en": 1.0}}})
        put_evidence(connection, "2026-W47", {"vpn": {"languages": {"de": 1.0}}})
        put_proposals(connection, [first], now=NOW)
        put_proposals(connection, [second], now=NOW)

        assert evidence_of(connection, "vpn") == ("2026-W47", {"languages": {"de": 1.0}})
        assert evidence_of(connection, "nowhere") is None
        assert proposals(connection) == [second]
