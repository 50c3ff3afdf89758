"""A job that only one process may do at a time, whoever else uses the store: the lock is gone when its holder is.

On PostgreSQL it is an advisory lock of an open transaction (with one, a pooler in between keeps the connection), on SQLite a lock
on a file beside the database. Nothing is written, so nothing is left over by a process that is killed.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa

from triage_ml.errors import AlreadyRunningError

__all__ = ["hold"]


@contextmanager
def hold(engine: sa.Engine, job: str) -> Iterator[None]:
    """Hold the lock of this job, or raise AlreadyRunningError at once."""
    held = _on_postgres(engine, job) if engine.dialect.name == "postgresql" else _beside_the_file(engine.url, job)
    with held:
        yield


@contextmanager
def _on_postgres(engine: sa.Engine, job: str) -> Iterator[None]:
    key = int.from_bytes(hashlib.blake2b(job.encode(), digest_size=8).digest(), "big", signed=True)
    connection = engine.connect()
    try:
        if not connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(key))):
            raise _refused(job)
        yield
    finally:
        with suppress(sa.exc.DBAPIError):  # a server that went away took the lock with it; what the holder did is done
            connection.close()


@contextmanager
def _beside_the_file(url: sa.URL, job: str) -> Iterator[None]:
    database = Path(str(url.database).removeprefix("file:").partition("?")[0])
    with database.with_name(f"{database.name}.{job}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _refused(job) from None
        yield


def _refused(job: str) -> AlreadyRunningError:
    return AlreadyRunningError(
        f"Another `triage {job}` is running on this store.",
        hint="Nothing was done. Wait until it ends, then try again.",
    )
