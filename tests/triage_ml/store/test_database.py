from __future__ import annotations

import multiprocessing
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from triage_ml.errors import StoreError, StoreVersionError
from triage_ml.store import Store, create_key, list_keys, open_store
from triage_ml.store.keys import api_keys

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def test_what_was_committed_is_there_after_opening_again(store_url: str) -> None:
    first = open_store(store_url)
    with first.begin() as connection:
        _, record = create_key(connection, "score", now=NOW, name="desk")
    first.close()
    second = open_store(store_url, create=False)
    with second.read() as connection:
        assert list_keys(connection) == [record]
    second.close()


def test_a_block_that_fails_leaves_nothing(store: Store) -> None:
    with suppress(KeyError), store.begin() as connection:
        create_key(connection, "score", now=NOW)
        raise KeyError
    with store.read() as connection:
        assert list_keys(connection) == []


def test_a_naive_time_is_refused(store: Store) -> None:
    with pytest.raises(sa.exc.StatementError, match="expected a time with a zone"), store.begin() as connection:
        create_key(connection, "score", now=datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.needs_postgres
def test_a_table_that_somebody_locks_is_an_error_after_a_while(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage_ml.store.engine.LOCK_SECONDS", 0.2)
    store = open_store(postgres_url)
    with store.begin() as other:
        other.exec_driver_sql("LOCK TABLE api_keys")
        with pytest.raises(StoreError, match="lock timeout"), store.begin() as connection:
            create_key(connection, "score", now=NOW)
    with store.begin() as connection:
        create_key(connection, "score", now=NOW)
    store.close()


def test_sqlite_keeps_what_it_committed_through_a_power_cut(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    with store.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
    store.close()


def _count_up(url: str, times: int) -> None:
    store = open_store(url)
    for _ in range(times):
        with store.begin() as connection:
            count = int(connection.execute(sa.select(api_keys.c.name).with_for_update()).scalar_one())
            connection.execute(sa.update(api_keys).values(name=str(count + 1)))
    store.close()


def test_processes_that_read_and_write_lose_no_update(store_url: str) -> None:
    store = open_store(store_url)
    with store.begin() as connection:
        create_key(connection, "score", now=NOW, name="0")
    _run_at_once(_count_up, (store_url, 25), processes=3)
    with store.read() as connection:
        assert list_keys(connection)[0].name == "75"
    store.close()


def _open_and_add(url: str) -> None:
    store = open_store(url)
    with store.begin() as connection:
        create_key(connection, "score", now=NOW)
    store.close()


def test_processes_that_open_a_fresh_store_at_once_take_turns(store_url: str) -> None:
    _run_at_once(_open_and_add, (store_url,), processes=4)
    store = open_store(store_url, create=False)
    with store.read() as connection:
        assert len(list_keys(connection)) == 4
    store.close()


def _run_at_once(target: object, arguments: tuple[object, ...], *, processes: int) -> None:
    context = multiprocessing.get_context("spawn")
    running = [context.Process(target=target, args=arguments) for _ in range(processes)]  # type: ignore[arg-type]
    for process in running:
        process.start()
    for process in running:
        process.join(60)
    assert [process.exitcode for process in running] == [0] * processes


def test_a_later_schema_is_refused(store_url: str) -> None:
    store = open_store(store_url)
    with store.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    with pytest.raises(StoreVersionError, match=r"is at schema 9999; this version of triage-ml knows up to 0006"):
        open_store(store_url)


def test_a_store_without_tables_is_refused_where_none_may_be_made(store_url: str) -> None:
    with pytest.raises(StoreError, match=r"has no tables yet\.\nRun: triage store upgrade"):
        open_store(store_url, create=False)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    file.write_text("ticket_id,title\n" * 1000)
    with pytest.raises(StoreError, match="file is not a database"):
        open_store(f"sqlite:///{file}")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("a file where a folder is needed")
    with pytest.raises(StoreError, match=r"plain: this folder can't be written \(File exists|Not a directory\)"):
        open_store(f"sqlite:///{tmp_path / 'plain' / 'store.db'}")


def test_a_read_only_database_says_what_to_check(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path / 'store.db'}").close()
    reader = open_store(f"sqlite:///file:{tmp_path / 'store.db'}?mode=ro&uri=true", create=False)
    with pytest.raises(StoreError, match=r"readonly database\)\.\nCheck that the folder and the file can be written"):
        reader.check_writable()
    reader.close()


def test_a_database_that_another_process_holds_is_an_error_with_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("triage_ml.store.engine.BUSY_SECONDS", 0.1)
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"database is locked\)\.\nAnother process holds"):
            store.check_writable()
    store.close()


def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    with pytest.raises(StoreError, match=r"postgresql://127\.0\.0\.1:1/triage: the store can't be used") as caught:
        open_store("postgresql://mira:verysecret@127.0.0.1:1/triage")
    assert "verysecret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("store.db", "The store's URL can't be read"),
        ("mysql://host/db", "mysql: the store runs on SQLite or PostgreSQL"),
        ("sqlite://", "SQLite in memory can't keep what was acknowledged"),
    ],
)
def test_a_url_that_cannot_hold_a_store(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        open_store(url)
