"""Work counted by week, whether tickets kept their service level, and which digests were sent."""

import sqlalchemy as sa
from alembic import op

from triage_ml.store.schema import BigId, Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column to `ticket_facts` and two tables; what was mined before is counted."""
    op.add_column("ticket_facts", sa.Column("sla_met", sa.Boolean))
    op.create_table(
        "work",
        sa.Column("number", BigId, primary_key=True),
        sa.Column("week", sa.String(8), nullable=False, index=True),
        sa.Column("pattern_id", sa.String(16), index=True),
        sa.Column("tier", sa.String(200)),
        sa.Column("activity", sa.String(200)),
        sa.Column("passed_on", sa.Boolean, nullable=False),
        sa.Column("tickets", sa.Integer, nullable=False),
        sa.Column("logged", sa.Integer, nullable=False),
        sa.Column("minutes", sa.Float, nullable=False),
        sa.Column("handoffs", sa.Float, nullable=False),
        sa.Column("handoffs_known", sa.Integer, nullable=False),
        sa.Column("reopened", sa.Integer, nullable=False),
        sa.Column("reopens", sa.Float, nullable=False),
        sa.Column("reopens_known", sa.Integer, nullable=False),
        sa.Column("sla_met", sa.Integer, nullable=False),
        sa.Column("sla_known", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "deliveries",
        sa.Column("week", sa.String(8), primary_key=True),
        sa.Column("channel", sa.String(20), primary_key=True),
        sa.Column("recipients", sa.String(64), primary_key=True),
        sa.Column("claimed_at", Instant, nullable=False),
        sa.Column("sent_at", Instant),
    )
    op.execute(_COUNTED)


_COUNTED = """
INSERT INTO work (week, pattern_id, tier, activity, passed_on, tickets, logged, minutes, handoffs, handoffs_known,
                  reopened, reopens, reopens_known, sla_met, sla_known)
SELECT week, pattern_id, tier, activity, coalesce(handoffs, 0) > 0, count(*), count(effort_minutes),
       coalesce(sum(effort_minutes), 0.0), coalesce(sum(handoffs), 0.0), count(handoffs),
       sum(CASE WHEN coalesce(reopens, 0) > 0 THEN 1 ELSE 0 END), coalesce(sum(reopens), 0.0), count(reopens), 0, 0
FROM ticket_facts GROUP BY week, pattern_id, tier, activity, coalesce(handoffs, 0) > 0
"""
