from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from triage_ml.errors import StoreError
from triage_ml.store import (
    FACT_COLUMNS,
    PatternRecord,
    Store,
    count_work,
    lock_mining,
    mining_version,
    open_store,
    put_facts,
    put_patterns,
    weekly_work,
    work_by_week,
)


def fact(ticket_id: str, **values: Any) -> dict[str, Any]:
    row = {**dict.fromkeys(FACT_COLUMNS), "ticket_id": ticket_id, "week": "2026-W46", "digest": "d", "tier": "L1"}
    return {**row, "pattern_id": "vpn", **values}


def counted(store: Store, *rows: dict[str, Any]) -> list[Any]:
    with store.begin() as connection:
        put_patterns(connection, [PatternRecord("vpn", "VPN", [], [], "2026-W46")])
        put_facts(connection, rows)
        count_work(connection)
        return work_by_week(connection)


def test_work_that_was_alike_is_one_row(store: Store) -> None:
    rows = counted(
        store,
        fact("T1", effort_minutes=10.0, handoffs=0.0, reopens=0.0, sla_met=True),
        fact("T2", effort_minutes=20.0, handoffs=0.0, reopens=2.0, sla_met=False),
        fact("T3", handoffs=1.0),
    )

    stayed, passed = sorted(rows, key=lambda row: row["passed_on"])
    assert (stayed["tickets"], stayed["logged"], stayed["minutes"]) == (2, 2, 30.0)
    assert (stayed["reopened"], stayed["reopens"], stayed["sla_met"], stayed["sla_known"]) == (1, 2.0, 1, 2)
    assert (passed["tickets"], passed["handoffs"], passed["logged"], passed["sla_known"]) == (1, 1.0, 0, 0)


def test_counted_again_nothing_counts_twice(store: Store) -> None:
    once = counted(store, fact("T1", effort_minutes=10.0))

    assert counted(store, fact("T1", effort_minutes=10.0)) == once


def test_what_an_automation_closed_counts_unless_it_was_reopened(store: Store) -> None:
    rows = [
        fact("T1", tier="L0", effort_minutes=1.0),
        fact("T2", tier="L0", reopens=1.0),
        fact("T3", effort_minutes=30.0),
        fact("T4"),
    ]
    counted(store, *rows)

    with store.read() as connection:
        (week,) = weekly_work(connection)
    assert week == {
        "week": "2026-W46",
        "pattern_id": "vpn",
        "tickets": 4,
        "automated": 1,
        "logged": 1,
        "minutes": 30.0,
    }


def test_work_comes_in_the_same_order_whatever_order_it_was_written_in(store: Store) -> None:
    rows = [
        fact(f"T{place}", week=f"2026-W{week}", tier=f"L{place % 3}") for place, week in enumerate((47, 46, 48) * 3)
    ]
    once = counted(store, *rows)

    assert [(row["week"], row["tier"]) for row in once] == [
        (f"2026-W{week}", f"L{tier}") for week, tier in ((46, 1), (47, 0), (48, 2))
    ]
    with store.read() as connection:
        assert [row["week"] for row in weekly_work(connection)] == ["2026-W46", "2026-W47", "2026-W48"]


def test_counting_says_to_other_runs_that_something_was_mined(store: Store) -> None:
    with store.read() as connection:
        nothing = mining_version(connection)
    counted(store, fact("T1"))
    with store.read() as connection:
        once = mining_version(connection)
        assert mining_version(connection) == once
    counted(store)
    with store.read() as connection:
        assert len({nothing, once, mining_version(connection)}) == 3


@pytest.mark.needs_postgres
def test_of_two_runs_that_write_what_they_mined_one_waits(postgres_url: str) -> None:
    store = open_store(postgres_url)

    def write() -> None:
        with store.begin() as other:
            other.execute(sa.text("SET LOCAL lock_timeout = '50ms'"))
            lock_mining(other)

    with store.begin() as connection:
        lock_mining(connection)
        with pytest.raises(StoreError, match="lock timeout"):
            write()
    write()
    store.close()
