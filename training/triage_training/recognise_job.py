"""After a week is mined: learn to recognise the tickets of what is automated or could be, from those that people closed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from triage_ml.answer import Recogniser, latest_recogniser, publish_recogniser
from triage_ml.patterns import masked_texts
from triage_ml.settings import Settings
from triage_ml.store import Store, facts_between, mined_weeks, read_week, standings
from triage_ml.text import ticket_text
from triage_ml.tickets import TicketSource
from triage_ml.value import ASSUMPTIONS
from triage_training.weeks import weeks_back

__all__ = ["learn_recogniser"]

#: Weeks of closed tickets that are learnt from, and at most so many tickets, the latest.
WEEKS, MOST_TICKETS = 12, 30_000
#: Patterns that are learnt beside those that somebody accepted: those that the list expects most hours from.
MOST_CANDIDATES = 40
#: A table with a smaller share of the weeks' tickets has less to teach than what is known already.
SHARE = 0.5
#: What stands on the way to an automation, or is one.
ON_THE_WAY = ("accepted", "in_progress", "automated")
AUTOMATION_TIER = "L0"


def learn_recogniser(source: TicketSource, settings: Settings, store: Store) -> Path | None:
    """Publish what recognises the tickets of automations, and return where; None where there is nothing to learn it from.

    The labels are the patterns that closed tickets are of by their close notes and categories. Tickets without a close note
    say nothing, and what an automation closed is no evidence for itself (decision 15). Where the table holds only part of
    the last weeks, what was learnt from more stays.
    """
    with store.read() as connection:
        week = max(mined_weeks(connection), default=None)
        if week is None:
            return None
        facts = facts_between(connection, weeks_back(week, WEEKS)[0], week)
        listed = read_week(connection, week)
        today = settings.calendar.today()
        decided = [key for key, one in standings(connection, today=today).items() if one.status in ON_THE_WAY]
    wanted = {*decided, *_worth_it([] if listed is None else listed.candidates)}
    pattern_of = {fact["ticket_id"]: fact["pattern_id"] for fact in facts if fact["tier"] != AUTOMATION_TIER}
    held = source.frame["ticket_id"].isin(pattern_of.keys()).to_numpy(dtype=bool)
    before = latest_recogniser(settings.paths.bundles)
    if not wanted or (before is not None and held.sum() < SHARE * len(pattern_of)):
        return before
    texts, patterns = _closed(source, np.flatnonzero(held), pattern_of, wanted)
    found = Recogniser.learn(texts, patterns)
    return before if found is None else publish_recogniser(found, settings.paths.bundles, week)


def _worth_it(candidates: Iterable[Mapping[str, Any]]) -> list[str]:
    """Patterns that an automation is proposed for, most expected hours first."""
    proposed = [one for one in candidates if one["kind"] in ASSUMPTIONS]
    ordered = sorted(proposed, key=lambda one: -one["savings"]["expected"])
    return [one["pattern_id"] for one in ordered[:MOST_CANDIDATES]]


def _closed(
    source: TicketSource, rows: np.ndarray[Any, np.dtype[np.int64]], pattern_of: Mapping[str, str], wanted: set[str]
) -> tuple[list[str], list[str | None]]:
    """Masked texts of the latest closed tickets with a close note among these rows, and which wanted pattern each is of."""
    opened = source.frame["opened_at"].iloc[rows]
    latest = np.sort(rows[np.argsort(opened.to_numpy(), kind="stable")[-MOST_TICKETS:]])
    ids = source.frame["ticket_id"]
    texts: list[str] = []
    patterns: list[str | None] = []
    for own, piece in source.pieces(latest):
        if "resolution" not in piece:
            break
        noted = piece["resolution"].fillna("").str.strip().ne("").to_numpy(dtype=bool)
        texts += masked_texts(ticket_text(piece[noted]))
        found = (pattern_of[key] for key in ids.iloc[own[noted]])
        patterns += [one if one in wanted else None for one in found]
    return texts, patterns
