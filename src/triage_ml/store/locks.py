"""A job that only one process may do at a time, whoever else uses the store: the lock is gone when its holder is.

On PostgreSQL it is an advisory lock of an open transaction (with one, a pooler in between keeps the connection; its timeouts are
off in this one), on SQLite a lock on a file beside the database. Nothing is written, so nothing is left over by a process that is
killed. A server that goes away takes its lock along: who writes something that nobody else may write at the same time asks first.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from triage_ml.errors import AlreadyRunningError, StoreError

__all__ = ["hold"]


#: Settings of PostgreSQL, by version, that end a transaction which only waits.
_TIMEOUTS = ("idle_in_transaction_session_timeout", "transaction_timeout")


@contextmanager
def hold(engine: sa.Engine, job: str) -> Iterator[Callable[[], None]]:
    """Hold the lock of this job, or raise AlreadyRunningError at once. What it gives raises StoreError once the lock is lost."""
    held = _on_postgres(engine, job) if engine.dialect.name == "postgresql" else _beside_the_file(engine.url, job)
    with held as check:
        yield check


@contextmanager
def _on_postgres(engine: sa.Engine, job: str) -> Iterator[Callable[[], None]]:
    key = int.from_bytes(hashlib.blake2b(job.encode(), digest_size=8).digest(), "big", signed=True)
    settings = sa.table("pg_settings", sa.column("name"))
    endless = sa.select(sa.func.set_config(settings.c.name, "0", True)).where(settings.c.name.in_(_TIMEOUTS))
    connection = engine.connect()

    def check() -> None:
        try:
            connection.execute(sa.select(1))
        except sa.exc.SQLAlchemyError:
            raise _lost(job) from None

    try:
        connection.execute(endless).all()
        if not connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(key))):
            raise _refused(job)
        yield check
    finally:
        with suppress(sa.exc.DBAPIError):  # a server that went away took the lock with it, and `check` says so
            connection.close()


@contextmanager
def _beside_the_file(url: sa.URL, job: str) -> Iterator[Callable[[], None]]:
    database = Path(str(url.database).removeprefix("file:").partition("?")[0])
    path = database.with_name(f"{database.name}.{job}.lock")
    with ExitStack() as opened:
        try:
            file = opened.enter_context(path.open("a"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _refused(job) from None
        except OSError as error:
            raise StoreError(
                f"{path}: the lock can't be taken ({error.strerror}).",
                hint=f"Run `triage {job}` as the user that owns this file, or delete it while none is running.",
            ) from None
        yield lambda: None


def _refused(job: str) -> AlreadyRunningError:
    return AlreadyRunningError(
        f"Another `triage {job}` is running on this store.",
        hint="Nothing was done. Wait until it ends, then try again.",
    )


def _lost(job: str) -> StoreError:
    return StoreError(
        f"The database ended the connection that held the lock of `triage {job}`, so another may run by now.",
        hint="Nothing more was done. Try again.",
    )
