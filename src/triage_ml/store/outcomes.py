"""Outcomes: what became of a ticket, as its system reported it. Rows are only ever added; the same one twice is one.

An outcome joins the prediction that it names, else the last one stored before the ticket was resolved (else before the
outcome was received). Of several outcomes of a ticket the newest `resolved_at` holds. Outcomes of tickets that were never
scored are kept: somebody routed them by hand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

import orjson
import sqlalchemy as sa

from triage_ml.store.predictions import Prediction, from_row, predictions
from triage_ml.store.schema import BigId, Instant, insert_new, metadata

__all__ = [
    "SOURCES",
    "ClosedTicket",
    "Outcome",
    "Source",
    "add_outcome",
    "closed_tickets",
    "joined_prediction",
    "outcomes_of_ticket",
]

Source = Literal["person_corrected", "person_confirmed", "closed_untouched", "automation"]
SOURCES: tuple[Source, ...] = get_args(Source)

#: Our own clock may step back between a prediction and its outcome, and workers on several machines differ a little.
CLOCK_SLACK = timedelta(minutes=5)

outcomes = sa.Table(
    "outcomes",
    metadata,
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


@dataclass(frozen=True)
class Outcome:
    """One report. `labels` maps targets to what was right; `prediction_id` is what the sender named, if anything."""

    outcome_id: str
    ticket_id: str
    labels: Mapping[str, str]
    source: Source
    received_at: datetime
    prediction_id: str | None = None
    resolved_at: datetime | None = None
    effort_minutes: float | None = None

    @property
    def fingerprint(self) -> str:
        """The same for the same report, whenever it comes and however its time zone was written."""
        said = {
            "ticket_id": self.ticket_id,
            "labels": self.labels,
            "source": self.source,
            "prediction_id": self.prediction_id,
            "resolved_at": self.resolved_at.astimezone(UTC) if self.resolved_at else None,
            "effort_minutes": self.effort_minutes,
        }
        return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()

    @property
    def closed_at(self) -> datetime:
        """When the ticket was resolved, as far as is known."""
        return self.resolved_at or self.received_at


@dataclass(frozen=True)
class ClosedTicket:
    """The outcome that holds for a ticket, and the prediction that it speaks about, if there is one."""

    outcome: Outcome
    prediction: Prediction | None


def add_outcome(connection: sa.Connection, outcome: Outcome) -> tuple[Outcome, bool]:
    """Store an outcome; returns what is stored, and whether it is new."""
    values = {**vars(outcome), "fingerprint": outcome.fingerprint}
    if insert_new(connection, outcomes, values, "fingerprint"):
        return outcome, True
    query = sa.select(outcomes).where(outcomes.c.fingerprint == outcome.fingerprint)
    return _from_row(connection.execute(query).mappings().one()), False


def outcomes_of_ticket(connection: sa.Connection, ticket_id: str, *, limit: int = 100) -> list[Outcome]:
    """The outcomes of a ticket, newest first; the first one holds."""
    query = sa.select(outcomes).where(outcomes.c.ticket_id == ticket_id).order_by(*_newest()).limit(limit)
    return [_from_row(row) for row in connection.execute(query).mappings()]


def joined_prediction(connection: sa.Connection, outcome: Outcome) -> Prediction | None:
    """The prediction that an outcome speaks about."""
    latest = outcome.resolved_at or outcome.received_at + CLOCK_SLACK
    query = (
        sa.select(predictions)
        .where(predictions.c.ticket_id == outcome.ticket_id)
        .where(sa.or_(predictions.c.stored_at <= latest, predictions.c.prediction_id == outcome.prediction_id))
        .order_by((predictions.c.prediction_id == (outcome.prediction_id or "")).desc(), predictions.c.number.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else from_row(row)


def closed_tickets(connection: sa.Connection, *, since: datetime | None = None) -> list[ClosedTicket]:
    """One entry a ticket that has an outcome received at or after `since`, in the order of receipt."""
    place = sa.func.row_number().over(partition_by=outcomes.c.ticket_id, order_by=_newest()).label("place")
    ranked = sa.select(outcomes, place).subquery()
    query = sa.select(ranked).where(ranked.c.place == 1).order_by(ranked.c.number)
    if since is not None:
        query = query.where(ranked.c.received_at >= since)
    found = [_from_row(row) for row in connection.execute(query).mappings()]
    return [ClosedTicket(outcome, joined_prediction(connection, outcome)) for outcome in found]


def _newest() -> tuple[sa.UnaryExpression[Any], ...]:
    return sa.func.coalesce(outcomes.c.resolved_at, outcomes.c.received_at).desc(), outcomes.c.number.desc()


def _from_row(row: sa.RowMapping) -> Outcome:
    return Outcome(**{name: row[name] for name in Outcome.__dataclass_fields__})
