"""kill -9 at random moments under load: is what was acknowledged there, once, and whole?"""

from __future__ import annotations

import hashlib
import http.client
import json
import random
import sqlite3
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run
from services import Client, Service, desk_tickets, keep_model, make_key, postgres_database, service

from triage_ml.store import open_store, outcomes_of_ticket, predictions_of_ticket


@dataclass(frozen=True)
class Request:
    """One request of the load; `key` is its Idempotency-Key, so that it can be sent again."""

    path: str
    body: dict[str, Any]
    key: str

    @property
    def ticket_ids(self) -> list[str]:
        """The tickets that it speaks about."""
        return [ticket["ticket_id"] for ticket in self.body.get("tickets", [self.body])]


@dataclass
class Ledger:
    """What the clients know: what was acknowledged for each ticket, and which requests got no answer."""

    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    receipts: dict[str, str] = field(default_factory=dict)
    unanswered: list[Request] = field(default_factory=list)
    fresh: list[str] = field(default_factory=list)
    repeated_otherwise: int = 0
    refused: int = 0

    def note(self, request: Request, status: int, body: Any) -> None:
        """Keep what was acknowledged; an answer to a repeat must be the first answer."""
        if status != 200:
            self.refused += 1
            self.unanswered.append(request)
            return
        if request.path == "/v1/outcomes":
            if self.receipts.setdefault(body["ticket_id"], body["outcome_id"]) != body["outcome_id"]:
                self.repeated_otherwise += 1
            return
        for answer in body.get("answers", [body]):
            if self.answers.setdefault(answer["ticket_id"], answer) != answer:
                self.repeated_otherwise += 1
            self.fresh.append(answer["ticket_id"])


class Load:
    """Clients in threads: single tickets, batches, outcomes, and now and then the last request once more."""

    def __init__(self, texts: list[str], clients: int, key: str, seed: int) -> None:
        self._texts = texts
        self._clients = clients
        self._key = key
        self._random = random.Random(seed)  # noqa: S311
        self._count = 0
        self._lock = threading.Lock()
        self.ledger = Ledger()

    def run(self, running: Service, seconds: float) -> None:
        """Load the service, kill it after `seconds`, and wait for the clients to notice."""
        threads = [threading.Thread(target=self._client, args=(running.url,)) for _ in range(self._clients)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        running.kill()
        for thread in threads:
            thread.join()

    def retry(self, running: Service) -> None:
        """Send again what got no answer, until it has one."""
        client = Client(running.url, self._key)
        while self.ledger.unanswered:
            request = self.ledger.unanswered.pop()
            self.ledger.note(request, *client.post(request.path, request.body, Idempotency_Key=request.key))
        client.close()

    def _client(self, url: str) -> None:
        client = Client(url, self._key)
        while True:
            for request in self._next():
                try:
                    status, body = client.post(request.path, request.body, Idempotency_Key=request.key)
                except (OSError, http.client.HTTPException):
                    with self._lock:
                        self.ledger.unanswered.append(request)
                    return
                with self._lock:
                    self.ledger.note(request, status, body)

    def _next(self) -> list[Request]:
        with self._lock:
            size = 20 if self._random.random() < 0.1 else 1
            tickets = []
            for _ in range(size):
                self._count += 1
                text = self._texts[self._count % len(self._texts)]
                tickets.append({"ticket_id": f"INC{self._count}", "description": text})
            again = self._random.random() < 0.1
        first = tickets[0]["ticket_id"]
        score = Request("/v1/score/batch", {"tickets": tickets}, f"b-{first}")
        if size == 1:
            score = Request("/v1/score", tickets[0], f"s-{first}")
        report = {"ticket_id": first, "labels": {"tier": "L2"}, "source": "closed_untouched"}
        outcome = Request("/v1/outcomes", report, f"o-{first}")
        return [score, outcome, score, outcome] if again else [score, outcome]


def check(url: str, ledger: Ledger, ticket_ids: list[str]) -> dict[str, int]:
    """Compare the store with the ledger for these tickets."""
    lost = twice = other = outcomes_lost = outcomes_twice = 0
    store = open_store(url, create=False)
    with store.read() as connection:
        for ticket_id in ticket_ids:
            rows = predictions_of_ticket(connection, ticket_id)
            lost += not rows
            twice += len(rows) > 1
            other += bool(rows) and _sha(rows[0].answer) != _sha(ledger.answers[ticket_id])
            if ticket_id in ledger.receipts:
                reported = outcomes_of_ticket(connection, ticket_id)
                outcomes_lost += ledger.receipts[ticket_id] not in {row.outcome_id for row in reported}
                outcomes_twice += len(reported) > 1
    store.close()
    return {
        "predictions_lost": lost,
        "predictions_stored_twice": twice,
        "predictions_other_than_acknowledged": other,
        "outcomes_lost": outcomes_lost,
        "outcomes_stored_twice": outcomes_twice,
    }


def _sha(answer: Any) -> str:
    return hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).hexdigest()


def intact(url: str) -> bool:
    """SQLite's own check of every page; on PostgreSQL every row was read and compared."""
    if not url.startswith("sqlite"):
        return True
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchone() == ("ok",))


def rounds(folder: Path, url: str, texts: list[str], config: dict[str, Any]) -> dict[str, Any]:
    """All kills on one store, and what they left."""
    (folder / "triage.toml").write_text(f'[store]\nurl = "{url}"\n', encoding="utf-8")
    load = Load(texts, config["clients"], make_key(folder), config["seed"])
    moments = random.Random(config["seed"])  # noqa: S311
    damaged = 0
    for number in range(config["kills"]):
        workers = "2" if number % config["two_workers_every"] == config["two_workers_every"] - 1 else "1"
        with service(folder, "--workers", workers) as running:
            load.retry(running)
            load.run(running, moments.uniform(*config["seconds"]))
        damaged += not intact(url)
        found = check(url, load.ledger, sorted(set(load.ledger.fresh)))
        load.ledger.fresh.clear()
        print(f"kill {number + 1}: {len(load.ledger.answers)} acknowledged, {found}", file=sys.stderr, flush=True)
    with service(folder) as running:
        load.retry(running)
    return {
        "kills": config["kills"],
        "acknowledged_predictions": len(load.ledger.answers),
        "acknowledged_outcomes": len(load.ledger.receipts),
        "repeats_answered_otherwise": load.ledger.repeated_otherwise,
        "refused_and_sent_again": load.ledger.refused,
        "damaged_after_a_kill": damaged + (not intact(url)),
        **check(url, load.ledger, sorted(load.ledger.answers)),
    }


def table(results: dict[str, Any]) -> str:
    """One column a database."""
    names = list(next(iter(results.values())))
    rows = [f"| | {' | '.join(results)} |", "|---|" + "---|" * len(results)]
    rows += [
        f"| {name.replace('_', ' ')} | {' | '.join(f'{one[name]:,}' for one in results.values())} |" for name in names
    ]
    return "\n".join(rows)


def main() -> None:
    """Kill on SQLite, then on PostgreSQL, with the same load."""
    run = Run(__file__, __doc__)
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        tickets = desk_tickets(Path(scratch) / "desk", run.config["tickets"], run.config["seed"])
        for database in ("SQLite", "PostgreSQL"):
            folder = Path(scratch) / database
            keep_model(folder / ".triage", tickets)
            file = folder / ".triage" / "store.db"
            url = f"sqlite:///{file}" if database == "SQLite" else stack.enter_context(postgres_database())
            results[database] = rounds(folder, url, tickets["text"].tolist(), run.config)
    run.write(results, table(results))


if __name__ == "__main__":
    main()
