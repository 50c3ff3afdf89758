"""The tables that the modules declare and the tables that the migrations make are the same."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from triage_ml.store import Store
from triage_ml.store.schema import metadata


def test_migrations_make_the_tables_that_the_code_declares(store: Store) -> None:
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
