"""Patterns, the facts of the tickets that were mined, and the weekly lists. Facts hold no text.

A ticket counts once, by its id: a later delivery replaces its facts. Which pattern it belongs to is a fact of the ticket,
so the volume of any week is one query.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa

from triage_ml.store.schema import BigId, Instant, metadata

__all__ = [
    "FACT_COLUMNS",
    "PatternRecord",
    "WeekList",
    "all_patterns",
    "candidate_lists",
    "claim_texts",
    "fact_digests",
    "facts_between",
    "latest_book",
    "mined_weeks",
    "pattern_records",
    "put_facts",
    "put_patterns",
    "put_week",
    "read_week",
    "use_book",
    "work_by_week",
]

CHUNK = 500

patterns = sa.Table(
    "patterns",
    metadata,
    sa.Column("pattern_id", sa.String(16), primary_key=True),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("keywords", sa.JSON, nullable=False),
    sa.Column("examples", sa.JSON, nullable=False),
    sa.Column("born", sa.String(8), nullable=False),
)

ticket_facts = sa.Table(
    "ticket_facts",
    metadata,
    sa.Column("ticket_id", sa.String(200), primary_key=True),
    sa.Column("week", sa.String(8), nullable=False, index=True),
    sa.Column("digest", sa.String(16), nullable=False),
    sa.Column("text_key", sa.String(16), index=True),
    sa.Column("pattern_id", sa.String(16), index=True),
    sa.Column("similarity", sa.Float),
    sa.Column("tier", sa.String(200)),
    sa.Column("category", sa.String(200)),
    sa.Column("assignment_group", sa.String(200)),
    sa.Column("ticket_type", sa.String(200)),
    sa.Column("channel", sa.String(200)),
    sa.Column("priority", sa.String(200)),
    sa.Column("activity", sa.String(200)),
    sa.Column("article", sa.String(20)),
    sa.Column("effort_minutes", sa.Float),
    sa.Column("handoffs", sa.Float),
    sa.Column("reopens", sa.Float),
)

mined = sa.Table(
    "mined_weeks",
    metadata,
    sa.Column("week", sa.String(8), primary_key=True),
    sa.Column("tickets", sa.Integer, nullable=False),
    sa.Column("covered", sa.Float, nullable=False),
)

candidates = sa.Table(
    "candidates",
    metadata,
    sa.Column("week", sa.String(8), primary_key=True),
    sa.Column("pattern_id", sa.String(16), primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("figures", sa.JSON, nullable=False),
)

pattern_bundles = sa.Table(
    "pattern_bundles",
    metadata,
    sa.Column("number", BigId, primary_key=True),
    sa.Column("digest", sa.String(80), nullable=False),
    sa.Column("published_at", Instant, nullable=False),
)

#: Columns of a ticket's facts, as `put_facts` takes and `facts_between` gives them.
FACT_COLUMNS = tuple(column.name for column in ticket_facts.columns)


@dataclass(frozen=True)
class PatternRecord:
    """What people see of a pattern; where it stands is a matter of the decisions on it."""

    pattern_id: str
    title: str
    keywords: Sequence[str]
    examples: Sequence[str]
    born: str


@dataclass(frozen=True)
class WeekList:
    """One week as it was listed: `candidates` in the order of the list, each plain JSON with its `pattern_id`.

    `covered` is the share of the week's tickets, 0 to 1, that belong to a pattern.
    """

    week: str
    tickets: int
    covered: float
    candidates: Sequence[Mapping[str, Any]]


def put_patterns(connection: sa.Connection, records: Iterable[PatternRecord]) -> None:
    """Add patterns that are new; what is known of the others stays, a person may have edited it."""
    known = set(connection.scalars(sa.select(patterns.c.pattern_id)))
    rows = [dict(vars(record)) for record in records if record.pattern_id not in known]
    if rows:
        connection.execute(sa.insert(patterns), [_as_lists(row) for row in rows])


def pattern_records(connection: sa.Connection, ids: Iterable[str]) -> dict[str, PatternRecord]:
    """The patterns with these ids; an id that is not there is left out."""
    found = {}
    for chunk in _chunks(ids):
        query = sa.select(patterns).where(patterns.c.pattern_id.in_(chunk))
        found.update({row["pattern_id"]: PatternRecord(**row) for row in connection.execute(query).mappings()})
    return found


def put_facts(connection: sa.Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add the facts of tickets, or replace what was known of the same ids. Keys are `FACT_COLUMNS`."""
    for chunk in _chunks(rows):
        ids = [row["ticket_id"] for row in chunk]
        connection.execute(sa.delete(ticket_facts).where(ticket_facts.c.ticket_id.in_(ids)))
        connection.execute(sa.insert(ticket_facts), [dict(row) for row in chunk])


def claim_texts(connection: sa.Connection, pattern_of_text: Mapping[str, str]) -> None:
    """Give tickets of earlier weeks that were rare to the pattern that their text belongs to now."""
    rows = [{"key": key, "pattern": pattern} for key, pattern in sorted(pattern_of_text.items())]
    if rows:
        claim = sa.update(ticket_facts).where(
            ticket_facts.c.text_key == sa.bindparam("key"), ticket_facts.c.pattern_id.is_(None)
        )
        connection.execute(claim.values(pattern_id=sa.bindparam("pattern")), rows)


