"""Which prediction an outcome speaks about, kept from when it came in."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column to `outcomes`; those of before join as they did, without slack for a clock that stepped back."""
    op.add_column("outcomes", sa.Column("joined_id", sa.String(36)))
    op.execute(_JOINED)


_JOINED = """
UPDATE outcomes SET joined_id = coalesce(
    (SELECT predictions.prediction_id FROM predictions
     WHERE predictions.ticket_id = outcomes.ticket_id AND predictions.prediction_id = outcomes.prediction_id),
    (SELECT predictions.prediction_id FROM predictions
     WHERE predictions.ticket_id = outcomes.ticket_id
       AND predictions.stored_at <= coalesce(outcomes.resolved_at, outcomes.received_at)
     ORDER BY predictions.number DESC LIMIT 1)
)
"""
