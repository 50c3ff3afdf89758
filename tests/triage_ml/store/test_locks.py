"""One process at a time, on SQLite and on PostgreSQL, and none that waits for the dead."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from triage_ml.errors import AlreadyRunningError, StoreError
from triage_ml.store import Store, open_store

HOLDER = """
import sys, time
from triage_ml.store import open_store
with open_store(sys.argv[1], create=False).only_one("retrain"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_the_second_is_told_at_once_and_another_job_is_not_in_its_way(store: Store, store_url: str) -> None:
    other = open_store(store_url)
    with store.only_one("retrain"):
        with (
            pytest.raises(
                AlreadyRunningError, match=r"Another `triage retrain` is running on this store\.\nNothing was done"
            ),
            other.only_one("retrain"),
        ):
            pytest.fail("both hold it")
        with other.only_one("mine"), other.begin():
            pass
    with other.only_one("retrain"):
        pass
    other.close()


def test_an_error_of_the_holder_is_its_own_and_gives_the_lock_back(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.only_one("retrain"):
        raise ZeroDivisionError
    with store.only_one("retrain"):
        pass


def test_one_that_was_killed_blocks_nobody(store: Store, store_url: str) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, store_url], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(AlreadyRunningError), store.only_one("retrain"):
        pytest.fail("both hold it")
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    _take_within(store, seconds=10)


@pytest.mark.needs_postgres
def test_a_server_that_ends_idle_transactions_leaves_the_lock(postgres_url: str) -> None:
    impatient = sa.make_url(postgres_url).update_query_dict({"options": "-c idle_in_transaction_session_timeout=200"})
    holder, other = open_store(impatient.render_as_string(hide_password=False)), open_store(postgres_url)
    with holder.only_one("retrain") as check:
        time.sleep(0.6)
        with pytest.raises(AlreadyRunningError), other.only_one("retrain"):
            pytest.fail("both hold it")
        check()
    for store in (holder, other):
        store.close()


@pytest.mark.needs_postgres
def test_a_holder_can_learn_that_its_lock_is_gone(postgres_url: str) -> None:
    holder, other = open_store(postgres_url), open_store(postgres_url)
    with holder.only_one("retrain") as check:
        with other.begin() as connection:
            ended = connection.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON oid = database "
                    "WHERE locktype = 'advisory' AND datname = current_database()"
                )
            )
            assert ended.all() == [(True,)]
        with pytest.raises(StoreError, match=r"the lock of `triage retrain`.*another may run by now"):
            check()
    for store in (holder, other):
        store.close()


def test_a_lock_file_that_cannot_be_opened_is_told_with_its_path(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    (tmp_path / "store.db.retrain.lock").mkdir()
    with (
        pytest.raises(StoreError, match=r"store\.db\.retrain\.lock: the lock can't be taken \("),
        store.only_one("retrain"),
    ):
        pytest.fail("held")
    store.close()


def _take_within(store: Store, seconds: float) -> None:
    """The server notices a closed connection in its own time."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with store.only_one("retrain"):
                return
        except AlreadyRunningError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
