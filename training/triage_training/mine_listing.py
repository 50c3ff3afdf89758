"""One week's list: the facts of its history as they will be, the notes and the evidence of its last weeks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from triage_ml.patterns import Growth, PatternBook, counter_examples, hex_key, masked_texts
from triage_ml.settings import Settings
from triage_ml.store import Connection, Store, WeekList, facts_between, mined_weeks
from triage_ml.taxonomy import load_taxonomy
from triage_ml.text import ticket_text
from triage_ml.value import HISTORY_WEEKS, Given, list_candidates
from triage_training.gathering import Tickets, masked_notes
from triage_training.mine_desk import Desk
from triage_training.mine_evidence import evidence_by_pattern
from triage_training.weeks import weeks_back

__all__ = ["NOTES_WEEKS", "Lister", "history_of"]

Row = dict[str, Any]

#: Weeks whose close notes say how a pattern gets solved.
NOTES_WEEKS = 4
#: Texts among which counter examples are looked for.
COMPARED = 4_000
_UNREAD = -1


def history_of(week: str) -> list[str]:
    """The weeks that a week's list looks back on, oldest first, and the week itself."""
    return weeks_back(week, HISTORY_WEEKS)


class Lister:
    """Lists weeks one after the other; what two of them have in common is read once.

    `left` are tickets whose date was corrected: ticket id -> the week that they count in no more.
    """

    def __init__(self, desk: Desk, settings: Settings, store: Store) -> None:
        self.left: Mapping[str, str] = {}
        self._desk = desk
        self._settings = settings
        self._store = store
        self._taxonomy = load_taxonomy(settings.taxonomy.file)
        self._window: dict[str, list[Row]] = {}
        self._texts: dict[str, str] = {}
        self._notes = {"": 0}
        self._note_of = np.full(len(desk.frame), _UNREAD, dtype=np.int32)

    def remember(self, tickets: Tickets, week: str) -> None:
        """Keep the close notes that were read, and the texts of recent weeks, to show what patterns are made of."""
        number = np.array([self._notes.setdefault(note, len(self._notes)) for note in tickets.notes.names])
        self._note_of[tickets.rows] = number[tickets.notes.codes]
        if week:
            recent = np.isin(tickets.rows, self._desk.rows(weeks_back(week, NOTES_WEEKS)))
            seen = np.unique(tickets.of_row[recent])
            said = tickets.said.at(seen[seen >= 0])
            self._texts.update(zip(map(hex_key, said.keys.tolist()), said.text, strict=True))

    def stored(self, connection: Connection, window: Sequence[str]) -> dict[str, list[Row]]:
        """Facts of the weeks as they were assigned; what was read for the week before is not read again."""
        self._window = {week: self._window.get(week) or self._read(connection, week) for week in window}
        return self._window

    def _read(self, connection: Connection, week: str) -> list[Row]:
        rows = facts_between(connection, week, week, as_assigned=True)
        return [dict(row) for row in rows if self.left.get(row["ticket_id"]) != week]

    def merged(
        self, week: str, rows: Sequence[Row], book: PatternBook | None, grown: Growth | None = None
    ) -> list[Row]:
        """The facts of the window as they will be once `rows`, those of this week, are written."""
        stored = self._window
        own = {row["ticket_id"]: row for row in stored[week]}
        own.update({row["ticket_id"]: row for row in rows})
        stored[week] = [own[key] for key in sorted(own)]
        if grown is not None and (grown.claimed or grown.moved):
            moved = {(key, old): new for key, old, new in grown.moved}
            for row in (row for facts in stored.values() for row in facts):
                key, pattern_id = row["text_key"], row["pattern_id"]
                row["pattern_id"] = (
                    grown.claimed.get(key) if pattern_id is None else moved.get((key, pattern_id), pattern_id)
                )
        merged = {} if book is None else book.bound.merged
        return [
            {**row, "pattern_id": merged[row["pattern_id"]]} if row["pattern_id"] in merged else row
            for facts in stored.values()
            for row in facts
        ]

    def listed(self, facts: Sequence[Row], window: Sequence[str]) -> WeekList:
        """The list of the last week of the window."""
        own = [fact for fact in facts if fact["week"] == window[-1]]
        candidates = list_candidates(
            facts,
            self._counted_weeks(facts, window),
            self._taxonomy,
            min_tickets=self._settings.patterns.min_tickets,
            notes=self._notes_of(facts, window[-NOTES_WEEKS:]),
            texts=self._texts_of(facts, window[-NOTES_WEEKS:]),
            given=Given(self._settings.value.minutes_of_tier, self._settings.value.known_articles()),
        )
        covered = sum(fact["pattern_id"] is not None for fact in own) / max(len(own), 1)
        return WeekList(window[-1], len(own), round(covered, 4), [candidate.figures() for candidate in candidates])

    def evidence(
        self, facts: Sequence[Row], window: Sequence[str], book: PatternBook | None
    ) -> dict[str, dict[str, Any]]:
        """Evidence of each pattern from the last weeks of the window."""
        weeks = set(window[-NOTES_WEEKS:])
        recent = [fact for fact in facts if fact["week"] in weeks]
        found = evidence_by_pattern(self._desk.frame.iloc[self._desk.rows(list(weeks))], recent, self._texts)
        for pattern_id, texts in self._counter_examples(recent, book).items():
            if pattern_id in found:
                found[pattern_id]["counter"] = texts
        return found

    def _counter_examples(self, facts: Sequence[Row], book: PatternBook | None) -> dict[str, list[str]]:
        """For each pattern the nearest texts that are not of it, among those that most tickets say."""
        if book is None:
            return {}
        said = Counter(fact["text_key"] for fact in facts if fact["text_key"] in self._texts)
        keys = sorted(said, key=lambda key: (-said[key], key))[:COMPARED]
        place = {pattern_id: index for index, pattern_id in enumerate(book.ids)}
        pattern_of = {fact["text_key"]: place.get(fact["pattern_id"], -1) for fact in facts}
        pattern = np.array([pattern_of[key] for key in keys], dtype=np.int64)
        texts = [self._texts[key] for key in keys]
        near = counter_examples(book, texts, pattern)
        return {book.ids[index]: [texts[one] for one in places] for index, places in near.items()}

    def _counted_weeks(self, facts: Sequence[Row], window: Sequence[str]) -> list[str]:
        """The weeks whose tickets are all known, from the first with a ticket on: one that was never mined is not empty."""
        there = {fact["week"] for fact in facts} | {window[-1]}
        with self._store.read() as connection:
            known = there | set(mined_weeks(connection))
        if held := self._desk.weeks:
            known |= {week for week in window if min(held) < week < max(held)} - held
        return [week for week in window if week >= min(there) and week in known]

    def _texts_of(self, facts: Sequence[Row], weeks: Sequence[str]) -> dict[str, list[str]]:
        """Masked texts of recent tickets in this table, by pattern."""
        recent = [fact for fact in facts if fact["week"] in weeks and fact["pattern_id"] is not None]
        unread = {fact["ticket_id"]: fact["text_key"] for fact in recent if fact["text_key"] not in self._texts}
        rows = self._desk.rows(weeks)
        ids = self._desk.frame["ticket_id"]
        rows = rows[ids.iloc[rows].isin(unread.keys()).to_numpy(dtype=bool)]
        for piece, frame in self._desk.source.pieces(rows, ["title", "description"]):
            said = zip(ids.iloc[piece], masked_texts(ticket_text(frame)), strict=True)
            self._texts.update((unread[ticket_id], text) for ticket_id, text in said)
        texts: dict[str, list[str]] = defaultdict(list)
        for fact in recent:
            if fact["text_key"] in self._texts:
                texts[fact["pattern_id"]].append(self._texts[fact["text_key"]])
        return texts

    def _notes_of(self, facts: Sequence[Row], weeks: Sequence[str]) -> dict[str, list[str]]:
        """Close notes of recent tickets in this table, by pattern."""
        notes: dict[str, list[str]] = defaultdict(list)
        if "resolution" in self._desk.source.hashes:
            rows = self._desk.rows(weeks)
            self._read_notes(rows)
            shown = list(self._notes)
            pattern_of = {fact["ticket_id"]: fact["pattern_id"] for fact in facts if fact["week"] in weeks}
            ids = self._desk.frame["ticket_id"].iloc[rows]
            for ticket_id, number in zip(ids, self._note_of[rows].tolist(), strict=True):
                if number and (pattern_id := pattern_of.get(ticket_id)) is not None:
                    notes[pattern_id].append(shown[number])
        return notes

    def _read_notes(self, rows: Any) -> None:
        """Read the close notes of these rows that were not gathered in this run."""
        for piece, frame in self._desk.source.pieces(rows[self._note_of[rows] == _UNREAD], ["resolution"]):
            masked = masked_notes(frame["resolution"].fillna("").tolist())
            self._note_of[piece] = [self._notes.setdefault(note, len(self._notes)) for note in masked]
