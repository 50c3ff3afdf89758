"""What all tables share: one metadata, names for constraints, and the two types that databases disagree about.

Each concern keeps its tables in a module of its own (`predictions.py`, `keys.py`, …) and hangs them on `metadata`.
A new table goes into its module *and* into a migration; `tests/triage_ml/store/test_migrate.py` holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["BigId", "Connection", "Instant", "insert_new", "metadata"]

#: A transaction, for those who pass one on and know no SQL.
Connection = sa.Connection

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


class Instant(sa.TypeDecorator[datetime]):
    """A moment in UTC. SQLite forgets the zone, so it is converted on the way in and put back on the way out."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Convert to UTC; a naive time is a bug of the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("expected a time with a zone, found a naive one")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


#: A key that the database counts up itself; SQLite does that for INTEGER alone.
BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def insert_new(connection: sa.Connection, table: sa.Table, values: Mapping[str, Any], *unique: str) -> bool:
    """Insert a row unless one with the same `unique` columns is there; True where it was inserted."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(table).on_conflict_do_nothing(index_elements=unique)
    return connection.execute(insert.returning(table.c[unique[0]]), dict(values)).first() is not None
