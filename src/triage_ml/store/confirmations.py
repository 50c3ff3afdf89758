"""What nobody can measure and somebody signed: that alerts are in place, who is responsible. Rows are only ever added."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from triage_ml.store.schema import BigId, Instant, metadata

__all__ = ["Confirmation", "add_confirmation", "latest_confirmations"]

confirmations = sa.Table(
    "confirmations",
    metadata,
    sa.Column("number", BigId, primary_key=True),
    sa.Column("what", sa.String(40), nullable=False, index=True),
    sa.Column("signed_by", sa.String(200), nullable=False),
    sa.Column("signed_at", Instant, nullable=False),
)


@dataclass(frozen=True)
class Confirmation:
    """Who signed what, and when."""

    what: str
    signed_by: str
    signed_at: datetime


def add_confirmation(connection: sa.Connection, confirmation: Confirmation) -> None:
    """Sign something; it takes the place of what was signed of it before."""
    connection.execute(sa.insert(confirmations), dict(vars(confirmation)))


def latest_confirmations(connection: sa.Connection) -> dict[str, Confirmation]:
    """The last signature of each thing."""
    names = ("what", "signed_by", "signed_at")
    query = sa.select(*(confirmations.c[name] for name in names)).order_by(confirmations.c.number)
    return {row["what"]: Confirmation(**row) for row in connection.execute(query).mappings()}
