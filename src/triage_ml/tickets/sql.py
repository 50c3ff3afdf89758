"""Tickets from a database, by any SQLAlchemy URL. No message holds a credential or a row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pandas as pd
import sqlalchemy as sa

from triage_ml.errors import InputError
from triage_ml.tickets.dtypes import STRING
from triage_ml.tickets.raw import Raw, origin_of

__all__ = ["read_sql"]

CHUNK_ROWS = 50_000
_TABLE_NAME = re.compile(r"\w+(?:\.\w+)?")


def read_sql(url: str, query: str) -> Raw:
    """Read what a query returns; rows count from 1.

    Parameters
    ----------
    url
        SQLAlchemy URL, with the driver installed.
    query
        A SELECT, or the name of a table or view (`tickets`, `itsm.incident`).

    Raises
    ------
    InputError
        The URL can't be read, the driver is missing, the database does not answer, or the query fails.
    """
    address = _parse_url(url)
    source = _without_credentials(address)
    with _engine(address, source) as engine, _plain_errors(source, "can't be reached", address):
        connection = engine.connect()
        with connection, _plain_errors(source, "refused the query", address):
            parts = [_as_cells(part) for part in _chunks(connection, query)]
    frame = pd.concat(parts, ignore_index=True)
    return Raw(frame, origin_of(source, range(1, len(frame) + 1)))


def _parse_url(url: str) -> sa.URL:
    try:
        return sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise InputError(
            "The address after --sql is no SQLAlchemy URL.",
            hint="Expected dialect+driver://user:password@host:port/database.",
        ) from None


def _without_credentials(address: sa.URL) -> str:
    """Dialect, host and database; a password may also stand in the query part."""
    bare = sa.URL.create(address.drivername, host=address.host, port=address.port, database=address.database)
    return bare.render_as_string()


@contextmanager
def _engine(address: sa.URL, source: str) -> Iterator[sa.Engine]:
    try:
        engine = sa.create_engine(address)
    except (ImportError, sa.exc.NoSuchModuleError):
        raise InputError(
            f"{source}: no driver for {address.drivername} is installed.",
            hint="Install it, for PostgreSQL with pip install 'triage-ml[postgres]'.",
        ) from None
    except (sa.exc.SQLAlchemyError, TypeError, ValueError) as error:
        raise InputError(f"{source}: the address can't be used ({type(error).__name__}).") from None
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _plain_errors(source: str, what: str, address: sa.URL) -> Iterator[None]:
    try:
        yield
    except (sa.exc.SQLAlchemyError, pd.errors.DatabaseError) as error:
        # pandas wraps the error, and quotes the statement with its values.
        cause = error.__cause__ if isinstance(error, pd.errors.DatabaseError) else error
        raise InputError(f"{source}: the database {what} ({_reason(cause, address)}).") from None


def _reason(error: BaseException | None, address: sa.URL) -> str:
    """The driver's first line, unless it may hold data; without user and password."""
    original = getattr(error, "orig", None) or error
    if not isinstance(error, sa.exc.OperationalError | sa.exc.ProgrammingError):
        return type(original).__name__
    text = str(original).strip().splitlines()[0]
    for secret in (address.password, address.username):
        if secret:
            text = text.replace(str(secret), "***")
    return text


def _chunks(connection: sa.Connection, query: str) -> Iterator[pd.DataFrame]:
    streamed = connection.execution_options(stream_results=True)
    yield from pd.read_sql_query(_statement(query), streamed, chunksize=CHUNK_ROWS)


def _statement(query: str) -> sa.TextClause | sa.Select[Any]:
    if not _TABLE_NAME.fullmatch(query.strip()):
        return sa.text(query)
    schema, _, name = query.strip().rpartition(".")
    return sa.select(sa.text("*")).select_from(sa.table(name, schema=schema or None))


def _as_cells(part: pd.DataFrame) -> pd.DataFrame:
    """Columns of mixed objects as strings; numbers and times keep their types."""
    part.columns = part.columns.astype(str)
    for name in part.columns:
        if part[name].dtype == object:
            part[name] = part[name].map(_as_text, na_action="ignore").astype(STRING)
    return part


def _as_text(value: Any) -> str:
    return orjson.dumps(value, default=str).decode() if isinstance(value, dict | list) else str(value)
