"""Work by week, pattern, tier and activity, counted once so that a page need not read every ticket.

`count_work` counts it anew from the facts of tickets; `triage mine` does so with every week that it writes. A merged
pattern's work is that of the pattern that goes on, from the moment of the merge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from triage_ml.store.patterns import UNDATED, latest_book, patterns, ticket_facts
from triage_ml.store.schema import BigId, metadata

__all__ = ["count_work", "lock_mining", "mining_version", "weekly_work", "work_by_week", "work_version"]

ADVISORY_LOCK = 7_423_892  # any number, the same in every process

work = sa.Table(
    "work",
    metadata,
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

_SAME = ("week", "pattern_id", "tier", "activity", "passed_on")
_SUMS = tuple(column.name for column in work.columns if column.name not in ("number", *_SAME))


def count_work(connection: sa.Connection, since: str = "") -> None:
    """Count the work of the weeks from `since` on anew from the facts of tickets; by default of all weeks.

    Tickets without a date are in none.
    """
    connection.execute(sa.delete(work).where(work.c.week >= since))
    counted = _counted().where(ticket_facts.c.week >= since, ticket_facts.c.week != UNDATED)
    connection.execute(sa.insert(work).from_select([*_SAME, *_SUMS], counted))


def work_version(connection: sa.Connection) -> int:
    """Another number each time that work was counted: what was worked out from it before is out of date then."""
    return connection.scalar(sa.select(sa.func.max(work.c.number))) or 0


def lock_mining(connection: sa.Connection) -> None:
    """Let no other run write what it mined before this transaction ends; on SQLite one that writes is alone anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ADVISORY_LOCK)))


def mining_version(connection: sa.Connection) -> tuple[str | None, int]:
    """Another one each time that a run wrote patterns or facts: what was mined from those before is out of date then."""
    return latest_book(connection), work_version(connection)


def work_by_week(connection: sa.Connection) -> list[Mapping[str, Any]]:
    """Work that was alike, one row each: same week, pattern, tier, activity, and passed on or not."""
    goes_on = _goes_on_as()
    same = [goes_on.label(name) if name == "pattern_id" else work.c[name] for name in _SAME]
    sums = [sa.func.sum(work.c[name]).label(name) for name in _SUMS]
    query = sa.select(*same, *sums).select_from(_WORK_AND_PATTERNS)
    groups = [goes_on if name == "pattern_id" else work.c[name] for name in _SAME]
    rows = connection.execute(query.group_by(*groups).order_by(*groups))
    names = (*_SAME, *_SUMS)
    return [dict(zip(names, row, strict=True)) for row in rows]


def weekly_work(connection: sa.Connection, *, automation_tier: str = "L0") -> list[Mapping[str, Any]]:
    """Week, pattern, tickets, those that an automation closed for good, and people's minutes on the others, by week.

    `automated` leaves out what was reopened; `logged` counts the others that have their effort logged.
    """
    closed = sa.func.coalesce(work.c.tier, "") == automation_tier
    by_people = sa.case((closed, 0), else_=1)
    query = sa.select(
        work.c.week,
        _goes_on_as().label("pattern_id"),
        sa.func.sum(work.c.tickets).label("tickets"),
        sa.func.sum(sa.case((closed, work.c.tickets - work.c.reopened), else_=0)).label("automated"),
        sa.func.sum(work.c.logged * by_people).label("logged"),
        sa.func.sum(work.c.minutes * by_people).label("minutes"),
    ).select_from(_WORK_AND_PATTERNS)
    same = (work.c.week, _goes_on_as())
    rows = connection.execute(query.group_by(*same).order_by(*same))
    names = ("week", "pattern_id", "tickets", "automated", "logged", "minutes")
    return [dict(zip(names, row, strict=True)) for row in rows]


_WORK_AND_PATTERNS = work.outerjoin(patterns, patterns.c.pattern_id == work.c.pattern_id)


def _goes_on_as() -> sa.ColumnElement[str]:
    """The pattern that work belongs to, after merges."""
    return sa.func.coalesce(patterns.c.merged_into, work.c.pattern_id)


def _counted() -> sa.Select[Any]:
    facts = ticket_facts.c
    passed_on = sa.func.coalesce(facts.handoffs, 0) > 0
    same = (facts.week, facts.pattern_id, facts.tier, facts.activity, passed_on)
    return sa.select(
        *same,
        sa.func.count(),
        sa.func.count(facts.effort_minutes),
        sa.func.coalesce(sa.func.sum(facts.effort_minutes), 0.0),
        sa.func.coalesce(sa.func.sum(facts.handoffs), 0.0),
        sa.func.count(facts.handoffs),
        sa.func.sum(sa.case((sa.func.coalesce(facts.reopens, 0) > 0, 1), else_=0)),
        sa.func.coalesce(sa.func.sum(facts.reopens), 0.0),
        sa.func.count(facts.reopens),
        sa.func.sum(sa.case((facts.sla_met.is_(True), 1), else_=0)),
        sa.func.count(facts.sla_met),
    ).group_by(*same)
