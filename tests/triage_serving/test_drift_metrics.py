"""What `triage drift` left in the store is seen by Prometheus within a poll."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from asking import wait_until
from fastapi.testclient import TestClient

from triage_ml.store import DriftWeek, Store, put_drift

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
FIGURES = {
    "new_words": 0.02,
    "changed_words": 3,
    "stability_index": {"tier": 0.11},
    "confidence": {"tier": {"usual": 0.9, "now": 0.8, "p_value": 0.0001}},
    "precision": {"tier": {"precision": 0.93, "interval": [0.9, 0.95]}},
}


def test_the_newest_week_is_shown_and_what_it_lacks_is_dropped(client: TestClient, store: Store) -> None:
    def shown() -> str:
        return client.get("/metrics").text

    with store.begin() as connection:
        put_drift(connection, [DriftWeek("2026-W47", NOW, "look", FIGURES)])
    wait_until(lambda: "triage_drift_verdict 1.0\n" in shown())
    page = shown()
    assert 'triage_drift_stability_index{target="tier"} 0.11\n' in page
    assert 'triage_drift_precision{target="tier"} 0.93\n' in page
    change = page.split('triage_drift_confidence_change{target="tier"} ')[1].split()[0]
    assert float(change) == pytest.approx(-0.1)
    assert "triage_drift_changed_words 3.0\n" in page
    with store.begin() as connection:
        put_drift(connection, [DriftWeek("2026-W48", NOW, "nothing to do", {"tickets": 5})])
    wait_until(lambda: "triage_drift_verdict 0.0\n" in shown())
    assert "triage_drift_precision{" not in shown()
