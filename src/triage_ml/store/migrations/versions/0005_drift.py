"""What `triage drift` found, by week."""

import sqlalchemy as sa
from alembic import op

from triage_ml.store.schema import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "drift_weeks",
        sa.Column("week", sa.String(8), primary_key=True),
        sa.Column("judged_at", Instant, nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("figures", sa.JSON, nullable=False),
    )
