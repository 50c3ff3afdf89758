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
