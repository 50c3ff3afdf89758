"""The tables that the modules declare and the tables that the migrations make are the same; what is old is brought along."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from triage_ml.store import Outcome, Prediction, Store, add_predictions, migrate, new_id, open_store
from triage_ml.store.schema import metadata

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_migrations_make_the_tables_that_the_code_declares(store: Store) -> None:
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def at_revision(store_url: str, revision: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a store as an earlier version left it."""
    (folder / "versions").mkdir(parents=True)
    for script in (migrate.FOLDER / "versions").glob("0*.py"):
        if script.name[:4] <= revision:
            (folder / "versions" / script.name).write_text(script.read_text())
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "FOLDER", folder)
        store = open_store(store_url)
        assert store.schema() == revision
        store.close()
    return store_url


@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004", "0005"])
def test_a_store_of_any_earlier_version_is_migrated(
    store_url: str, revision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(at_revision(store_url, revision, tmp_path / "earlier", monkeypatch))
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    store.close()


@pytest.fixture
def before_0006(store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a store that is still at schema 0005."""
    return at_revision(store_url, "0005", tmp_path / "earlier", monkeypatch)


def test_outcomes_of_an_earlier_version_join_the_predictions_that_they_joined(before_0006: str) -> None:
    engine = sa.create_engine(before_0006.replace("postgresql:", "postgresql+psycopg:"))
    rows = [
        Prediction(new_id(NOON), "A", NOON + hours * HOUR, "7", "sha256:0a", "auto", "confident", {}, {})
        for hours in (0, 1, 9)
    ]
    with engine.begin() as connection:
        add_predictions(connection, rows)
        for number, (named, resolved_at) in enumerate([(rows[2], None), (None, NOON + HOUR), (None, None)]):
            said = Outcome(
                f"o{number}",
                "A",
                {"tier": f"L{number}"},
                "automation",
                NOON + (3 + number) * HOUR,
                named.prediction_id if named else None,
                resolved_at,
            )
            table = metadata.tables["outcomes"]
            kept = {**vars(said), "fingerprint": said.fingerprint}
            connection.execute(sa.insert(table).values(kept))
    engine.dispose()
    store = open_store(before_0006)
    with store.read() as connection:
        query = sa.text("SELECT outcome_id, joined_id FROM outcomes ORDER BY number")
        joined = {row.outcome_id: row.joined_id for row in connection.execute(query)}
    store.close()
    assert joined == {"o0": rows[2].prediction_id, "o1": rows[1].prediction_id, "o2": rows[1].prediction_id}
