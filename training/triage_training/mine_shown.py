"""The known patterns as people look at them: all of them, or what became of one."""

from __future__ import annotations

from typing import Any

from triage_ml.errors import InputError
from triage_ml.settings import Settings
from triage_ml.store import all_patterns, evidence_of, lineage_of, open_store, standings

__all__ = ["known_patterns", "one_pattern"]


def known_patterns(settings: Settings) -> list[dict[str, Any]]:
    """Id, title (as people called it), state, status, tickets and last week of every pattern, the largest first."""
    store = open_store(settings.store_url)
    try:
        with store.read() as connection:
            standing = standings(connection, today=settings.calendar.today())
            rows = [
                {
                    "pattern_id": one.pattern_id,
                    "title": (at.title if (at := standing.get(one.pattern_id)) else None) or one.title,
                    "state": one.state,
                    "status": at.status if at else "new",
                    "tickets": tickets,
                    "born": one.born,
                    "last_week": last_week,
                    "merged_into": one.merged_into,
                    "theme_id": one.theme_id,
                    "variants": one.variants or [],
                }
                for one, tickets, last_week in all_patterns(connection)
            ]
    finally:
        store.close()
    return sorted(rows, key=lambda row: (-row["tickets"], row["pattern_id"]))


def one_pattern(settings: Settings, pattern_id: str) -> dict[str, Any]:
    """A pattern with its lineage, oldest first, and its evidence.

    Raises
    ------
    InputError
        There is none with this id.
    """
    found = next((row for row in known_patterns(settings) if row["pattern_id"] == pattern_id), None)
    if found is None:
        raise InputError(f"There is no pattern {pattern_id!r}.", hint="`triage patterns` shows all of them.")
    store = open_store(settings.store_url)
    try:
        with store.read() as connection:
            events = lineage_of(connection, [pattern_id]).get(pattern_id, [])
            evidence = evidence_of(connection, pattern_id)
    finally:
        store.close()
    lineage = [{"week": one.week, "event": one.event, "other": one.other} for one in events]
    return {**found, "lineage": lineage, "evidence": None if evidence is None else evidence[1]}
