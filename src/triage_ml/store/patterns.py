"""Patterns, the facts of the tickets that were mined, and the weekly lists. Facts hold no text.

A ticket counts once, by its id: a later delivery replaces its facts. Which pattern it belongs to is a fact of the ticket,
so the volume of any week is one query.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from triage_ml.store.decisions import is_decided
from triage_ml.store.schema import BigId, Instant, metadata

__all__ = [
    "FACT_COLUMNS",
    "UNDATED",
    "KnownTicket",
    "PatternRecord",
    "WeekList",
    "all_patterns",
    "all_records",
    "candidate_lists",
    "claim_texts",
    "fact_digests",
    "facts_between",
    "known_facts",
    "known_tickets",
    "latest_book",
    "merged_patterns",
    "mined_weeks",
    "move_texts",
    "pattern_records",
    "put_facts",
    "put_patterns",
    "put_week",
    "read_week",
    "update_patterns",
    "use_book",
    "used_books",
]

CHUNK = 500
#: The week of tickets without a date: no list, and no work by week, counts them.
UNDATED = ""
#: Facts that are held at a time.
FACTS_CHUNK = 10_000
#: Columns of a pattern that mining keeps up to date.
_LIFE = ("state", "merged_into", "last_seen", "theme_id", "variants")

patterns = sa.Table(
    "patterns",
    metadata,
    sa.Column("pattern_id", sa.String(16), primary_key=True),
    sa.Column("title", sa.String(200), nullable=False),
    sa.Column("keywords", sa.JSON, nullable=False),
    sa.Column("examples", sa.JSON, nullable=False),
    sa.Column("born", sa.String(8), nullable=False),
    sa.Column("state", sa.String(10), nullable=False, server_default="live"),
    sa.Column("merged_into", sa.String(16)),
    sa.Column("last_seen", sa.String(8)),
    sa.Column("theme_id", sa.String(16)),
    sa.Column("variants", sa.JSON),
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
    sa.Column("variant_id", sa.String(20)),
    sa.Column("sla_met", sa.Boolean),
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
    """What people see of a pattern; where it stands is a matter of the decisions on it.

    `state` is `live`, `idle` (no ticket for weeks) or `merged`; a merged pattern goes on as `merged_into`. `last_seen` is the
    last week with a ticket, `variants` the ways it is resolved as plain JSON.
    """

    pattern_id: str
    title: str
    keywords: Sequence[str]
    examples: Sequence[str]
    born: str
    state: str = "live"
    merged_into: str | None = None
    last_seen: str | None = None
    theme_id: str | None = None
    variants: Sequence[Mapping[str, Any]] | None = None


class KnownTicket(NamedTuple):
    """What an earlier run knew of a ticket: its week (`UNDATED` for none), its text, and the pattern it was assigned to."""

    week: str
    text_key: str | None
    pattern_id: str | None


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
    """Add patterns that are new; the words of the others stay, a person may have edited them."""
    known = set(connection.scalars(sa.select(patterns.c.pattern_id)))
    rows = [dict(vars(record)) for record in records if record.pattern_id not in known]
    if rows:
        connection.execute(sa.insert(patterns), [_as_lists(row) for row in rows])


def update_patterns(connection: sa.Connection, changed: Iterable[PatternRecord]) -> None:
    """Write where patterns are in their life (`state`, `merged_into`, `last_seen`, `theme_id`, `variants`); words stay."""
    rows = [{"key": one.pattern_id, **{f"new_{name}": getattr(one, name) for name in _LIFE}} for one in changed]
    if rows:
        values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in _LIFE}
        connection.execute(sa.update(patterns).where(patterns.c.pattern_id == sa.bindparam("key")).values(values), rows)


def all_records(connection: sa.Connection) -> dict[str, PatternRecord]:
    """Every pattern by its id."""
    rows = connection.execute(sa.select(patterns)).mappings()
    return {row["pattern_id"]: PatternRecord(**row) for row in rows}


def merged_patterns(connection: sa.Connection) -> dict[str, str]:
    """Pattern id -> the pattern that it goes on as, for those that were merged."""
    query = sa.select(patterns.c.pattern_id, patterns.c.merged_into).where(patterns.c.merged_into.is_not(None))
    return {row.pattern_id: row.merged_into for row in connection.execute(query)}


def pattern_records(connection: sa.Connection, ids: Iterable[str]) -> dict[str, PatternRecord]:
    """The patterns with these ids; an id that is not there is left out."""
    found = {}
    for chunk in _chunks(ids):
        query = sa.select(patterns).where(patterns.c.pattern_id.in_(chunk))
        found.update({row["pattern_id"]: PatternRecord(**row) for row in connection.execute(query).mappings()})
    return found


def put_facts(connection: sa.Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Add the facts of tickets, or replace what was known of the same ids. Keys are `FACT_COLUMNS`."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = dialect.insert(ticket_facts)
    others = {name: insert.excluded[name] for name in FACT_COLUMNS if name != "ticket_id"}
    upsert = insert.on_conflict_do_update(index_elements=["ticket_id"], set_=others)
    for chunk in _chunks(rows, FACTS_CHUNK):
        connection.execute(upsert, chunk)


def claim_texts(connection: sa.Connection, pattern_of_text: Mapping[str, str]) -> str | None:
    """Give tickets of earlier weeks that were rare to the pattern that their text belongs to now; returns the first week
    with such a ticket."""
    facts = ticket_facts.c
    first: list[str] = []
    for chunk in _chunks(sorted(pattern_of_text)):
        week = sa.select(sa.func.min(facts.week)).where(facts.text_key.in_(chunk), facts.pattern_id.is_(None))
        first += filter(None, [connection.scalar(week)])
    if first:
        rows = [{"key": key, "pattern": pattern} for key, pattern in sorted(pattern_of_text.items())]
        claim = sa.update(ticket_facts).where(facts.text_key == sa.bindparam("key"), facts.pattern_id.is_(None))
        connection.execute(claim.values(pattern_id=sa.bindparam("pattern")), rows)
    return min(first, default=None)


def move_texts(connection: sa.Connection, moves: Iterable[tuple[str, str, str]]) -> None:
    """Move tickets from a pattern to one that was split from it: (text key, from, to)."""
    rows = [{"key": key, "old": old, "new": new} for key, old, new in sorted(moves)]
    if rows:
        facts = ticket_facts.c
        own = sa.update(ticket_facts).where(
            facts.text_key == sa.bindparam("key"), facts.pattern_id == sa.bindparam("old")
        )
        connection.execute(own.values(pattern_id=sa.bindparam("new"), variant_id=None), rows)


def fact_digests(connection: sa.Connection, week: str) -> dict[str, str]:
    """Ticket id -> digest of its facts, for the tickets known in a week."""
    query = sa.select(ticket_facts.c.ticket_id, ticket_facts.c.digest).where(ticket_facts.c.week == week)
    return {row.ticket_id: row.digest for row in connection.execute(query)}


def known_tickets(connection: sa.Connection, ids: Iterable[str]) -> dict[str, KnownTicket]:
    """Those of these tickets that have facts, by id."""
    facts = ticket_facts.c
    query = sa.select(facts.ticket_id, facts.week, facts.text_key, facts.pattern_id)
    found = {}
    for chunk in _chunks(ids):
        for ticket_id, *known in connection.execute(query.where(facts.ticket_id.in_(chunk))):
            found[ticket_id] = KnownTicket(*known)
    return found


def known_facts(connection: sa.Connection, ids: Iterable[str], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Fact -> ticket id -> its value, for what is known of these tickets; `names` are some of `FACT_COLUMNS`."""
    columns = [ticket_facts.c[name] for name in names]
    query = sa.select(ticket_facts.c.ticket_id, *columns).where(sa.or_(*(one.is_not(None) for one in columns)))
    found: dict[str, dict[str, Any]] = {name: {} for name in names}
    for chunk in _chunks(ids):
        for ticket_id, *values in connection.execute(query.where(ticket_facts.c.ticket_id.in_(chunk))):
            for name, value in zip(names, values, strict=True):
                if value is not None:
                    found[name][ticket_id] = value
    return found


