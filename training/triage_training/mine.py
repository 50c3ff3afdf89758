"""The job behind `triage mine`: known patterns take what is theirs, new ones are found, the week is listed.

The first run learns from all tickets at once and then lists the weeks; later ones learn from what is new. A week is computed
first and written in one transaction at the end. Killed at any point, the store is as it was before the last transaction; the
next run goes on and comes to the same result. If another run wrote meanwhile, this one refuses.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from triage_ml.errors import InputError, StoreError
from triage_ml.patterns import (
    Growth,
    book_folder,
    grow,
    has_open_split,
    keeps_to,
    load_book,
    propose,
    prune_books,
    publish_book,
)
from triage_ml.settings import Settings
from triage_ml.store import (
    UNDATED,
    Connection,
    Proposal,
    Store,
    WeekList,
    add_lineage,
    claim_texts,
    count_work,
    fact_digests,
    facts_between,
    known_facts,
    known_tickets,
    latest_book,
    lock_mining,
    mined_weeks,
    mining_version,
    move_texts,
    open_store,
    put_evidence,
    put_facts,
    put_patterns,
    put_proposals,
    put_week,
    update_patterns,
    use_book,
    used_books,
)
from triage_ml.taxonomy import Taxonomy, load_taxonomy
from triage_ml.value import HISTORY_WEEKS, Given, list_candidates
from triage_training.facts import (
    Notes,
    Tickets,
    absent_facts,
    closing_notes,
    fact_rows,
    gather,
    known_notes,
    masked_notes,
    prepare,
    row_digests,
    same_digest,
)
from triage_training.mine_evidence import evidence_by_pattern
from triage_training.mine_life import Life, decided_now
from triage_training.weeks import complete_weeks, weeks_back, weeks_of

__all__ = ["Progress", "WeekResult", "assignments", "mine", "reorganise"]

#: Called with what is being done (a week, or a word), how many steps are done, and how many there are.
Progress = Callable[[str, int, int], None]

#: Weeks that a rare text waits for others of its kind.
PATIENCE_WEEKS = 8
#: Weeks whose close notes say how a pattern gets solved.
NOTES_WEEKS = 4
#: Pattern bundles that stay: the one in use, and those that a service may still be reading.
KEPT_BOOKS = 3

Row = dict[str, Any]


@dataclass(frozen=True)
class WeekResult:
    """What mining a week gave; `week` is None for tickets without dates, which have no list.

    `covered` is the share of tickets in a pattern, `found` how many patterns are new, `candidates` the list as it came out.
    `is_kept` says that the store keeps the list that it had, because somebody decided on that one.
    """

    week: str | None
    tickets: int
    covered: float
    found: int
    candidates: Sequence[Mapping[str, Any]]
    is_kept: bool = False


def mine(
    frame: pd.DataFrame,
    settings: Settings,
    *,
    weeks: Iterable[str] | None = None,
    last: int | None = None,
    handoffs: pd.DataFrame | None = None,
    refit: bool = False,
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
        have changed since; if none is left and somebody has decided on a pattern since, the latest that was.
    last
        Of those, the last so many only; the first run learns from the weeks before them all the same.
    handoffs
        A hand-off log; it counts hand-offs where the table does not.
    refit
        Fit the space anew on these tickets first, with the vocabulary and the encoder of today; patterns keep their ids.

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
        return _Miner(_with_handoffs(frame, handoffs), settings, store, now).run(weeks, last, refit, progress)
    finally:
        store.close()


def reorganise(frame: pd.DataFrame, settings: Settings, *, now: datetime | None = None) -> list[Proposal]:
    """Merges and splits to decide on, looked at by these tickets; kept in the store until the next time.

    Raises
    ------
    InputError
        Nothing has been mined yet.
    """
    store = open_store(settings.store_url)
    try:
        with store.read() as connection:
            digest = latest_book(connection)
        if digest is None:
            raise InputError("No week has been mined yet.", hint="Run: triage mine TICKETS")
        book = load_book(settings.paths.bundles, digest)
        found = propose(book, gather(frame).said, week="", min_tickets=settings.patterns.min_tickets)
        proposals = [
            Proposal(
                one.action,
                one.pattern_id,
                one.other,
                one.likeness,
                {"parts": [{"tickets": tickets, "examples": list(examples)} for tickets, examples in one.parts]},
            )
            for one in found
        ]
        with store.begin() as connection:
            put_proposals(connection, proposals, now=now or datetime.now(UTC))
    finally:
        store.close()
    return proposals


def assignments(frame: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """`ticket_id, pattern_id, variant_id, theme_id` for every row, by the patterns known now; missing where none fits.

    The pattern is what a filed ticket would be given, by its text. The variant is by the close note where there is one, else by
    the text where that tells it.
    """
    store = open_store(settings.store_url)
    with store.read() as connection:
        digest = latest_book(connection)
    store.close()
    columns: dict[str, list[str | None]] = {
        name: [None] * len(frame) for name in ("pattern_id", "variant_id", "theme_id")
    }
    if digest is not None:
        book = load_book(settings.paths.bundles, digest)
        founder, by_text = book.assign_filed(prepare(frame))
        notes = closing_notes(frame, known_notes(frame))
        by_note = book.variants_by_note(founder, notes)
        now = book.goes_on_as(founder).tolist()
        columns["pattern_id"] = [book.ids[one] if one >= 0 else None for one in now]
        columns["variant_id"] = [own if note else text for own, text, note in zip(by_note, by_text, notes, strict=True)]
        columns["theme_id"] = [book.patterns[one].theme_id or None if one >= 0 else None for one in now]
    ids = frame["ticket_id"].reset_index(drop=True)
    return pd.DataFrame({"ticket_id": ids} | {name: pd.Series(v, dtype="string") for name, v in columns.items()})


class _Miner:
    """One run over one table."""

    def __init__(self, frame: pd.DataFrame, settings: Settings, store: Store, now: datetime) -> None:
        self.settings = settings
        self.store = store
        self.now = now
        self.notes: Notes = {}
        self.texts: dict[str, str] = {}
        self.left: dict[str, str] = {}
        self.held: frozenset[str] = frozenset()
        self.window: dict[str, list[Row]] = {}
        self.taxonomy: Taxonomy = load_taxonomy(settings.taxonomy.file)
        with store.read() as connection:
            self.version = mining_version(connection)
            self.digest = latest_book(connection)
            self.decided = decided_now(connection)
            self.life = Life(connection)
        self.book = None if self.digest is None else load_book(settings.paths.bundles, self.digest)
        self.frame = self._completed(frame)

    def run(
        self, weeks: Iterable[str] | None, last: int | None, refit: bool, progress: Progress | None
    ) -> list[WeekResult]:
        if "opened_at" not in self.frame or self.frame["opened_at"].isna().all():
            return [self._mine_undated(refit)]
        self.frame = self.frame.assign(
            week=weeks_of(self.frame["opened_at"], self.settings.calendar.timezone), digest=row_digests(self.frame)
        )
        self.held = frozenset(self.frame["week"].dropna().unique())
        chosen = self._pending(last) if weeks is None else self._known(sorted(set(weeks)))
        self.left = self._left(chosen)
        chosen = self._with_left(chosen)
        tell = progress or (lambda _what, _done, _total: None)
        found: dict[str, int] = {}
        if (chosen and self.book is None) or (refit and self.book is not None):
            tell("learning", 0, len(chosen) + 1)
            upto = chosen[-1] if chosen else self._last_known()
            found = self._learn(self.frame[self.frame["week"] <= upto], upto, refit=refit)
        if chosen and self.book is not None and has_open_split(self.book, self.decided):
            tell("splitting", 0, len(chosen) + 1)
            found[chosen[0]] = found.get(chosen[0], 0) + self._split()
        results = []
        for done, week in enumerate(chosen):
            tell(week, done + 1, len(chosen) + 1)
            result = self._mine_week(week, last=done == len(chosen) - 1)
            results.append(replace(result, found=result.found + found.get(week, 0)))
        self._list_later(chosen)
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
        if not pending and self._is_open():
            pending = sorted(mined & self.held)[-1:]
        return pending[-last:] if last else pending

    def _is_open(self) -> bool:
        """Whether somebody decided something that no run has taken up yet."""
        return self.book is not None and not keeps_to(self.book, self.decided)

    def _left(self, weeks: Sequence[str]) -> dict[str, str]:
        """Ticket id -> the week that it counted in until now, for tickets of these weeks whose date was corrected."""
        if self.book is None:
            return {}
        found = {}
        with self.store.read() as connection:
            for week in weeks:
                changed = self._changed(week, fact_digests(connection, week))
                known = known_tickets(connection, changed["ticket_id"])
                found.update({key: one.week for key, one in known.items() if one.week not in (week, UNDATED)})
        return found

    def _with_left(self, weeks: Sequence[str]) -> list[str]:
        """These weeks and those that tickets of them have left, if they have a list."""
        with self.store.read() as connection:
            return sorted({*weeks, *(set(self.left.values()) & set(mined_weeks(connection)))})

    def _known(self, weeks: list[str]) -> list[str]:
        with self.store.read() as connection:
            there = self.held | set(mined_weeks(connection))
        if there and (missing := [week for week in weeks if not min(there) <= week <= max(there)]):
            raise InputError(
                f"{missing[0]}: there are no tickets of this week.",
                hint=f"The tickets here are from {min(there)} to {max(there)}.",
            )
        return weeks

    def _last_known(self) -> str:
        """The last week that was mined."""
        with self.store.read() as connection:
            return max(mined_weeks(connection), default="")

    def _changed(self, week: str, known: Mapping[str, str]) -> pd.DataFrame:
        """Tickets of a week that the store does not know as they are now."""
        own = self.frame[self.frame["week"] == week]
        pairs = zip(own["ticket_id"], own["digest"], strict=True)
        return own[[not same_digest(known.get(key), digest) for key, digest in pairs]]

    def _completed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The table with what earlier ones said in columns that this one lacks, for tickets that are known."""
        absent = absent_facts(frame)
        if self.book is None or not absent:
            return frame
        with self.store.read() as connection:
            known = known_facts(connection, frame["ticket_id"], tuple(absent))
        return frame.assign(
            **{absent[fact]: frame["ticket_id"].map(values) for fact, values in known.items() if values}
        )

    def _learn(self, tickets: pd.DataFrame, week: str, *, refit: bool) -> dict[str, int]:
        """The first run, or a new space: all tickets at once, without a list; new patterns by the week they began in."""
        said, grown = self._grow(tickets, week, refit=refit)
        born = _first_weeks(tickets["week"].tolist(), said, grown)
        before = 0 if self.book is None else len(self.book)
        patterns = [
            replace(one, born=born.get(index, one.born)) if index >= before else one
            for index, one in enumerate(grown.book.patterns)
        ]
        grown = replace(grown, book=replace(grown.book, patterns=tuple(patterns)))
        self._write(week, grown, _facts(tickets, said, grown), _last_weeks(tickets["week"].tolist(), said, grown), None)
        weeks = [one.born for one in grown.book.patterns[before:]]
        return {one: weeks.count(one) for one in set(weeks)}

    def _mine_week(self, week: str, *, last: bool) -> WeekResult:
        window = weeks_back(week, HISTORY_WEEKS)
        with self.store.read() as connection:
            changed = self._changed(week, fact_digests(connection, week))
            stored = self._stored(connection, window)
        if changed.empty and last and self._is_open():
            changed = self.frame[self.frame["week"] == week]
        if changed.empty:
            grown, rows, seen = None, [], {}
        else:
            said, grown = self._grow(changed, week, refit=False)
            rows = list(_facts(changed, said, grown))
            seen = _last_weeks(changed["week"].tolist(), said, grown)
        facts = self._merged(stored, week, rows, grown)
        listed = self._list(facts, window)
        evidence = self._evidence(facts, window) if last else {}
        before = 0 if self.book is None else len(self.book)
        is_kept = not self._write(week, grown, rows, seen, listed, evidence)
        found = 0 if grown is None else len(grown.book) - before
        return WeekResult(week, listed.tickets, listed.covered, found, listed.candidates, is_kept)

    def _split(self) -> int:
        """Splits look at what the history said, as far as this table holds it, so that it goes with its part; returns how
        many patterns are new."""
        before = 0 if self.book is None else len(self.book)
        with self.store.read() as connection:
            mined = [week for week in mined_weeks(connection) if week in self.held]
            if not mined:
                return 0
            recent = self.frame[self.frame["week"].isin(weeks_back(mined[-1], HISTORY_WEEKS))]
            known = known_tickets(connection, recent["ticket_id"])
        recent = recent[recent["ticket_id"].isin(known.keys())]
        said, grown = self._grow(recent, mined[-1], refit=False)
        seen = _last_weeks(recent["week"].tolist(), said, grown)
        self._write(mined[-1], grown, [], seen, None)
        return len(grown.book) - before

    def _list_later(self, chosen: Sequence[str]) -> None:
        """List later weeks again whose history has one of these weeks; those that this table can show as they were."""
        with self.store.read() as connection:
            mined = mined_weeks(connection)
        later = [week for week in mined if week not in chosen and set(weeks_back(week, HISTORY_WEEKS)) & set(chosen)]
        held = set(self.frame["ticket_id"])
        for week in later:
            window = weeks_back(week, HISTORY_WEEKS)
            with self.store.read() as connection:
                stored = self._stored(connection, window)
            recent = [row["ticket_id"] for one in window[-NOTES_WEEKS:] for row in stored[one]]
            if held.issuperset(recent):
                facts = self._merged(stored, week, [], None)
                evidence = self._evidence(facts, window) if week == later[-1] else {}
                self._write(week, None, [], {}, self._list(facts, window), evidence)

    def _mine_undated(self, refit: bool) -> WeekResult:
        """Tickets without dates, each counted once; one that has a date in the store keeps it."""
        self.frame = self.frame.assign(week=UNDATED, digest=row_digests(self.frame))
        before = 0 if self.book is None else len(self.book)
        with self.store.read() as connection:
            changed = (
                self.frame if refit or self._is_open() else self._changed(UNDATED, fact_digests(connection, UNDATED))
            )
            dated = {key for key, one in known_tickets(connection, changed["ticket_id"]).items() if one.week != UNDATED}
        if len(changed) or self.book is None:
            said, grown = self._grow(changed, UNDATED, refit=refit)
            rows = [row for row in _facts(changed, said, grown) if row["ticket_id"] not in dated]
            self._write(UNDATED, grown, rows, {}, None)
        with self.store.read() as connection:
            known = known_tickets(connection, self.frame["ticket_id"])
        covered = sum(known[key].pattern_id is not None for key in self.frame["ticket_id"] if key in known)
        found = 0 if self.book is None else len(self.book) - before
        return WeekResult(None, len(self.frame), covered / max(len(self.frame), 1), found, [])

    def _grow(self, tickets: pd.DataFrame, week: str, *, refit: bool) -> tuple[Tickets, Growth]:
        said = gather(tickets)
        self.notes.update(said.notes)
        self._remember(tickets, week, said)
        grown = grow(
            self.book,
            said.said,
            week=week,
            min_tickets=self.settings.patterns.min_tickets,
            forget_before=weeks_back(week, PATIENCE_WEEKS)[0] if week else "",
            decided=self.decided,
            refitted=refit,
            encoder=self.settings.patterns.encoder,
            again=self._counted_before(tickets),
        )
        return said, grown

    def _counted_before(self, tickets: pd.DataFrame) -> Mapping[str, int]:
        """Text key -> how many of these tickets an earlier run has counted with it."""
        if self.book is None:
            return {}
        with self.store.read() as connection:
            known = known_tickets(connection, tickets["ticket_id"])
        return Counter(one.text_key for one in known.values() if one.text_key is not None)

    def _remember(self, tickets: pd.DataFrame, week: str, said: Tickets) -> None:
        """Keep the texts of recent weeks, to show what patterns are made of."""
        if week:
            recent = tickets["week"].isin(weeks_back(week, NOTES_WEEKS)).to_numpy(dtype=bool)
            seen = np.unique(said.uniques.of_row[recent]).tolist()
            self.texts.update((said.uniques.keys[one], said.uniques.texts[one]) for one in seen if one >= 0)

    def _stored(self, connection: Connection, window: Sequence[str]) -> dict[str, list[Row]]:
        """Facts of the weeks as they were assigned; what was read for the week before is not read again."""
        self.window = {
            week: self.window.get(week)
            or [
                dict(row)
                for row in facts_between(connection, week, week, as_assigned=True)
                if self.left.get(row["ticket_id"]) != week
            ]
            for week in window
        }
        return self.window

    def _merged(self, stored: dict[str, list[Row]], week: str, rows: Sequence[Row], grown: Growth | None) -> list[Row]:
        """The facts of the window as they will be once everything of this week is written."""
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
        book = self.book if grown is None else grown.book
        merged = {} if book is None else book.bound.merged
        return [
            {**row, "pattern_id": merged[row["pattern_id"]]} if row["pattern_id"] in merged else row
            for facts in stored.values()
            for row in facts
        ]

    def _list(self, facts: Sequence[Row], window: Sequence[str]) -> WeekList:
        own = [fact for fact in facts if fact["week"] == window[-1]]
        candidates = list_candidates(
            facts,
            self._counted_weeks(facts, window),
            self.taxonomy,
            min_tickets=self.settings.patterns.min_tickets,
            notes=self._notes_of(facts, set(window[-NOTES_WEEKS:])),
            given=Given(self.settings.value.minutes_of_tier, self.settings.value.known_articles()),
        )
        covered = sum(fact["pattern_id"] is not None for fact in own) / max(len(own), 1)
        return WeekList(window[-1], len(own), round(covered, 4), [candidate.figures() for candidate in candidates])

    def _counted_weeks(self, facts: Sequence[Row], window: Sequence[str]) -> list[str]:
        """The weeks whose tickets are all known, from the first with a ticket on: one that was never mined is not empty."""
        there = {fact["week"] for fact in facts} | {window[-1]}
        with self.store.read() as connection:
            known = there | set(mined_weeks(connection))
        if self.held:
            known |= {week for week in window if min(self.held) < week < max(self.held)} - self.held
        return [week for week in window if week >= min(there) and week in known]

    def _evidence(self, facts: Sequence[Row], window: Sequence[str]) -> dict[str, dict[str, Any]]:
        weeks = set(window[-NOTES_WEEKS:])
        return evidence_by_pattern(self.frame, [fact for fact in facts if fact["week"] in weeks], self.texts)

    def _notes_of(self, facts: Sequence[Row], weeks: set[str]) -> dict[str, list[str]]:
        """Close notes of recent tickets in this table, by pattern."""
        notes: dict[str, list[str]] = defaultdict(list)
        if "resolution" in self.frame:
            recent = self.frame[self.frame["week"].isin(weeks) & self.frame["resolution"].notna()]
            pattern_of = {fact["ticket_id"]: fact["pattern_id"] for fact in facts if fact["week"] in weeks}
            shown = masked_notes(recent["resolution"].tolist(), self.notes)
            for ticket_id, note in zip(recent["ticket_id"], shown, strict=True):
                if (pattern_id := pattern_of.get(ticket_id)) is not None:
                    notes[pattern_id].append(note)
        return notes

    def _write(
        self,
        week: str,
        grown: Growth | None,
        rows: Iterable[Row],
        seen: Mapping[str, str],
        listed: WeekList | None,
        evidence: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> bool:
        """All of a week in one transaction; False where the list that was there stays, for somebody decided on it."""
        learnt, written = listed is None, True
        bundles = self.settings.paths.bundles
        digest = self.digest if grown is None else publish_book(grown.book, bundles)
        with self.store.begin() as connection:
            lock_mining(connection)
            if mining_version(connection) != self.version:
                raise StoreError(
                    "Another run has mined into this store meanwhile; nothing was written.", hint="Run it again."
                )
            if grown is not None:
                if digest is not None and not book_folder(bundles, digest).exists():  # another run found it unused
                    publish_book(grown.book, bundles)
                self._write_patterns(connection, week, grown, seen)
            put_facts(connection, rows)
            if grown is not None:
                claimed = claim_texts(connection, grown.claimed) or week
                move_texts(connection, grown.moved)
                count_work(connection, since="" if learnt or grown.moved else min(claimed, week, *self.left.values()))
            if digest is not None:
                use_book(connection, digest, now=self.now)
            if listed is not None:
                written = put_week(connection, listed)
                put_evidence(connection, listed.week, evidence or {})
            version = mining_version(connection)
            prune_books(bundles, keep=used_books(connection)[-KEPT_BOOKS:])
        self.digest, self.version = digest, version
        self.book = self.book if grown is None else grown.book
        return written

    def _write_patterns(self, connection: Connection, week: str, grown: Growth, seen: Mapping[str, str]) -> None:
        new, changed, events = self.life.after(week, self.book, grown.book, seen)
        put_patterns(connection, new)
        update_patterns(connection, changed)
        add_lineage(connection, events, now=self.now)


def _facts(tickets: pd.DataFrame, said: Tickets, grown: Growth) -> Iterator[Row]:
    ids = [grown.book.ids[index] if index >= 0 else None for index in grown.pattern.tolist()]
    of_row = said.uniques.of_row
    pattern = np.where(of_row >= 0, grown.pattern[of_row], -1) if len(grown.pattern) else np.full(len(of_row), -1)
    variants = grown.book.variants_by_note(pattern, closing_notes(tickets, said.notes))
    return fact_rows(tickets, said.uniques, ids, grown.similarity, variants)


def _first_weeks(weeks: Sequence[str], said: Tickets, grown: Growth) -> dict[int, str]:
    """Pattern index -> the first week with a ticket of it."""
    return _by_pattern(weeks, said, grown, first=True)


def _last_weeks(weeks: Sequence[str], said: Tickets, grown: Growth) -> dict[str, str]:
    """Pattern id -> the last week with a ticket of it."""
    return {grown.book.ids[index]: week for index, week in _by_pattern(weeks, said, grown, first=False).items()}


def _by_pattern(weeks: Sequence[str], said: Tickets, grown: Growth, *, first: bool) -> dict[int, str]:
    names, number = np.unique(np.array(weeks, dtype=str), return_inverse=True)
    rows = said.uniques.of_row >= 0
    pattern = grown.pattern[said.uniques.of_row[rows]]
    order = np.lexsort((number[rows] if first else -number[rows], pattern))
    patterns, where = np.unique(pattern[order], return_index=True)
    return {
        index: str(names[number[rows][order][place]])
        for index, place in zip(patterns.tolist(), where.tolist(), strict=True)
        if index >= 0
    }


def _with_handoffs(frame: pd.DataFrame, handoffs: pd.DataFrame | None) -> pd.DataFrame:
    if handoffs is None:
        return frame
    counted = frame["ticket_id"].map(handoffs["ticket_id"].value_counts()).fillna(0)
    if "reassignment_count" not in frame:
        return frame.assign(reassignment_count=counted)
    return frame.assign(reassignment_count=frame["reassignment_count"].fillna(counted))
