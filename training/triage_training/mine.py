"""The job behind `triage mine`: known patterns take what is theirs, new ones are found, the week is listed.

A week is computed first and written in one transaction at the end. Killed at any point, the store is as it was before;
the next run does the week again and comes to the same result. If another run wrote meanwhile, this one refuses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from triage_ml.errors import InputError, StoreError
from triage_ml.patterns import Growth, Pattern, grow, load_book, masked_texts, publish_book
from triage_ml.settings import Settings
from triage_ml.store import (
    PatternRecord,
    Store,
    WeekList,
    claim_texts,
    fact_digests,
    facts_between,
    latest_book,
    mined_weeks,
    open_store,
    put_facts,
    put_patterns,
    put_week,
    use_book,
)
from triage_ml.taxonomy import Taxonomy, load_taxonomy
from triage_ml.text import mask, redact, ticket_text
from triage_ml.value import HISTORY_WEEKS, list_candidates
from triage_training.facts import fact_rows, prepare, row_digests, say
from triage_training.weeks import complete_weeks, weeks_back, weeks_of

__all__ = ["Progress", "WeekResult", "assignments", "mine"]

#: Called with the week, how many are done, and how many there are.
Progress = Callable[[str, int, int], None]

#: Weeks that a rare text waits for others of its kind.
PATIENCE_WEEKS = 8
#: Weeks whose close notes say how a pattern gets solved.
NOTES_WEEKS = 4


@dataclass(frozen=True)
class WeekResult:
    """What mining a week gave; `week` is None for tickets without dates, which have no list.

    `covered` is the share of tickets in a pattern, `found` how many patterns are new, `candidates` the list as the store
    keeps it.
    """

    week: str | None
    tickets: int
    covered: float
    found: int
    candidates: Sequence[Mapping[str, Any]]


def mine(
    frame: pd.DataFrame,
    settings: Settings,
    *,
    weeks: Iterable[str] | None = None,
    last: int | None = None,
    handoffs: pd.DataFrame | None = None,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> list[WeekResult]:
    """Mine a ticket table week by week, oldest first.

    Parameters
    ----------
    frame
        A ticket table. Without `opened_at` all its tickets are mined at once and no list is written.
    weeks
        ISO weeks to mine; by default all complete weeks that were not mined yet, and those in which tickets are new or
        have changed since.
    last
        Of those, the last so many only; the first run learns from the weeks before them all the same.
    handoffs
        A hand-off log; it counts hand-offs where the table does not.

    Raises
    ------
    InputError
        A week has no tickets in the table and none in the store.
    StoreError
        The store can't be used, or another run mined meanwhile.
    """
    now = now or datetime.now(UTC)
    store = open_store(settings.store_url)
    try:
        return _Miner(_with_handoffs(frame, handoffs), settings, store, now).run(weeks, last, progress)
    finally:
        store.close()


def assignments(frame: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """`ticket_id, pattern_id, variant_id, theme_id` for every row, by the patterns known now; missing where none fits."""
    store = open_store(settings.store_url)
    with store.read() as connection:
        digest = latest_book(connection)
    store.close()
    found: list[str | None] = [None] * len(frame)
    if digest is not None:
        book = load_book(settings.paths.bundles, digest)
        index, _ = book.assign_masked(masked_texts(ticket_text(frame)))
        found = [book.ids[i] if i >= 0 else None for i in index.tolist()]
    empty = pd.Series([None] * len(frame), dtype="string")
    return pd.DataFrame(
        {
            "ticket_id": frame["ticket_id"].reset_index(drop=True),
            "pattern_id": pd.Series(found, dtype="string"),
            "variant_id": empty,
            "theme_id": empty,
        }
    )


class _Miner:
    """One run over one table."""

    def __init__(self, frame: pd.DataFrame, settings: Settings, store: Store, now: datetime) -> None:
        self.frame = frame
        self.settings = settings
        self.store = store
        self.now = now
        self._masked_notes: dict[str, str] = {}
        self.taxonomy: Taxonomy = load_taxonomy(settings.taxonomy.file)
        with store.read() as connection:
            self.digest = latest_book(connection)
        self.book = None if self.digest is None else load_book(settings.paths.bundles, self.digest)

    def run(self, weeks: Iterable[str] | None, last: int | None, progress: Progress | None) -> list[WeekResult]:
        if "opened_at" not in self.frame or self.frame["opened_at"].isna().all():
            return [self._mine_undated()]
        self.frame = self.frame.assign(
            week=weeks_of(self.frame["opened_at"], self.settings.calendar.timezone), digest=row_digests(self.frame)
        )
        chosen = self._pending(last) if weeks is None else self._known(sorted(set(weeks)))
        results = []
        for done, week in enumerate(chosen):
            if progress:
                progress(week, done, len(chosen))
            results.append(self._mine_week(week))
        return results

    def _pending(self, last: int | None) -> list[str]:
        with self.store.read() as connection:
            mined = set(mined_weeks(connection))
            complete = complete_weeks(self.frame, self.settings.calendar.timezone, self.now)
            pending = [
                week
                for week in complete
                if week not in mined or len(self._changed(week, fact_digests(connection, week)))
            ]
        return pending[-last:] if last else pending

    def _known(self, weeks: list[str]) -> list[str]:
        with self.store.read() as connection:
            there = set(self.frame["week"].dropna()) | set(mined_weeks(connection))
        if there and (missing := [week for week in weeks if not min(there) <= week <= max(there)]):
            raise InputError(
                f"{missing[0]}: there are no tickets of this week.",
                hint=f"The tickets here are from {min(there)} to {max(there)}.",
            )
        return weeks

    def _changed(self, week: str, known: Mapping[str, str]) -> pd.DataFrame:
        """Tickets of a week that the store does not know as they are now."""
        own = self.frame[self.frame["week"] == week]
        return own[[known.get(key) != digest for key, digest in zip(own["ticket_id"], own["digest"], strict=True)]]

    def _mine_week(self, week: str) -> WeekResult:
        window = weeks_back(week, HISTORY_WEEKS)
        with self.store.read() as connection:
            stored = facts_between(connection, window[0], week)
            changed = self._changed(week, fact_digests(connection, week))
        if self.book is None:  # the first run learns from all that came before
            changed = self.frame[self.frame["week"] <= week]
        grown, rows = self._grow(changed, week)
        facts = _merged(stored, rows, grown.claimed if grown else {})
        listed = self._list(facts, window)
        found = grown.book.patterns[len(self.book) if self.book else 0 :] if grown else ()
        self._write(grown, found, rows, listed)
        return WeekResult(week, listed.tickets, listed.covered, len(found), listed.candidates)

    def _mine_undated(self) -> WeekResult:
        uniques, said = say(self.frame, prepare(self.frame))
        grown = grow(self.book, said, week="", min_tickets=self.settings.patterns.min_tickets)
        found = grown.book.patterns[len(self.book) if self.book else 0 :]
        covered = int(uniques.weights[grown.pattern >= 0].sum())
        self._write(grown, found, [], None)
        return WeekResult(None, len(self.frame), covered / max(len(self.frame), 1), len(found), [])

    def _grow(self, tickets: pd.DataFrame, week: str) -> tuple[Growth | None, list[dict[str, Any]]]:
        if tickets.empty:
            return None, []
        uniques, said = say(tickets, prepare(tickets))
        forget_before = weeks_back(week, PATIENCE_WEEKS)[0]
        grown = grow(
            self.book, said, week=week, min_tickets=self.settings.patterns.min_tickets, forget_before=forget_before
        )
        ids = [grown.book.ids[index] if index >= 0 else None for index in grown.pattern.tolist()]
        return grown, fact_rows(tickets, uniques, ids, grown.similarity)

    def _list(self, facts: Sequence[Mapping[str, Any]], window: Sequence[str]) -> WeekList:
        first = min((fact["week"] for fact in facts), default=window[-1])
        own = [fact for fact in facts if fact["week"] == window[-1]]
        candidates = list_candidates(
            facts,
            [week for week in window if week >= first],
            self.taxonomy,
            min_tickets=self.settings.patterns.min_tickets,
            notes=self._notes(facts, window[-NOTES_WEEKS:]),
        )
        covered = sum(fact["pattern_id"] is not None for fact in own) / max(len(own), 1)
        return WeekList(window[-1], len(own), round(covered, 4), [candidate.figures() for candidate in candidates])

    def _notes(self, facts: Sequence[Mapping[str, Any]], weeks: Sequence[str]) -> dict[str, list[str]]:
        """Close notes of recent tickets in this table, by pattern."""
        notes: dict[str, list[str]] = defaultdict(list)
        if "resolution" in self.frame:
            recent = self.frame[self.frame["week"].isin(weeks) & self.frame["resolution"].notna()]
            pattern_of = {fact["ticket_id"]: fact["pattern_id"] for fact in facts}
            for ticket_id, note in zip(recent["ticket_id"], self._masked(recent["resolution"].tolist()), strict=True):
                if (pattern_id := pattern_of.get(ticket_id)) is not None:
                    notes[pattern_id].append(note)
        return notes

    def _masked(self, notes: Sequence[str]) -> list[str]:
        """Notes as they may be shown; the same ones come up week after week, so they are kept."""
        fresh = sorted({note for note in notes if note not in self._masked_notes})
        self._masked_notes.update(zip(fresh, mask(redact(fresh)), strict=True))
        return [self._masked_notes[note] for note in notes]

    def _write(
        self, grown: Growth | None, found: Sequence[Pattern], rows: Sequence[Mapping[str, Any]], listed: WeekList | None
    ) -> None:
        digest = self.digest if grown is None else publish_book(grown.book, self.settings.paths.bundles)
        with self.store.begin() as connection:
            if latest_book(connection) != self.digest:
                raise StoreError(
                    "Another run has mined into this store meanwhile; nothing was written.", hint="Run it again."
                )
            put_patterns(connection, [_record(pattern) for pattern in found])
            put_facts(connection, rows)
            if grown is not None:
                claim_texts(connection, grown.claimed)
            if digest is not None:
                use_book(connection, digest, now=self.now)
            if listed is not None:
                put_week(connection, listed)
        self.digest = digest
        self.book = self.book if grown is None else grown.book


def _record(pattern: Pattern) -> PatternRecord:
    return PatternRecord(pattern.pattern_id, pattern.title, pattern.keywords, pattern.examples, pattern.born)


def _merged(
    stored: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], claimed: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The facts as they will be once `rows` are written and `claimed` texts have their pattern."""
    facts = {row["ticket_id"]: dict(row) for row in stored}
    for row in facts.values():
        if row["pattern_id"] is None:
            row["pattern_id"] = claimed.get(row["text_key"])
    facts.update({row["ticket_id"]: dict(row) for row in rows})
    return [facts[key] for key in sorted(facts)]


def _with_handoffs(frame: pd.DataFrame, handoffs: pd.DataFrame | None) -> pd.DataFrame:
    if handoffs is None:
        return frame
    counted = frame["ticket_id"].map(handoffs["ticket_id"].value_counts()).fillna(0)
    if "reassignment_count" not in frame:
        return frame.assign(reassignment_count=counted)
    return frame.assign(reassignment_count=frame["reassignment_count"].fillna(counted))
