"""The schema, brought to this program's version. Two processes that open a fresh store at once take turns."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory

from triage_ml.errors import StoreError, StoreVersionError
from triage_ml.store.schema import metadata

__all__ = ["check_schema", "stored_revision", "touch_schema", "upgrade_schema"]

FOLDER = Path(__file__).parent / "migrations"
ADVISORY_LOCK = 7_423_891  # any number, the same in every process


def upgrade_schema(connection: sa.Connection, *, where: str) -> str | None:
    """Run what is missing, inside the caller's transaction; returns the revision that was there before.

    The lock is taken before the revision is read: on SQLite by BEGIN IMMEDIATE, on PostgreSQL by an advisory lock.

    Raises
    ------
    StoreVersionError
        The schema is newer than this program.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(
            sa.text("SET LOCAL lock_timeout = 0")
        )  # another worker may be migrating, for as long as it takes
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ADVISORY_LOCK)))
    scripts = ScriptDirectory(str(FOLDER))
    before = stored_revision(connection)
    if before == scripts.get_current_head():
        return before
    _refuse_newer(scripts, before, where)

    def missing(revision: str, _context: MigrationContext) -> list[RevisionStep]:
        return scripts._upgrade_revs("head", revision)

    with EnvironmentContext(Config(), scripts, fn=missing) as environment:
        environment.configure(connection=connection, target_metadata=metadata)
        environment.run_migrations()
    return before


def check_schema(connection: sa.Connection, *, where: str) -> None:
    """Raise StoreError unless the schema is exactly this program's."""
    scripts = ScriptDirectory(str(FOLDER))
    found = stored_revision(connection)
    if found == scripts.get_current_head():
        return
    _refuse_newer(scripts, found, where)
    state = "has no tables yet" if found is None else f"is at schema {found}, older than this program's"
    raise StoreError(f"{where}: the store {state}.", hint="Run: triage store upgrade")


def stored_revision(connection: sa.Connection) -> str | None:
    """The revision that the database is at; None for one without our tables."""
    return MigrationContext.configure(connection).get_current_revision()


def touch_schema(connection: sa.Connection) -> None:
    """Write the revision again as it is."""
    connection.execute(sa.text("UPDATE alembic_version SET version_num = version_num"))


def _refuse_newer(scripts: ScriptDirectory, found: str | None, where: str) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    if found is not None and found not in known:
        raise StoreVersionError(
            f"{where}: the store is at schema {found}; this version of triage-ml knows up to "
            f"{scripts.get_current_head()}.",
            hint="Upgrade triage-ml to the version that wrote it, or use another store.",
        )
