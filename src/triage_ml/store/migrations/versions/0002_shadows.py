"""What challengers said, and what people signed before going live."""

import sqlalchemy as sa
from alembic import op

from triage_ml.store.schema import BigId, Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "shadows",
        sa.Column("prediction_id", sa.String(36), primary_key=True),
        sa.Column("model_version", sa.String(64), primary_key=True),
        sa.Column("stored_at", Instant, nullable=False, index=True),
        sa.Column("targets", sa.JSON, nullable=False),
    )
    op.create_table(
        "confirmations",
        sa.Column("number", BigId, primary_key=True),
        sa.Column("what", sa.String(40), nullable=False, index=True),
        sa.Column("signed_by", sa.String(200), nullable=False),
        sa.Column("signed_at", Instant, nullable=False),
    )
