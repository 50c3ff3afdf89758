"""A store that is slow, full, gone or shared: an honest 503, readiness falls and comes back, nothing acknowledged is lost."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from asking import TICKET, wait_until
from fakes import FakeLoader, FakeRegistry
from fastapi.testclient import TestClient
from process import new_key as make_key
from process import run, service

from triage_ml.settings import Settings
from triage_ml.store import Store, open_store, predictions_of_ticket
from triage_serving.app import create_app

Headers = dict[str, str]


def ask(client: TestClient, number: int, size: int = 10) -> Any:
    return client.post(
        "/v1/score", json=TICKET | {"ticket_id": f"T{number}", "description": f"{number} " + "x " * size}
    )


def ready(client: TestClient) -> tuple[int, str]:
    response = client.get("/readyz")
    return response.status_code, response.json().get("code", "ready")


def is_stored(store: Store, number: int) -> bool:
    with store.read() as connection:
        return len(predictions_of_ticket(connection, f"T{number}")) == 1


def test_a_slow_disk(client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    go, begin = threading.Event(), store.begin

    def hangs() -> object:
        go.wait(60)
        return begin()

    monkeypatch.setattr("triage_serving.readiness.ANSWER_SECONDS", 0.2)
    client.app.state.services.worker._seconds = 0.3  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setattr(store, "begin", hangs)
        response = ask(client, 1)
        assert (response.status_code, response.json()["code"]) == (503, "too_slow")
        wait_until(lambda: ready(client) == (503, "store_too_slow"))
        assert client.get("/livez").status_code == 200
        go.set()
    client.app.state.services.worker._seconds = 60  # type: ignore[attr-defined]
    wait_until(lambda: ready(client) == (200, "ready"))
    assert ask(client, 2).status_code == 200


@pytest.fixture
def small_disk(store: Store) -> Iterator[Callable[[int | None], None]]:
    """Lets SQLite have so many more pages of 4 kB than it has now; None takes the limit away."""
    limit: list[int | None] = [None]

    @sa.event.listens_for(store._engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={limit[0] or 1_000_000_000}")

    def set_limit(more: int | None) -> None:
        with store.read() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        limit[0] = None if more is None else pages + more

    yield set_limit
    sa.event.remove(store._engine, "begin", _on_begin)


def test_a_full_disk(client: TestClient, store: Store, small_disk: Callable[[int | None], None]) -> None:
    small_disk(20)
    answers = {number: ask(client, number, size=2_000) for number in range(60)}
    good = {number for number, answer in answers.items() if answer.status_code == 200}
    assert 0 < len(good) < 60
    for number in set(answers) - good:
        assert (answers[number].status_code, answers[number].json()["code"]) == (503, "store_unavailable")
        assert answers[number].headers["retry-after"] == "5"
        assert not is_stored(store, number)
    assert all(is_stored(store, number) for number in good)
    assert ready(client) == (503, "store_not_writable")
    small_disk(None)
    assert ask(client, 100, size=2_000).status_code == 200
    assert ready(client) == (200, "ready")
    assert all(is_stored(store, number) for number in good)


class Wire:
    """A TCP connection to the database that can be cut: every byte goes through this process."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._pairs: list[socket.socket] = []
        self.is_cut = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self.is_cut = True
        for side in self._pairs:
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()
        self._pairs.clear()

    def close(self) -> None:
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self.is_cut:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._port))
                self._pairs += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass_on(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65_536):
                other.sendall(data)


@contextmanager
def service_over(wire_url: str, settings: Settings, registry: FakeRegistry) -> Iterator[tuple[TestClient, Store]]:
    from datetime import UTC, datetime

    from triage_ml.store import create_key

    store = open_store(wire_url)
    with store.begin() as connection:
        key, _ = create_key(connection, "score", now=datetime.now(UTC))
    app = create_app(settings, store=store, registry=registry, load_answerer=FakeLoader())
    with TestClient(app, headers={"Authorization": f"Bearer {key}"}, raise_server_exceptions=False) as client:
        wait_until(lambda: ready(client) == (200, "ready"), 30)
        yield client, store
    store.close()


@pytest.mark.needs_postgres
def test_a_database_that_dies_and_comes_back(settings: Settings, registry: FakeRegistry, postgres_url: str) -> None:
    url = sa.make_url(postgres_url)
    wire = Wire(url.port or 5432)
    there = url.set(host="127.0.0.1", port=wire.port).render_as_string(hide_password=False)
    try:
        with service_over(there, settings, registry) as (client, store):
            assert ask(client, 1).status_code == 200
            wire.cut()
            response = ask(client, 2)
            assert (response.status_code, response.json()["code"]) == (503, "store_unavailable")
            assert url.database is not None
            assert url.database not in response.text
            wait_until(lambda: ready(client) == (503, "store_not_writable"))
            wire.is_cut = False
            wait_until(lambda: ask(client, 3).status_code == 200, 30)
            wait_until(lambda: ready(client) == (200, "ready"), 30)
            assert is_stored(store, 1)
            assert not is_stored(store, 2)
    finally:
        wire.close()


def test_a_store_of_a_later_version_is_refused_and_says_why(tmp_path: Path) -> None:
    make_key(tmp_path)
    file = tmp_path / ".triage" / "store.db"
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    done = run(tmp_path, "serve", "--port", "0")
    assert done.returncode == 1
    assert "the store is at schema 9999; this version of triage-ml knows up to" in done.stderr
    assert "Upgrade triage-ml to the version that wrote it" in done.stderr


@pytest.mark.slow
def test_two_services_on_one_sqlite_file(home_with_model: Path) -> None:
    key = make_key(home_with_model)
    with service(home_with_model, key=key) as one, service(home_with_model, key=key) as other:

        def load(place: int) -> list[int]:
            running = (one, other)[place % 2]
            return [
                running.client.post("/v1/score", json=TICKET | {"ticket_id": f"two-{place}-{number}"}).status_code
                for number in range(50)
            ]

        with ThreadPoolExecutor(6) as pool:
            statuses = [status for part in pool.map(load, range(6)) for status in part]
    assert statuses == [200] * 300
    store = open_store(Settings(paths={"home": home_with_model / ".triage"}).store_url)
    with store.read() as connection:
        for place in range(6):
            for number in range(50):
                assert len(predictions_of_ticket(connection, f"two-{place}-{number}")) == 1
    store.close()
