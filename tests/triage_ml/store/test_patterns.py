from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from triage_ml.store import (
    FACT_COLUMNS,
    UNDATED,
    PatternRecord,
    Store,
    WeekList,
    all_patterns,
    claim_texts,
    fact_digests,
    facts_between,
    latest_book,
    mined_weeks,
    pattern_records,
    put_facts,
    put_patterns,
    put_week,
    read_week,
    use_book,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
RECORD = PatternRecord("p1", "VPN drops", ["vpn"], ["VPN drops on <host>"], "2026-W46")


def fact(ticket_id: str, week: str = "2026-W46", **values: Any) -> dict[str, Any]:
    return {**dict.fromkeys(FACT_COLUMNS), "ticket_id": ticket_id, "week": week, "digest": "d", **values}


def test_a_ticket_counts_once_and_a_later_delivery_replaces_its_facts(store: Store) -> None:
    with store.begin() as connection:
        put_facts(connection, [fact("T1"), fact("T2", effort_minutes=5.0)])
    with store.begin() as connection:
        put_facts(connection, [fact("T1", week="2026-W47", digest="e", tier="L2")])

    with store.read() as connection:
        assert fact_digests(connection, "2026-W46") == {"T2": "d"}
        assert fact_digests(connection, "2026-W47") == {"T1": "e"}
        both = facts_between(connection, "2026-W46", "2026-W47")
    assert [(row["ticket_id"], row["tier"], row["effort_minutes"]) for row in both] == [
        ("T1", "L2", None),
        ("T2", None, 5.0),
    ]


def test_a_pattern_found_later_claims_tickets_that_were_rare_and_no_others(store: Store) -> None:
    with store.begin() as connection:
        put_facts(
            connection,
            [fact("T1", text_key="k"), fact("T2", text_key="k", pattern_id="old"), fact("T3", text_key="other")],
        )
        claim_texts(connection, {"k": "p1"})
        claim_texts(connection, {})

    with store.read() as connection:
        rows = facts_between(connection, "2026-W01", "2026-W53")
    assert [row["pattern_id"] for row in rows] == ["p1", "old", None]


def test_a_known_pattern_keeps_what_a_person_may_have_changed(store: Store) -> None:
    with store.begin() as connection:
        put_patterns(connection, [RECORD])
        put_patterns(
            connection, [PatternRecord("p1", "Other title", [], [], "2026-W50"), PatternRecord("p2", "B", [], [], "w")]
        )

    with store.read() as connection:
        records = pattern_records(connection, ["p1", "p2", "nowhere"])
    assert records["p1"] == RECORD
    assert set(records) == {"p1", "p2"}


def test_a_list_comes_back_in_its_order_with_its_titles(store: Store) -> None:
    figures = [{"pattern_id": "p2", "volume": 9}, {"pattern_id": "p1", "volume": 12}]
    with store.begin() as connection:
        put_patterns(connection, [RECORD, PatternRecord("p2", "Disk full", [], [], "2026-W46")])
        put_week(connection, WeekList("2026-W46", 100, 0.5, [{"pattern_id": "p1", "volume": 1}]))
        put_week(connection, WeekList("2026-W46", 120, 0.9, figures))

    with store.read() as connection:
        listed = read_week(connection, "2026-W46")
        assert mined_weeks(connection) == ["2026-W46"]
        assert read_week(connection, "2026-W47") is None
    assert listed is not None
    assert (listed.tickets, listed.covered) == (120, 0.9)
    assert listed.candidates == [
        {"pattern_id": "p2", "volume": 9, "title": "Disk full"},
        {"pattern_id": "p1", "volume": 12, "title": "VPN drops"},
    ]


def test_every_pattern_with_its_tickets_after_merges(store: Store) -> None:
    others = [PatternRecord(name, name, [], [], "2026-W46") for name in ("p3", "p4")]
    merged = PatternRecord("p2", "Disk full", [], [], "2026-W46", state="merged", merged_into="p1")
    with store.begin() as connection:
        put_patterns(connection, [*others, merged, RECORD])
        rows = [fact("T1", pattern_id="p1"), fact("T2", week="2026-W47", pattern_id="p2"), fact("T3")]
        put_facts(connection, [*rows, fact("T4", week=UNDATED, pattern_id="p3")])

    with store.read() as connection:
        found = [(record.pattern_id, tickets, last) for record, tickets, last in all_patterns(connection)]
    assert found == [("p1", 2, "2026-W47"), ("p2", 0, None), ("p3", 1, None), ("p4", 0, None)]


def test_counting_the_tickets_of_all_patterns_takes_no_step_for_each_pair_of_patterns(store: Store) -> None:
    statements: list[str] = []
    with store.begin() as connection:
        sa.event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
        all_patterns(connection)

    assert len(statements) == 2
    assert not any("JOIN" in statement for statement in statements)


def test_the_latest_book_is_in_use_and_the_same_one_again_changes_nothing(store: Store) -> None:
    with store.begin() as connection:
        assert latest_book(connection) is None
        for digest in ("sha256:a", "sha256:b", "sha256:b", "sha256:a"):
            use_book(connection, digest, now=NOW)

    with store.read() as connection:
        assert latest_book(connection) == "sha256:a"