def facts_between(
    connection: sa.Connection, first: str, last: str, *, as_assigned: bool = False, names: Sequence[str] = FACT_COLUMNS
) -> list[Mapping[str, Any]]:
    """Facts of the tickets of the weeks `first` to `last`, both included, ordered by ticket id.

    A ticket of a merged pattern is one of the pattern that goes on, unless `as_assigned` asks for the one that it was
    assigned to. `names` are some of `FACT_COLUMNS`.
    """
    query = (
        sa.select(*(ticket_facts.c[name] for name in names))
        .where(ticket_facts.c.week >= first, ticket_facts.c.week <= last)
        .order_by(ticket_facts.c.ticket_id)
    )
    merged = {} if as_assigned else merged_patterns(connection)
    rows: list[Mapping[str, Any]] = [dict(zip(names, row, strict=True)) for row in connection.execute(query)]
    return [
        {**row, "pattern_id": merged[row["pattern_id"]]} if row.get("pattern_id") in merged else row for row in rows
    ]


def put_week(connection: sa.Connection, listed: WeekList) -> bool:
    """Write a week's list; mined again it replaces the one before, unless somebody decided on that one.

    A list that was decided on keeps the figures that it showed: then nothing is written, and the answer is False.
    """
    if is_decided(connection, listed.week):
        return False
    for table in (mined, candidates):
        connection.execute(sa.delete(table).where(table.c.week == listed.week))
    connection.execute(sa.insert(mined), {"week": listed.week, "tickets": listed.tickets, "covered": listed.covered})
    rows = [
        {"week": listed.week, "pattern_id": figures["pattern_id"], "place": place, "figures": dict(figures)}
        for place, figures in enumerate(listed.candidates, start=1)
    ]
    if rows:
        connection.execute(sa.insert(candidates), rows)
    return True


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
    """Every pattern with its tickets so far and the last week that had one, by id. What was merged counts where it goes on."""
    facts = ticket_facts.c
    counts = sa.select(facts.pattern_id, sa.func.count(), sa.func.max(facts.week)).group_by(facts.pattern_id)
    records = all_records(connection)
    tickets: Counter[str] = Counter()
    last_week: dict[str, str] = {}
    for pattern_id, count, week in connection.execute(counts):
        if pattern_id is not None:
            goes_on = records[pattern_id].merged_into or pattern_id if pattern_id in records else pattern_id
            tickets[goes_on] += count
            last_week[goes_on] = max(last_week.get(goes_on, UNDATED), week)
    return [(record, tickets[key], last_week.get(key) or None) for key, record in sorted(records.items())]


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


def used_books(connection: sa.Connection) -> list[str]:
    """Digests of all pattern bundles that were ever in use, oldest first."""
    return list(connection.scalars(sa.select(pattern_bundles.c.digest).order_by(pattern_bundles.c.number)))


def _as_lists(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in row.items()}


def _chunks(items: Iterable[Any], size: int = CHUNK) -> Iterator[list[Any]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
