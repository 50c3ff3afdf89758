"""What was acknowledged is there after the process was killed, once, whatever it was doing."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest
from asking import wait_until
from process import Service, new_key, service

from triage_ml.store import open_store, outcomes_of_ticket, predictions_of_ticket

CLIENTS = 6


class Load:
    """Clients that score and report tickets until told to stop, and remember what was acknowledged.

    A request that got no answer is sent again, with its Idempotency-Key, to the service that comes next.
    """

    def __init__(self) -> None:
        self.acknowledged: dict[str, str] = {}
        self.reported: dict[str, str] = {}
        self.unanswered: list[tuple[str, dict[str, Any], str]] = []
        self._count = 0
        self._lock = threading.Lock()

    def run(self, running: Service, answers: int) -> None:
        """Load the service, kill it after about so many more answers, and wait for the clients to notice."""
        enough = len(self.acknowledged) + answers
        clients = [threading.Thread(target=self._client, args=(running,)) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        wait_until(lambda: len(self.acknowledged) >= enough, 90)
        running.process.kill()
        for client in clients:
            client.join()

    def retry(self, running: Service) -> None:
        """Send again what got no answer."""
        waiting, self.unanswered = self.unanswered, []
        for path, body, key in waiting:
            self._note(path, running.client.post(path, json=body, headers={"Idempotency-Key": key}))

    def _client(self, running: Service) -> None:
        with httpx2.Client(base_url=running.url, headers=running.client.headers, timeout=60) as client:
            while True:
                with self._lock:
                    self._count += 1
                    ticket_id = f"INC{self._count}"
                score = {"ticket_id": ticket_id, "title": "vpn down"}
                report = {"ticket_id": ticket_id, "labels": {"tier": "L2"}, "source": "closed_untouched"}
                for path, body in (("/v1/score", score), ("/v1/outcomes", report)):
                    key = f"{path}-{ticket_id}"
                    try:
                        response = client.post(path, json=body, headers={"Idempotency-Key": key})
                    except httpx2.HTTPError:
                        self.unanswered.append((path, body, key))
                        return
                    self._note(path, response)

    def _note(self, path: str, response: httpx2.Response) -> None:
        assert response.status_code == 200, response.text
        answer = response.json()
        if path == "/v1/score":
            self.acknowledged[answer["ticket_id"]] = answer["prediction_id"]
        else:
            self.reported[answer["ticket_id"]] = answer["outcome_id"]


def check(url: str, load: Load) -> None:
    store = open_store(url)
    with store.read() as connection:
        for ticket_id, prediction_id in load.acknowledged.items():
            assert [row.prediction_id for row in predictions_of_ticket(connection, ticket_id)] == [prediction_id]
        for ticket_id, outcome_id in load.reported.items():
            assert [row.outcome_id for row in outcomes_of_ticket(connection, ticket_id)] == [outcome_id]
    store.close()


@pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgres", marks=[pytest.mark.needs_postgres, pytest.mark.slow])]
)
@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_under_load_nothing_acknowledged_is_lost_or_doubled(
    home_with_model: Path, tmp_path: Path, request: pytest.FixtureRequest, database: str, kills: int
) -> None:
    folder = tmp_path / "home"
    shutil.copytree(home_with_model / ".triage" / "bundles", folder / ".triage" / "bundles")
    file = folder / ".triage" / "store.db"
    url = f"sqlite:///{file}" if database == "sqlite" else request.getfixturevalue("postgres_url")
    (folder / "triage.toml").write_text(f'[store]\nurl = "{url}"\n')
    load, moments, key = Load(), random.Random(kills), new_key(folder)
    for _ in range(kills):
        with service(folder, key=key) as running:
            load.retry(running)
            load.run(running, moments.randint(20, 120))
    with service(folder, key=key) as running:
        load.retry(running)
    assert load.unanswered == []
    check(url, load)
    if database == "sqlite":
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
