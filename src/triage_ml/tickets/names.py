"""Whose column is which of ours: what the user maps, and what is obvious from the name.

The names are those of ServiceNow, Jira, BMC Helix, Freshservice and common exports, and what German exports call the same, in
the order in which they are believed. Elapsed times are never effort, so names like `business_duration` are not here, and
neither is Jira's `timespent`, which is in seconds.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from triage_ml.errors import InputError
from triage_ml.tickets.columns import COLUMNS

__all__ = ["KNOWN_NAMES", "match_columns"]

KNOWN_NAMES: dict[str, tuple[str, ...]] = {
    "ticket_id": (
        "number",
        "incident number",
        "issue key",
        "key",
        "ticket number",
        "ticket",
        "entry id",
        "case number",
        "id",
        "sys_id",
        "nummer",
        "ticketnummer",
        "vorgangsnummer",
    ),
    "opened_at": (
        "created",
        "created at",
        "created on",
        "opened",
        "submit date",
        "reported date",
        "open date",
        "creation date",
        "eröffnet",
        "eröffnet am",
        "geöffnet",
        "erstellt",
        "erstellt am",
    ),
    "title": (
        "short description",
        "summary",
        "subject",
        "brief description",
        "kurzbeschreibung",
        "betreff",
        "zusammenfassung",
    ),
    "description": (
        "detailed decription",
        "detailed description",
        "description text",
        "long description",
        "body",
        "text",
        "details",
        "beschreibung",
    ),
    "resolved_at": (
        "resolved",
        "resolution date",
        "last resolved date",
        "solved at",
        "closed at",
        "closed",
        "closed date",
        "gelöst",
        "gelöst am",
        "geschlossen",
        "geschlossen am",
    ),
    "resolution": ("close notes", "resolution notes", "solution", "lösung", "abschlussnotizen"),
    "tier": ("support tier", "support level"),
    "category": ("categorization tier 1", "kategorie"),
    "subcategory": ("sub category", "categorization tier 2", "unterkategorie"),
    "assignment_group": (
        "assigned group",
        "support group",
        "resolver group",
        "group",
        "zuweisungsgruppe",
        "lösende gruppe",
    ),
    "ticket_type": ("type", "issue type", "service type", "sys_class_name"),
    "activity": ("maintenance type",),
    "priority": ("priorität",),
    "channel": ("contact type", "reported source", "source"),
    "configuration_item": ("cmdb_ci", "service ci", "hpd_ci", "ci"),
    "requester_id": ("caller id", "caller", "requester", "reporter", "opened by", "person id"),
    "effort_minutes": ("time worked", "effort time spent minutes", "touch time", "effort"),
    "reassignment_count": ("group transfers", "reassignments"),
    "reopen_count": ("reopens", "reopened"),
}
CANONICAL = tuple(column.name for column in COLUMNS)


def match_columns(theirs: Iterable[str], mapping: Mapping[str, str], source: str) -> dict[str, str]:
    """Canonical name -> their name, for every column that is mapped or obvious.

    What is mapped is taken at its word. Then names that are equal but for case, spaces and signs; then known names of
    ticket systems. Each of their columns is used once.

    Parameters
    ----------
    source
        File or query, for messages.

    Raises
    ------
    InputError
        A mapped column is not there, or what it is mapped to looks like a misspelt name of ours.
    """
    columns = list(theirs)
    for name, column in mapping.items():
        _check_mapped(name, column, columns, source)
    matched = dict(mapping)
    free = {_plain(column): column for column in reversed(columns) if column not in mapping.values()}
    for exact in (True, False):
        for name in CANONICAL:
            known = (name,) if exact else KNOWN_NAMES[name]
            found = next((plain for plain in map(_plain, known) if plain in free), None)
            if name not in matched and found is not None:
                matched[name] = free.pop(found)
    _title_of_helix(matched, free)
    return matched


def _title_of_helix(matched: dict[str, str], free: dict[str, str]) -> None:
    """BMC Helix calls its title `Description` and its description `Detailed Decription`."""
    detailed = next((free[plain] for plain in ("detaileddecription", "detaileddescription") if plain in free), None)
    if detailed and "title" not in matched and _plain(matched.get("description", "")) == "description":
        matched["title"], matched["description"] = matched["description"], detailed


def _check_mapped(name: str, column: str, columns: list[str], source: str) -> None:
    if column not in columns:
        raise InputError(
            f"{source}: no column {column!r} to map to {name}; found {_listed(columns)}.",
            hint=_did_you_mean(column, columns),
        )
    near = difflib.get_close_matches(name, CANONICAL, n=1, cutoff=0.8)
    if name not in CANONICAL and near:
        raise InputError(
            f"The ticket table has no column {name!r}.",
            hint=f"Did you mean {near[0]}? Its columns are {', '.join(CANONICAL)}.",
        )


def _did_you_mean(column: str, columns: list[str]) -> str:
    near = difflib.get_close_matches(column, columns, n=1)
    return f"Did you mean {near[0]!r}?" if near else "Give the name as it stands in the file: --map ours=theirs."


def _listed(columns: list[str], most: int = 40) -> str:
    more = f" and {len(columns) - most} more" if len(columns) > most else ""
    return ", ".join(columns[:most]) + more


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()
