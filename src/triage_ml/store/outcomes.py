"""Outcomes: what became of a ticket, as its system reported it. Rows are only ever added; the same one twice is one.

An outcome joins the prediction that it names, else the last one stored before the ticket was resolved (else before the
outcome was received, by the order of storing, which no clock can change). That is settled when it comes in: a ticket that is
scored again afterwards has nothing to do with it. Of several outcomes of a ticket the newest `resolved_at` holds. Outcomes of
tickets that were never scored are kept: somebody routed them by hand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
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
    "holding_outcomes",
    "outcomes",
    "outcomes_of_ticket",
]

Source = Literal["person_corrected", "person_confirmed", "closed_untouched", "automation"]
SOURCES: tuple[Source, ...] = get_args(Source)

outcomes = sa.Table(
    "outcomes",
    metadata,
    sa.Column("number", BigId, primary_key=True),
    sa.Column("outcome_id", sa.String(36), nullable=False, unique=True),
    sa.Column("fingerprint", sa.String(64), nullable=False, unique=True),
    sa.Column("ticket_id", sa.String(200), nullable=False, index=True),
    sa.Column("prediction_id", sa.String(36)),  # what the sender named
    sa.Column("joined_id", sa.String(36)),  # what it speaks about
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
    """An outcome of a ticket, and the prediction that it speaks about, if there is one."""

    outcome: Outcome
    prediction: Prediction | None


def add_outcome(connection: sa.Connection, outcome: Outcome) -> tuple[ClosedTicket, bool]:
    """Store an outcome; returns what is stored, with the prediction that it joined, and whether it is new."""
    prediction = _last_before(connection, outcome)
    joined_id = prediction.prediction_id if prediction else None
    values = {**vars(outcome), "fingerprint": outcome.fingerprint, "joined_id": joined_id}
    if insert_new(connection, outcomes, values, "fingerprint"):
        return ClosedTicket(outcome, prediction), True
    query = _joined(outcomes).where(outcomes.c.fingerprint == outcome.fingerprint)
    return _closed(connection.execute(query).one()), False


def outcomes_of_ticket(connection: sa.Connection, ticket_id: str, *, limit: int = 100) -> list[Outcome]:
    """The outcomes of a ticket, newest first; the first one holds."""
    query = sa.select(outcomes).where(outcomes.c.ticket_id == ticket_id).order_by(*_newest()).limit(limit)
    return [_from_row(row) for row in connection.execute(query).mappings()]


def closed_tickets(connection: sa.Connection, *, since: datetime | None = None) -> list[ClosedTicket]:
    """One entry a ticket that has an outcome received at or after `since`, the one that holds, in the order of receipt."""
    held = holding_outcomes()
    query = _joined(held).order_by(held.c.number)
    if since is not None:
        query = query.where(held.c.received_at >= since)
    return [_closed(row) for row in connection.execute(query)]


def holding_outcomes() -> sa.Subquery:
    """The outcome that holds for each ticket."""
    place = sa.func.row_number().over(partition_by=outcomes.c.ticket_id, order_by=_newest()).label("place")
    ranked = sa.select(outcomes, place).subquery()
    return sa.select(ranked).where(ranked.c.place == 1).subquery()


def _last_before(connection: sa.Connection, outcome: Outcome) -> Prediction | None:
    """The prediction that a new outcome speaks about."""
    query = sa.select(predictions).where(predictions.c.ticket_id == outcome.ticket_id)
    is_named = predictions.c.prediction_id == (outcome.prediction_id or "")
    if outcome.resolved_at is not None:
        query = query.where(sa.or_(predictions.c.stored_at <= outcome.resolved_at, is_named))
    query = query.order_by(is_named.desc(), predictions.c.number.desc()).limit(1)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else from_row(row)


def _joined(reports: sa.FromClause) -> sa.Select[Any]:
    """Outcomes beside the predictions that they speak about, each column under its table's name."""
    joined = reports.outerjoin(predictions, predictions.c.prediction_id == reports.c.joined_id)
    asked = [reports.c[name].label(f"outcome.{name}") for name in Outcome.__dataclass_fields__]
    answered = [predictions.c[name].label(f"prediction.{name}") for name in Prediction.__dataclass_fields__]
    return sa.select(*asked, *answered).select_from(joined)


def _closed(row: sa.Row[Any]) -> ClosedTicket:
    """A row of `_joined`."""
    of_outcome = len(Outcome.__dataclass_fields__)
    prediction = Prediction(*row[of_outcome:]) if row[of_outcome] is not None else None
    return ClosedTicket(Outcome(*row[:of_outcome]), prediction)


def _newest() -> tuple[sa.UnaryExpression[Any], ...]:
    return sa.func.coalesce(outcomes.c.resolved_at, outcomes.c.received_at).desc(), outcomes.c.number.desc()


def _from_row(row: sa.RowMapping) -> Outcome:
    return Outcome(**{name: row[name] for name in Outcome.__dataclass_fields__})
