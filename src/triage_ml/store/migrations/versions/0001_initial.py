"""The first schema. Constraint names follow from the naming convention of `triage_ml.store.schema.metadata`."""

import sqlalchemy as sa
from alembic import op

from triage_ml.store.schema import BigId, Instant

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table of the first release, one function a concern."""
    _predictions()
    _keys()
    _outcomes()
    _idempotency()
    _patterns()
    _promotions()
    _decisions()
    _sessions()


def _predictions() -> None:
    op.create_table(
        "predictions",
        sa.Column("number", BigId, primary_key=True),
        sa.Column("prediction_id", sa.String(36), nullable=False, unique=True),
        sa.Column("ticket_id", sa.String(200), nullable=False, index=True),
        sa.Column("stored_at", Instant, nullable=False, index=True),
        sa.Column("model_version", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(80), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("ticket", sa.JSON, nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
    )


def _keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("expires_at", Instant),
        sa.Column("revoked_at", Instant),
        sa.Column("last_used_at", Instant),
    )


def _patterns() -> None:
    op.create_table(
        "patterns",
        sa.Column("pattern_id", sa.String(16), primary_key=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("keywords", sa.JSON, nullable=False),
        sa.Column("examples", sa.JSON, nullable=False),
        sa.Column("born", sa.String(8), nullable=False),
    )
    op.create_table(
        "ticket_facts",
        sa.Column("ticket_id", sa.String(200), primary_key=True),
        sa.Column("week", sa.String(8), nullable=False, index=True),
        sa.Column("digest", sa.String(16), nullable=False),
        sa.Column("text_key", sa.String(16), index=True),
        sa.Column("pattern_id", sa.String(16), index=True),
        sa.Column("similarity", sa.Float),
        sa.Column("tier", sa.String(200)),
        sa.Column("category", sa.String(200)),
        sa.Column("assignment_group", sa.String(200)),
        sa.Column("ticket_type", sa.String(200)),
        sa.Column("channel", sa.String(200)),
        sa.Column("priority", sa.String(200)),
        sa.Column("activity", sa.String(200)),
        sa.Column("article", sa.String(20)),
        sa.Column("effort_minutes", sa.Float),
        sa.Column("handoffs", sa.Float),
        sa.Column("reopens", sa.Float),
    )
    op.create_table(
        "mined_weeks",
        sa.Column("week", sa.String(8), primary_key=True),
        sa.Column("tickets", sa.Integer, nullable=False),
        sa.Column("covered", sa.Float, nullable=False),
    )
    op.create_table(
        "candidates",
        sa.Column("week", sa.String(8), primary_key=True),
        sa.Column("pattern_id", sa.String(16), primary_key=True),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("figures", sa.JSON, nullable=False),
    )
    op.create_table(
        "pattern_bundles",
        sa.Column("number", BigId, primary_key=True),
        sa.Column("digest", sa.String(80), nullable=False),
        sa.Column("published_at", Instant, nullable=False),
    )


def _outcomes() -> None:
    op.create_table(
        "outcomes",
        sa.Column("number", BigId, primary_key=True),
        sa.Column("outcome_id", sa.String(36), nullable=False, unique=True),
        sa.Column("fingerprint", sa.String(64), nullable=False, unique=True),
        sa.Column("ticket_id", sa.String(200), nullable=False, index=True),
        sa.Column("prediction_id", sa.String(36)),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("resolved_at", Instant),
        sa.Column("effort_minutes", sa.Float),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("received_at", Instant, nullable=False, index=True),
    )


def _idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("owner", sa.String(16), primary_key=True),
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("stored_ids", sa.JSON, nullable=False),
        sa.Column("stored_at", Instant, nullable=False, index=True),
    )


def _promotions() -> None:
    op.create_table(
        "promotions",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("replaces", sa.String(64)),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("checks", sa.JSON, nullable=False),
        sa.Column("claimed_at", Instant, nullable=False),
        sa.Column("done_at", Instant),
    )


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("pattern_id", sa.String(16), primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("decided_at", Instant, nullable=False, index=True),
        sa.Column("decided_by", sa.String(200), nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.String(64), primary_key=True),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("started_at", Instant, nullable=False),
        sa.Column("expires_at", Instant, nullable=False, index=True),
    )
