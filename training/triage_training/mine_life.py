"""What mining keeps about patterns beside the lists: decisions that bind it, where each pattern is in its life, lineage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from triage_ml.patterns import Decided, Growth, Pattern, PatternBook, Split, events_between
from triage_ml.store import Connection, LineageEvent, PatternRecord, all_records, binding_decisions
from triage_training.gathering import Tickets
from triage_training.weeks import weeks_back

__all__ = ["IDLE_WEEKS", "Life", "decided_now", "first_weeks", "last_weeks"]

#: A pattern without a ticket for so many weeks is idle.
IDLE_WEEKS = 8


def decided_now(connection: Connection) -> Decided:
    """The merges, splits and titles in force."""
    merges, splits, titles = [], [], {}
    for one in binding_decisions(connection):
        if one.action == "merge":
            merges.append((one.pattern_id, str(one.details["into"])))
        elif one.action == "split":
            apart = tuple(one.details.get("apart") or ())
            splits.append(Split(f"{one.pattern_id}/{one.revision}", one.pattern_id, apart))
        elif one.action == "rename":
            titles[one.pattern_id] = str(one.details["title"])
    return Decided(tuple(merges), titles, tuple(splits))


def first_weeks(weeks: pd.Series, tickets: Tickets, grown: Growth) -> dict[int, str]:
    """Pattern index -> the first week with a ticket of it; `weeks` are those of the tickets."""
    return _by_pattern(weeks, tickets, grown, first=True)


def last_weeks(weeks: pd.Series, tickets: Tickets, grown: Growth) -> dict[str, str]:
    """Pattern id -> the last week with a ticket of it."""
    return {grown.book.ids[index]: week for index, week in _by_pattern(weeks, tickets, grown, first=False).items()}


class Life:
    """The patterns as the store knows them, brought up to date week by week."""

    def __init__(self, connection: Connection) -> None:
        self.records: dict[str, PatternRecord] = all_records(connection)
        self.last_week = max((one.last_seen or "" for one in self.records.values()), default="")

    def after(
        self, week: str, before: PatternBook | None, book: PatternBook, seen: Mapping[str, str]
    ) -> tuple[list[PatternRecord], list[PatternRecord], list[LineageEvent]]:
        """New records, changed records and events of a run.

        Parameters
        ----------
        seen
            The last week with a ticket, for each pattern that tickets of the run were assigned to.
        """
        events = [LineageEvent(one.pattern_id, week, one.event, one.other) for one in events_between(before, book)]
        last_seen = self._last_seen(book, seen)
        self.last_week = max(self.last_week, week, *last_seen.values())
        idle_since = weeks_back(self.last_week, IDLE_WEEKS + 1)[0] if self.last_week else ""
        variants = _variants(book)
        new, changed = [], []
        for pattern in book.patterns:
            old = self.records.get(pattern.pattern_id)
            now = replace(
                old or _record(pattern),
                merged_into=book.bound.merged.get(pattern.pattern_id),
                last_seen=last_seen.get(pattern.pattern_id),
                theme_id=pattern.theme_id or None,
                variants=variants.get(pattern.pattern_id),
            )
            now = replace(now, state=_state(now, idle_since))
            if old is None:
                new.append(now)
            elif now != old:
                changed.append(now)
                if (event := _EVENTS.get((old.state, now.state))) is not None:
                    events.append(LineageEvent(pattern.pattern_id, week, event))
            self.records[pattern.pattern_id] = now
        return new, changed, events

    def _last_seen(self, book: PatternBook, seen: Mapping[str, str]) -> dict[str, str]:
        """The last week of each pattern; tickets of a merged one count for both."""
        last = {key: one.last_seen for key, one in self.records.items() if one.last_seen}
        for key, week in seen.items():
            for pattern_id in {key, book.bound.merged.get(key, key)}:
                last[pattern_id] = max(last.get(pattern_id, ""), week)
        return last


_EVENTS = {("live", "idle"): "idle", ("idle", "live"): "returned"}


def _variants(book: PatternBook) -> dict[str, list[dict[str, Any]]]:
    """The variants of each pattern, the most frequent first; `by_text` says whether a filed ticket tells its variant."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in sorted(book.known_variants.variants, key=lambda one: (-one.share, one.variant_id)):
        row = {"variant_id": one.variant_id, "title": one.title, "share": one.share, "by_text": one.margin is not None}
        found.setdefault(one.pattern_id, []).append(row)
    return found


def _state(one: PatternRecord, idle_since: str) -> str:
    if one.merged_into:
        return "merged"
    return "idle" if one.last_seen and one.last_seen < idle_since else "live"


def _record(pattern: Pattern) -> PatternRecord:
    return PatternRecord(pattern.pattern_id, pattern.title, pattern.keywords, pattern.examples, pattern.born)


def _by_pattern(weeks: pd.Series, tickets: Tickets, grown: Growth, *, first: bool) -> dict[int, str]:
    number, names = pd.factorize(weeks, sort=True)
    rows = tickets.of_row >= 0
    pattern = grown.pattern[tickets.of_row[rows]]
    order = np.lexsort((number[rows] if first else -number[rows], pattern))
    patterns, where = np.unique(pattern[order], return_index=True)
    return {
        index: str(names[number[rows][order][place]])
        for index, place in zip(patterns.tolist(), where.tolist(), strict=True)
        if index >= 0
    }
