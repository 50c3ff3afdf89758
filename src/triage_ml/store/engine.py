"""The engine behind a store: SQLite made safe, PostgreSQL by URL.

SQLite as SQLAlchemy opens it loses updates in silence: the driver starts its transactions late and deferred. So the
driver is told to start none, and every writing transaction starts with BEGIN IMMEDIATE. WAL lets readers go on while
one writes; `synchronous=FULL` makes a commit survive a power cut.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy import event

from triage_ml.errors import StoreError

__all__ = ["READ_ONLY", "make_engine", "shown"]

#: Execution option of a connection that only reads: on SQLite it takes no write lock.
READ_ONLY = "triage_read_only"

BUSY_SECONDS = 15.0
CONNECT_SECONDS = 5
#: PostgreSQL that takes no byte for so long is given up on; without it a cut cable would hold a commit for a quarter of an hour.
SILENT_SECONDS = 15
#: A lock on PostgreSQL that does not come, because somebody migrates or forgot to commit, is an error after so long.
LOCK_SECONDS = 15.0


def make_engine(url: str) -> sa.Engine:
    """An engine for `url`; nothing is opened yet.

    Raises
    ------
    StoreError
        The URL is none, its database is not supported, or its driver is not installed.
    """
    parsed = _parse(url)
    options: dict[str, Any] = {
        "hide_parameters": True,  # parameters hold ticket text, and errors end up in logs
        "json_serializer": lambda value: (value if isinstance(value, bytes) else orjson.dumps(value)).decode(),
        "json_deserializer": orjson.loads,
    }
    if parsed.get_backend_name() == "sqlite":
        engine = sa.create_engine(parsed, connect_args={"timeout": BUSY_SECONDS}, **options)
        _make_sqlite_safe(engine)
        return engine
    try:
        limits = {
            "connect_timeout": CONNECT_SECONDS,
            "tcp_user_timeout": SILENT_SECONDS * 1000,
            "keepalives_idle": SILENT_SECONDS,
            "keepalives_interval": 5,
            "keepalives_count": 3,
        }
        engine = sa.create_engine(parsed, pool_pre_ping=True, connect_args=limits, **options)
    except ModuleNotFoundError as error:
        raise StoreError(
            f"{shown(parsed)}: the driver for this database is not installed ({error.name}).",
            hint="Install it with: pip install 'triage-ml[postgres]'",
        ) from None
    _limit_locks(engine)
    return engine


def shown(url: sa.URL) -> str:
    """The URL as it may be printed: no user, no password, no options."""
    host = f"{url.host}:{url.port}" if url.host and url.port else url.host or ""
    return f"{url.get_backend_name()}://{host}/{url.database or ''}"


def _parse(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise StoreError(
            "The store's URL can't be read.",
            hint="Expected sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE.",
        ) from None
    backend = parsed.get_backend_name()
    if backend in {"postgres", "postgresql"}:
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise StoreError(f"{backend}: the store runs on SQLite or PostgreSQL, not on this database.")
    if not parsed.database or parsed.database == ":memory:":
        raise StoreError("The store needs a file; SQLite in memory can't keep what was acknowledged.")
    if not parsed.database.startswith("file:"):
        _make_parent(Path(parsed.database))
    return parsed


def _make_parent(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{file.parent}: this folder can't be written ({error.strerror}).") from None


def _limit_locks(engine: sa.Engine) -> None:
    """By a statement: as an option of the connection a pooler in between would refuse it."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.execute(f"SET lock_timeout = {LOCK_SECONDS * 1000:.0f}")
        connection.commit()


def _make_sqlite_safe(engine: sa.Engine) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA synchronous=FULL")
        _switch_to_wal(connection)

    @event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        read_only = connection.get_execution_options().get(READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _switch_to_wal(connection: Any) -> None:
    """The busy timeout does not cover the first switch to WAL, so two processes that open a fresh file retry."""
    import sqlite3

    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
