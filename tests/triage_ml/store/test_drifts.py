from __future__ import annotations

from datetime import UTC, datetime

from triage_ml.store import DriftWeek, Store, latest_drift, put_drift

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def test_the_newest_week_is_the_latest_whenever_it_was_looked_at_and_a_second_look_replaces_the_first(
    store: Store,
) -> None:
    with store.begin() as connection:
        assert latest_drift(connection) is None
        newest = DriftWeek("2026-W47", NOW, "look", {"tickets": 3})
        put_drift(connection, [newest, DriftWeek("2026-W46", NOW, "retrain", {})])
        assert latest_drift(connection) == newest
        again = DriftWeek("2026-W47", NOW, "nothing to do", {"tickets": 4})
        put_drift(connection, [again])
        assert latest_drift(connection) == again
