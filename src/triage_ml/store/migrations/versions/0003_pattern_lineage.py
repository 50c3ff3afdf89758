"""What became of patterns: state, lineage, variants, themes, evidence, and proposals to merge or split them."""

import sqlalchemy as sa
from alembic import op

from triage_ml.store.schema import BigId, Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns to `patterns` and `ticket_facts`, and three tables."""
    with op.batch_alter_table("patterns") as table:
        table.add_column(sa.Column("state", sa.String(10), nullable=False, server_default="live"))
        table.add_column(sa.Column("merged_into", sa.String(16)))
        table.add_column(sa.Column("last_seen", sa.String(8)))
        table.add_column(sa.Column("theme_id", sa.String(16)))
        table.add_column(sa.Column("variants", sa.JSON))
    with op.batch_alter_table("ticket_facts") as table:
        table.add_column(sa.Column("variant_id", sa.String(20)))
    op.create_table(
        "pattern_lineage",
        sa.Column("number", BigId, primary_key=True),
        sa.Column("pattern_id", sa.String(16), nullable=False, index=True),
        sa.Column("week", sa.String(8), nullable=False),
        sa.Column("event", sa.String(12), nullable=False),
        sa.Column("other", sa.String(16)),
        sa.Column("recorded_at", Instant, nullable=False),
    )
    op.create_table(
        "pattern_evidence",
        sa.Column("pattern_id", sa.String(16), primary_key=True),
        sa.Column("week", sa.String(8), nullable=False),
        sa.Column("figures", sa.JSON, nullable=False),
    )
    op.create_table(
        "pattern_proposals",
        sa.Column("number", BigId, primary_key=True),
        sa.Column("action", sa.String(10), nullable=False),
        sa.Column("pattern_id", sa.String(16), nullable=False),
        sa.Column("other", sa.String(16)),
        sa.Column("likeness", sa.Float, nullable=False),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("proposed_at", Instant, nullable=False),
    )
