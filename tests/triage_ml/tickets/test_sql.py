"""Tickets from a database; no message holds a credential or a row."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from triage_ml.errors import InputError
from triage_ml.tickets.sql import read_sql


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = tmp_path / "desk.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE incident (number TEXT, subject TEXT, opened TIMESTAMP, minutes INTEGER)")
    connection.execute(
        "INSERT INTO incident VALUES ('INC1', 'VPN down', '2026-11-22 03:04:05', 12), ('INC2', 'x', NULL, NULL)"
    )
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


@pytest.mark.parametrize("query", ["incident", "main.incident", "SELECT * FROM incident ORDER BY number"])
def test_a_table_or_a_query(database: str, query: str) -> None:
    raw = read_sql(database, query)
    assert raw.frame["number"].tolist() == ["INC1", "INC2"]
    assert raw.frame["minutes"].iloc[0] == 12
    assert raw.where(1).endswith("desk.db, row 2")


def test_a_table_that_is_not_there(database: str) -> None:
    message = f"{database}: the database refused the query (no such table: incidents)."
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_sql(database, "incidents")


def test_an_address_that_is_none() -> None:
    message = (
        "The address after --sql is no SQLAlchemy URL.\nExpected dialect+driver://user:password@host:port/database."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_sql("joe:s3cret@host", "t")


def test_a_driver_that_is_not_installed() -> None:
    message = (
        "nosuch://host/db: no driver for nosuch is installed.\n"
        "Install it, for PostgreSQL with pip install 'triage-ml[postgres]'."
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        read_sql("nosuch://joe:s3cret@host/db", "t")


@pytest.mark.needs_postgres
def test_no_credential_in_an_error() -> None:
    url = "postgresql+psycopg://joe:s3cret@127.0.0.1:1/db?application_name=pa55&connect_timeout=2"
    with pytest.raises(
        InputError, match=r"^postgresql\+psycopg://127\.0\.0\.1:1/db: the database can't be reached \("
    ) as caught:
        read_sql(url, "t")
    assert not re.search("joe|s3cret|pa55", str(caught.value))


@pytest.mark.needs_postgres
def test_postgres_types_become_cells(postgres_url: str) -> None:
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "CREATE TABLE t AS SELECT 7 AS id, 'a' AS title, now() AS opened_at, interval '90 min' AS effort, "
                "DATE '2026-11-22' AS day, '{\"a\": 1}'::jsonb AS extra, NULL::int AS nothing"
            )
        )
    engine.dispose()
    frame = read_sql(postgres_url, "t").frame
    assert frame["day"].tolist() == ["2026-11-22"]
    assert frame["extra"].tolist() == ['{"a":1}']
    assert frame["effort"].dt.total_seconds().tolist() == [5400]
    assert frame["opened_at"].dt.tz is not None
    assert frame["nothing"].isna().all()
