"""A store: one engine whose schema is right, and transactions whose errors are ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import sqlalchemy as sa
from sqlalchemy import exc

from triage_ml.errors import StoreError
from triage_ml.store.engine import READ_ONLY, make_engine, shown
from triage_ml.store.locks import hold
from triage_ml.store.migrate import check_schema, stored_revision, touch_schema, upgrade_schema

__all__ = ["Store", "open_store"]

#: A mistake of ours, not a database that is away: these keep their own type.
OUR_MISTAKES = (exc.IntegrityError, exc.ProgrammingError, exc.DataError)


class Store:
    """The database of predictions, patterns, decisions and keys. Safe to share between threads."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @property
    def where(self) -> str:
        """Where the store is, without credentials."""
        return shown(self._engine.url)

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A transaction that may write; committed (and on disk) when the block ends well, else rolled back.

        Two that read and then write the same row lose nothing on SQLite, where the second waits. On PostgreSQL use one
        statement (`ON CONFLICT`) or `with_for_update()`.

        Raises
        ------
        StoreError
            The database can't be reached, read or written; nothing was committed as far as is known.
        """
        with self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A consistent view without a write lock. Don't write in it."""
        with self._translated(), self._engine.connect() as connection:
            connection = connection.execution_options(**{READ_ONLY: True})
            with connection.begin():
                yield connection

    @contextmanager
    def only_one(self, job: str) -> Iterator[Callable[[], None]]:
        """Let no other process do this job on the same store meanwhile, as long as this one lives.

        What it gives is called before something is done for good: it raises StoreError where the lock was lost meanwhile.

        Raises
        ------
        AlreadyRunningError
            Another process does it now; nobody waits.
        """
        with self._translated(), ExitStack() as held:
            check = held.enter_context(hold(self._engine, job))
            lock = held.pop_all()
        with lock:
            yield check

    def check_writable(self) -> None:
        """Write one row and commit it: nothing less shows a full disk or a read-only file. Raises StoreError."""
        with self.begin() as connection:
            touch_schema(connection)

    def schema(self) -> str | None:
        """The revision that the schema is at."""
        with self.read() as connection:
            return stored_revision(connection)

    def close(self) -> None:
        """Close the pooled connections; the store can be used again afterwards."""
        self._engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OUR_MISTAKES:
            raise
        except (exc.DBAPIError, exc.TimeoutError) as error:
            raise StoreError(f"{self.where}: {_reason(error)}", hint=_hint(error)) from None


def open_store(url: str, *, create: bool = True) -> Store:
    """Open the store at a SQLAlchemy URL (`sqlite:///PATH` or `postgresql://…`).

    Parameters
    ----------
    create
        Create what is missing and migrate an older schema. Without it a store that is not ready is an error.

    Raises
    ------
    StoreError
        The database can't be reached or written, or (without `create`) is not ready.
    StoreVersionError
        A later version of triage-ml wrote it.
    """
    store = Store(make_engine(url))
    try:
        if create:
            with store.begin() as connection:
                upgrade_schema(connection, where=store.where)
        else:
            with store.read() as connection:
                check_schema(connection, where=store.where)
    except BaseException:
        store.close()
        raise
    return store


def _reason(error: exc.SQLAlchemyError) -> str:
    """What the driver said, in one line. Drivers name hosts and users there, never passwords or parameters."""
    if isinstance(error, exc.TimeoutError):
        return "the store has no free connection."
    original = getattr(error, "orig", None)
    first = str(original).strip().splitlines()[0] if original and str(original).strip() else type(error).__name__
    return f"the store can't be used ({first.rstrip('.')})."


def _hint(error: exc.SQLAlchemyError) -> str:
    said = str(getattr(error, "orig", "")).lower()
    if "locked" in said:
        return "Another process holds the database; try again, or use PostgreSQL for several writers."
    if "readonly" in said or "read-only" in said or "unable to open" in said:
        return "Check that the folder and the file can be written by this user."
    if "full" in said:
        return "The disk is full: make room, or prune with `triage store prune`."
    return "Check [store] url and that the database is up."