def fact_digests(connection: sa.Connection, week: str) -> dict[str, str]:
    """Ticket id -> digest of its facts, for the tickets known in a week."""
    query = sa.select(ticket_facts.c.ticket_id, ticket_facts.c.digest).where(ticket_facts.c.week == week)
    return {row.ticket_id: row.digest for row in connection.execute(query)}


def facts_between(connection: sa.Connection, first: str, last: str) -> list[Mapping[str, Any]]:
    """Facts of the tickets of the weeks `first` to `last`, both included, ordered by ticket id."""
    query = (
        sa.select(ticket_facts)
        .where(ticket_facts.c.week >= first, ticket_facts.c.week <= last)
        .order_by(ticket_facts.c.ticket_id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def put_week(connection: sa.Connection, listed: WeekList) -> None:
    """Write a week's list; mined again it replaces the one before."""
    for table in (mined, candidates):
        connection.execute(sa.delete(table).where(table.c.week == listed.week))
    connection.execute(sa.insert(mined), {"week": listed.week, "tickets": listed.tickets, "covered": listed.covered})
    rows = [
        {"week": listed.week, "pattern_id": figures["pattern_id"], "place": place, "figures": dict(figures)}
        for place, figures in enumerate(listed.candidates, start=1)
    ]
    if rows:
        connection.execute(sa.insert(candidates), rows)


def mined_weeks(connection: sa.Connection) -> list[str]:
    """Weeks that have a list, oldest first."""
    return list(connection.scalars(sa.select(mined.c.week).order_by(mined.c.week)))


def read_week(connection: sa.Connection, week: str) -> WeekList | None:
    """A week's list with the titles that its patterns were given; None for a week that was not mined."""
    head = connection.execute(sa.select(mined).where(mined.c.week == week)).mappings().first()
    if head is None:
        return None
    query = (
        sa.select(candidates.c.figures, patterns.c.title)
        .join(patterns, patterns.c.pattern_id == candidates.c.pattern_id)
        .where(candidates.c.week == week)
        .order_by(candidates.c.place)
    )
    rows = [{**row.figures, "title": row.title} for row in connection.execute(query)]
    return WeekList(head["week"], head["tickets"], head["covered"], rows)


def candidate_lists(connection: sa.Connection, pattern_id: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Every week that listed a pattern, with its figures there, oldest first."""
    query = sa.select(candidates.c.week, candidates.c.figures).where(candidates.c.pattern_id == pattern_id)
    return [(row.week, row.figures) for row in connection.execute(query.order_by(candidates.c.week))]


def all_patterns(connection: sa.Connection) -> list[tuple[PatternRecord, int, str | None]]:
    """Every pattern with its tickets so far and the last week that had one."""
    counts = (
        sa.select(
            ticket_facts.c.pattern_id,
            sa.func.count().label("tickets"),
            sa.func.max(ticket_facts.c.week).label("last_week"),
        )
        .group_by(ticket_facts.c.pattern_id)
        .subquery()
    )
    query = sa.select(patterns, counts.c.tickets, counts.c.last_week).outerjoin(
        counts, counts.c.pattern_id == patterns.c.pattern_id
    )
    rows = connection.execute(query.order_by(patterns.c.pattern_id)).mappings()
    names = patterns.columns.keys()
    return [
        (PatternRecord(**{name: row[name] for name in names}), row["tickets"] or 0, row["last_week"]) for row in rows
    ]


def work_by_week(connection: sa.Connection) -> list[Mapping[str, Any]]:
    """Tickets, logged effort and hand-offs by week, pattern, tier, activity, and whether they were passed on."""
    facts = ticket_facts.c
    passed_on = sa.func.coalesce(facts.handoffs, 0) > 0
    same = (facts.week, facts.pattern_id, facts.tier, facts.activity)
    query = sa.select(
        *same,
        passed_on.label("passed_on"),
        sa.func.count().label("tickets"),
        sa.func.count(facts.effort_minutes).label("logged"),
        sa.func.coalesce(sa.func.sum(facts.effort_minutes), 0.0).label("minutes"),
        sa.func.coalesce(sa.func.sum(facts.handoffs), 0.0).label("handoffs"),
    ).group_by(*same, passed_on)
    return [{**row, "passed_on": bool(row["passed_on"])} for row in connection.execute(query).mappings()]


def use_book(connection: sa.Connection, digest: str, *, now: datetime) -> None:
    """Note the pattern bundle that is to be used from now on; the same one again changes nothing."""
    if latest_book(connection) != digest:
        connection.execute(sa.insert(pattern_bundles), {"digest": digest, "published_at": now})


def latest_book(connection: sa.Connection) -> str | None:
    """Digest of the pattern bundle in use, or None before the first `mine`."""
    digest: str | None = connection.scalar(
        sa.select(pattern_bundles.c.digest).order_by(pattern_bundles.c.number.desc()).limit(1)
    )
    return digest


def _as_lists(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in row.items()}


def _chunks(items: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(items)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
