"""What is stored together: one that can't be stored must not fail its neighbours."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from asking import TICKET, comes_true
from fastapi.testclient import TestClient

from triage_ml.errors import StoreError
from triage_ml.store import Outcome, Store, outcomes_of_ticket, predictions_of_ticket
from triage_serving.jobs import Job, OutcomeJob, Part, Result, Scored, ScoreJob
from triage_serving.recording import Recording

NOW = datetime.now(UTC)


class BadOutcome(Outcome):
    """One that no database takes."""

    @property
    def fingerprint(self) -> str:
        raise OverflowError("date value out of range")


def outcome(ticket_id: str, kind: type[Outcome] = Outcome) -> OutcomeJob:
    return OutcomeJob(kind(f"o-{ticket_id}", ticket_id, {"tier": "L1"}, "automation", NOW))


def stored(client: TestClient, jobs: Sequence[Job]) -> list[Result]:
    """The jobs as the storing thread gets them."""
    worker = client.app.state.services.worker  # type: ignore[attr-defined]
    scored: list[Scored] = [
        worker._score([Part(job.tickets, False, None, 0)])[0] if isinstance(job, ScoreJob) else [] for job in jobs
    ]
    return list(worker._store(jobs, scored))


def test_an_outcome_that_cannot_be_stored_fails_alone(client: TestClient, store: Store) -> None:
    jobs: list[Job] = [ScoreJob([dict(TICKET)]), outcome("bad", BadOutcome), outcome("good")]
    first, bad, good = stored(client, jobs)
    assert isinstance(first, list)
    assert isinstance(bad, OverflowError)
    assert isinstance(good, list)
    with store.read() as connection:
        assert len(predictions_of_ticket(connection, TICKET["ticket_id"])) == 1
        assert len(outcomes_of_ticket(connection, "good")) == 1
        assert outcomes_of_ticket(connection, "bad") == []
    assert 'triage_outcomes_total{source="automation"} 1.0' in client.get("/metrics").text


def test_a_store_that_is_away_is_asked_once_and_fails_all(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def away(_self: Recording, jobs: Sequence[Job], _scored: Sequence[Scored]) -> list[Result]:
        asked.append(len(jobs))
        raise StoreError("the store is away")

    monkeypatch.setattr(Recording, "_results", away)
    with pytest.raises(StoreError, match="the store is away"):
        stored(client, [outcome("a"), outcome("b")])
    assert asked == [2]


def test_a_commit_that_hangs_makes_the_service_unready(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the check of the store, which touches another table, goes well."""
    go, begun = threading.Event(), threading.Event()

    def hangs(*_: object) -> list[object]:
        begun.set()
        go.wait(60)
        return []

    monkeypatch.setattr("triage_serving.readiness.COMMIT_SECONDS", 0.05)
    monkeypatch.setattr("triage_serving.recording._add_outcomes", hangs)
    monkeypatch.setattr(store, "check_writable", lambda: None)  # SQLite has one lock for all tables
    thread = threading.Thread(target=stored, args=(client, [outcome("a")]))
    thread.start()
    begun.wait(60)
    assert comes_true(lambda: client.get("/readyz").json().get("code") == "store_too_slow")
    go.set()
    thread.join()
    assert comes_true(lambda: client.get("/readyz").status_code == 200)
