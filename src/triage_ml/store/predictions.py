"""Predictions: what was answered to whom, by which model. Rows are only ever added, and pruned by age."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import repeat
from random import Random
from typing import Any

import orjson
import sqlalchemy as sa

from triage_ml.store.schema import BigId, Instant, metadata

__all__ = [
    "Prediction",
    "add_predictions",
    "answers_by_id",
    "from_row",
    "new_id",
    "predictions",
    "predictions_of_ticket",
]

predictions = sa.Table(
    "predictions",
    metadata,
    sa.Column("number", BigId, primary_key=True),  # the order of storing, also when the clock steps back
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

#: Seeded by the system once; asking it for every id would cost a system call, in a hot path of the service.
_random = Random()  # noqa: S311
os.register_at_fork(after_in_child=_random.seed)
_62_BITS = (1 << 62) - 1


@dataclass(frozen=True)
class Prediction:
    """One stored answer.

    `ticket` is what was asked, with its text redacted or left out, as the caller decided. `answer` is the JSON that left.
    """

    prediction_id: str
    ticket_id: str
    stored_at: datetime
    model_version: str
    digest: str
    action: str
    reason: str
    ticket: Mapping[str, Any]
    answer: Mapping[str, Any]


def new_id(now: datetime) -> str:
    """A UUID of version 7: milliseconds first, so that rows of one hour lie together in the index. An id, not a secret."""
    milliseconds = int(now.timestamp() * 1000) & (1 << 48) - 1
    chance = _random.getrandbits(74)
    # 12 random bits behind the version, 62 behind the variant (binary 10).
    digits = f"{milliseconds:012x}{0x7000 | chance >> 62:04x}{1 << 63 | chance & _62_BITS:016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def add_predictions(
    connection: sa.Connection, rows: Iterable[Prediction], *, bodies: Sequence[bytes] | None = None
) -> None:
    """Add predictions in one statement; they are durable when the transaction ends.

    Parameters
    ----------
    bodies
        The answers of the rows as JSON, where the caller has it already.
    """
    given = list(zip(rows, repeat(None) if bodies is None else bodies, strict=bodies is not None))
    if not given:
        return
    if connection.dialect.name == "sqlite":
        # The hot path of the service: what SQLAlchemy does around one row takes longer than SQLite does with it.
        connection.exec_driver_sql(_SQLITE_INSERT, _sqlite_rows(given))
        return
    values = [dict(vars(row)) | ({"answer": body} if body else {}) for row, body in given]
    # With RETURNING SQLAlchemy sends many rows as one statement, without it one by one.
    connection.execute(sa.insert(predictions).returning(predictions.c.number), values).all()


_SQLITE_INSERT = (
    "INSERT INTO predictions (prediction_id, ticket_id, stored_at, model_version, digest, action, reason, ticket, answer) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def _sqlite_rows(given: Iterable[tuple[Prediction, bytes | None]]) -> list[tuple[str, ...]]:
    """The values as SQLAlchemy's types would write them."""
    moments: dict[datetime, str] = {}  # rows of one transaction share theirs
    rows: list[tuple[str, ...]] = []
    for row, body in given:
        if (stored_at := moments.get(row.stored_at)) is None:
            stored_at = moments[row.stored_at] = f"{row.stored_at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
        ticket, answer = orjson.dumps(row.ticket).decode(), (body or orjson.dumps(row.answer)).decode()
        rows.append(
            (
                row.prediction_id,
                row.ticket_id,
                stored_at,
                row.model_version,
                row.digest,
                row.action,
                row.reason,
                ticket,
                answer,
            )
        )
    return rows


def predictions_of_ticket(connection: sa.Connection, ticket_id: str, *, limit: int = 100) -> list[Prediction]:
    """The latest predictions of a ticket, newest first."""
    query = (
        sa.select(predictions)
        .where(predictions.c.ticket_id == ticket_id)
        .order_by(predictions.c.number.desc())
        .limit(limit)
    )
    return [from_row(row) for row in connection.execute(query).mappings()]


def answers_by_id(connection: sa.Connection, prediction_ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """The answers with these ids, by id; one that is unknown, or was forgotten, is not among them."""
    query = sa.select(predictions.c.prediction_id, predictions.c.answer)
    rows = connection.execute(query.where(predictions.c.prediction_id.in_(prediction_ids)))
    return {row.prediction_id: row.answer for row in rows}


def from_row(row: sa.RowMapping) -> Prediction:
    """A row of `predictions` as what it stands for."""
    return Prediction(**{name: value for name, value in row.items() if name != "number"})
