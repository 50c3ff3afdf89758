"""The job behind `triage mine`: known patterns take what is theirs, new ones are found, the week is listed.

The first run learns from all tickets at once and then lists the weeks; later ones learn from what is new. A week is computed
first and written in one transaction at the end. Killed at any point, the store is as it was before the last transaction; the
next run goes on and comes to the same result. If another run wrote meanwhile, this one refuses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.patterns import Growth, grow, has_open_split, keeps_to
from triage_ml.settings import Settings
from triage_ml.store import UNDATED, Store, fact_digests, is_decided, known_tickets, mined_weeks, open_store
from triage_ml.tickets import TicketSource, source_of
from triage_training.facts import SLA_COLUMNS, fact_rows
from triage_training.gathering import Tickets, gather
from triage_training.mine_assign import assignments, reorganise
from triage_training.mine_desk import Desk
from triage_training.mine_evidence import SITE_COLUMNS
from triage_training.mine_life import first_weeks, last_weeks
from triage_training.mine_listing import NOTES_WEEKS, Lister, history_of
from triage_training.mine_writing import Writer
from triage_training.recognise_job import learn_recogniser
from triage_training.weeks import weeks_back

__all__ = ["BESIDE", "Progress", "WeekResult", "assignments", "mine", "reorganise"]

IntArray = NDArray[np.int64]
#: Called with what is being done (the first word is the kind of step), how much of that is done, and how much there is;
#: 0 where that is not known.
Progress = Callable[[str, int, int], None]

#: Columns that mining looks at beside those of a ticket table.
BESIDE = (*SLA_COLUMNS, *SITE_COLUMNS)
#: Weeks that a rare text waits for others of its kind.
PATIENCE_WEEKS = 8

Row = dict[str, Any]


@dataclass(frozen=True)
class WeekResult:
    """What mining a week gave; `week` is None for tickets without dates, which have no list.

    `covered` is the share of tickets in a pattern, `found` how many patterns are new, `candidates` the list as it came out.
    `is_kept` says that the store keeps the list that it had, because somebody decided on that one. `outdated` are later weeks
    whose lists look back on this one, and could not be made again, because the table does not hold their tickets.
    """

    week: str | None
    tickets: int
    covered: float
    found: int
    candidates: Sequence[Mapping[str, Any]]
    is_kept: bool = False
    outdated: Sequence[str] = ()


def mine(
    tickets: pd.DataFrame | TicketSource,
    settings: Settings,
    *,
    weeks: Iterable[str] | None = None,
    last: int | None = None,
    handoffs: pd.DataFrame | None = None,
    refit: bool = False,
    now: datetime | None = None,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> list[WeekResult]:
    """Mine a ticket table week by week, oldest first.

    Parameters
    ----------
    tickets
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
    warn
        Is told why automations may not act.

    Raises
    ------
    InputError
        A week has no tickets in the table and none in the store.
    StoreError
        The store can't be used, or another run mined meanwhile.
    """
    store = open_store(settings.store_url)
    try:
        miner = _Miner(source_of(tickets), settings, store, handoffs, now or datetime.now(UTC))
        mined = miner.run(weeks, last, refit, progress or (lambda _what, _done, _total: None))
        if miner.desk.is_dated:
            learn_recogniser(miner.desk.source, settings, store, warn or (lambda _what: None), mined=bool(mined))
        return mined
    finally:
        store.close()


class _Miner:
    """One run over one table."""

    def __init__(
        self, source: TicketSource, settings: Settings, store: Store, handoffs: pd.DataFrame | None, now: datetime
    ) -> None:
        self.settings = settings
        self.store = store
        self.now = now
        self.writer = Writer(store, settings.paths.bundles, now)
        zone = settings.calendar.timezone
        self.desk = Desk(source, store, zone, handoffs, is_first=self.writer.book is None)
        self.lister = Lister(self.desk, settings, store)

    def run(self, weeks: Iterable[str] | None, last: int | None, refit: bool, tell: Progress) -> list[WeekResult]:
        if not self.desk.is_dated:
            return [self._mine_undated(refit)]
        chosen = self._pending(last) if weeks is None else self.desk.known(sorted(set(weeks)))
        if self.writer.book is not None:
            self.lister.left = self.desk.left(chosen)
            chosen = self._with_left(chosen)
        found: dict[str, int] = {}
        if (chosen and self.writer.book is None) or (refit and self.writer.book is not None):
            found = self._learn(chosen[-1] if chosen else self._last_known(), tell, refit=refit)
        if chosen and self.writer.book is not None and has_open_split(self.writer.book, self.writer.decided):
            tell("splitting", 0, 0)
            found[chosen[0]] = found.get(chosen[0], 0) + self._split()
        results = []
        for done, week in enumerate(chosen):
            tell(f"week {week}", done, len(chosen))
            result = self._mine_week(week, last=done == len(chosen) - 1)
            results.append(replace(result, found=result.found + found.get(week, 0)))
        outdated = self._list_later(chosen, tell)
        return [replace(one, outdated=[week for week in outdated if one.week in history_of(week)]) for one in results]

    def _pending(self, last: int | None) -> list[str]:
        pending = self.desk.pending(self.now)
        if not pending and self._is_open():
            with self.store.read() as connection:
                pending = sorted(set(mined_weeks(connection)) & self.desk.weeks)[-1:]
        return pending[-last:] if last else pending

    def _is_open(self) -> bool:
        """Whether somebody decided something that no run has taken up yet."""
        return self.writer.book is not None and not keeps_to(self.writer.book, self.writer.decided)

    def _with_left(self, weeks: Sequence[str]) -> list[str]:
        """These weeks and those that tickets of them have left, if they have a list."""
        with self.store.read() as connection:
            return sorted({*weeks, *(set(self.lister.left.values()) & set(mined_weeks(connection)))})

    def _last_known(self) -> str:
        """The last week that was mined."""
        with self.store.read() as connection:
            return max(mined_weeks(connection), default="")

    def _learn(self, week: str, tell: Progress, *, refit: bool) -> dict[str, int]:
        """The first run, or a new space: all tickets at once, without a list; new patterns by the week they began in."""
        rows = self.desk.rows([one for one in self.desk.weeks if one <= week])
        tickets, grown = self._grow(rows, week, refit=refit, tell=tell)
        weeks = self.desk.frame["week"].iloc[rows]
        born = first_weeks(weeks, tickets, grown)
        before = self.writer.patterns
        patterns = [
            replace(one, born=born.get(index, one.born)) if index >= before else one
            for index, one in enumerate(grown.book.patterns)
        ]
        grown = replace(grown, book=replace(grown.book, patterns=tuple(patterns)))
        self.writer.learnt(week, grown, self._facts(tickets, grown), last_weeks(weeks, tickets, grown))
        return dict(Counter(one.born for one in grown.book.patterns[before:]))

    def _mine_week(self, week: str, *, last: bool) -> WeekResult:
        window = history_of(week)
        with self.store.read() as connection:
            changed = self.desk.changed(week, fact_digests(connection, week))
            self.lister.stored(connection, window)
        if not len(changed) and last and self._is_open():
            changed = self.desk.rows([week])
        before = self.writer.patterns
        grown, rows, seen = None, [], {}
        if len(changed):
            tickets, grown = self._grow(changed, week, refit=False)
            rows = list(self._facts(tickets, grown))
            seen = last_weeks(self.desk.frame["week"].iloc[changed], tickets, grown)
        book = self.writer.book if grown is None else grown.book
        facts = self.lister.merged(week, rows, book, grown)
        listed = self.lister.listed(facts, window)
        evidence = self.lister.evidence(facts, window, book) if last else {}
        written = self.writer.mined(listed, grown, rows, seen, evidence, self.lister.left.values())
        found = self.writer.patterns - before
        return WeekResult(week, listed.tickets, listed.covered, found, listed.candidates, not written)

    def _split(self) -> int:
        """Splits look at what the history said, as far as this table holds it, so that it goes with its part; returns how
        many patterns are new."""
        before = self.writer.patterns
        with self.store.read() as connection:
            mined = [week for week in mined_weeks(connection) if week in self.desk.weeks]
            if not mined:
                return 0
            recent = self.desk.rows(history_of(mined[-1]))
            ids = self.desk.frame["ticket_id"].iloc[recent]
            recent = recent[ids.isin(known_tickets(connection, ids).keys()).to_numpy()]
        tickets, grown = self._grow(recent, mined[-1], refit=False)
        seen = last_weeks(self.desk.frame["week"].iloc[recent], tickets, grown)
        self.writer.learnt(mined[-1], grown, [], seen)
        return self.writer.patterns - before

    def _list_later(self, chosen: Sequence[str], tell: Progress) -> list[str]:
        """List later weeks again whose history has one of these weeks; returns those that this table can't show as they
        were, and on which nobody has decided."""
        with self.store.read() as connection:
            mined = mined_weeks(connection)
            later = [week for week in mined if week not in chosen and set(history_of(week)) & set(chosen)]
            later = [week for week in later if not is_decided(connection, week)]
        held = frozenset(self.desk.frame["ticket_id"]) if later else frozenset()
        outdated = []
        for done, week in enumerate(later):
            tell(f"again {week}", done, len(later))
            if not self._list_again(week, held, last=week == later[-1]):
                outdated.append(week)
        return outdated

    def _list_again(self, week: str, held: frozenset[str], *, last: bool) -> bool:
        window = history_of(week)
        with self.store.read() as connection:
            stored = self.lister.stored(connection, window)
        recent = [row["ticket_id"] for one in window[-NOTES_WEEKS:] for row in stored[one]]
        if not held.issuperset(recent):
            return False
        facts = self.lister.merged(week, [], self.writer.book)
        evidence = self.lister.evidence(facts, window, self.writer.book) if last else {}
        self.writer.mined(self.lister.listed(facts, window), evidence=evidence)
        return True

    def _mine_undated(self, refit: bool) -> WeekResult:
        """Tickets without dates, each counted once; one that has a date in the store keeps it."""
        before = self.writer.patterns
        ids = self.desk.frame["ticket_id"]
        rows = np.arange(len(ids))
        with self.store.read() as connection:
            if not (refit or self._is_open()):
                rows = self.desk.changed(UNDATED, fact_digests(connection, UNDATED))
            known = known_tickets(connection, ids.iloc[rows])
        dated = {key for key, one in known.items() if one.week != UNDATED}
        if len(rows) or self.writer.book is None:
            tickets, grown = self._grow(rows, UNDATED, refit=refit)
            facts = (row for row in self._facts(tickets, grown) if row["ticket_id"] not in dated)
            self.writer.learnt(UNDATED, grown, facts, {})
        with self.store.read() as connection:
            known = known_tickets(connection, ids)
        covered = sum(known[key].pattern_id is not None for key in ids if key in known)
        return WeekResult(None, len(ids), covered / max(len(ids), 1), self.writer.patterns - before, [])

    def _grow(self, rows: IntArray, week: str, *, refit: bool, tell: Progress | None = None) -> tuple[Tickets, Growth]:
        told = None if tell is None else partial(tell, "gathering")
        tickets = gather(self.desk.source, rows, told)
        if tell is not None:
            tell("learning", 0, 0)
        self.lister.remember(tickets, week)
        grown = grow(
            self.writer.book,
            tickets.said,
            week=week,
            min_tickets=self.settings.patterns.min_tickets,
            forget_before=weeks_back(week, PATIENCE_WEEKS)[0] if week else "",
            decided=self.writer.decided,
            refitted=refit,
            encoder=self.settings.patterns.encoder,
            again=self._counted_before(rows),
        )
        return tickets, grown

    def _counted_before(self, rows: IntArray) -> Mapping[str, int]:
        """Text key -> how many of these tickets an earlier run has counted with it."""
        if self.writer.book is None:
            return {}
        with self.store.read() as connection:
            known = known_tickets(connection, self.desk.frame["ticket_id"].iloc[rows])
        return Counter(one.text_key for one in known.values() if one.text_key is not None)

    def _facts(self, tickets: Tickets, grown: Growth) -> Iterator[Row]:
        ids = [grown.book.ids[index] if index >= 0 else None for index in grown.pattern.tolist()]
        pattern = np.append(grown.pattern, -1)[tickets.of_row]  # the last is for tickets without a text
        variants = grown.book.variants_by_note(pattern, tickets.closing)
        return fact_rows(self.desk.frame.iloc[tickets.rows], tickets, ids, grown.similarity, variants)
