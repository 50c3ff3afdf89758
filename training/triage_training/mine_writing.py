"""What mining writes: patterns, facts and a list in one transaction, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from triage_ml.errors import StoreError
from triage_ml.patterns import Growth, book_folder, load_book, prune_books, publish_book
from triage_ml.store import (
    Connection,
    Store,
    WeekList,
    add_lineage,
    claim_texts,
    count_work,
    latest_book,
    lock_mining,
    mining_version,
    move_texts,
    put_evidence,
    put_facts,
    put_patterns,
    put_week,
    update_patterns,
    use_book,
    used_books,
)
from triage_training.mine_life import Life, decided_now

__all__ = ["Writer"]

#: Pattern bundles that stay: the one in use, and those that a service may still be reading.
KEPT_BOOKS = 3


class Writer:
    """The patterns as they stand in the store, and the only one that changes them there.

    `book` is the book in use, None before the first run; `decided` is what people decided when the run began.
    """

    def __init__(self, store: Store, bundles: Path, now: datetime) -> None:
        self._store = store
        self._bundles = bundles
        self._now = now
        with store.read() as connection:
            self._version = mining_version(connection)
            self._digest = latest_book(connection)
            self.decided = decided_now(connection)
            self._life = Life(connection)
        self.book = None if self._digest is None else load_book(bundles, self._digest)

    @property
    def patterns(self) -> int:
        """How many patterns are known."""
        return 0 if self.book is None else len(self.book)

    def learnt(self, week: str, grown: Growth, rows: Iterable[Mapping[str, Any]], seen: Mapping[str, str]) -> None:
        """Write what was learnt from tickets of many weeks, without a list; see `mined`."""
        digest = publish_book(grown.book, self._bundles)
        with self._store.begin() as connection:
            self._begin(connection)
            self._put_growth(connection, week, grown, seen, digest)
            put_facts(connection, rows)
            self._put_moves(connection, grown)
            count_work(connection)
            version = self._end(connection, digest)
        self._digest, self._version, self.book = digest, version, grown.book

    def mined(
        self,
        listed: WeekList,
        grown: Growth | None = None,
        rows: Iterable[Mapping[str, Any]] = (),
        seen: Mapping[str, str] | None = None,
        evidence: Mapping[str, Mapping[str, Any]] | None = None,
        left: Iterable[str] = (),
    ) -> bool:
        """Write all of a week; False where the list that was there stays, for somebody decided on it.

        Parameters
        ----------
        rows
            Facts of the week's tickets that are new or have changed.
        seen
            The last week with a ticket of each pattern that they belong to.
        left
            Weeks that some of them have counted in until now.

        Raises
        ------
        StoreError
            Another run wrote meanwhile.
        """
        digest = self._digest if grown is None else publish_book(grown.book, self._bundles)
        with self._store.begin() as connection:
            self._begin(connection)
            if grown is not None and digest is not None:
                self._put_growth(connection, listed.week, grown, seen or {}, digest)
            put_facts(connection, rows)
            if grown is not None:
                first = self._put_moves(connection, grown) or listed.week
                count_work(connection, since="" if grown.moved else min(first, listed.week, *left))
            written = put_week(connection, listed)
            put_evidence(connection, listed.week, evidence or {})
            version = self._end(connection, digest)
        self._digest, self._version = digest, version
        self.book = self.book if grown is None else grown.book
        return written

    def _begin(self, connection: Connection) -> None:
        lock_mining(connection)
        if mining_version(connection) != self._version:
            raise StoreError(
                "Another run has mined into this store meanwhile; nothing was written.", hint="Run it again."
            )

    def _put_growth(
        self, connection: Connection, week: str, grown: Growth, seen: Mapping[str, str], digest: str
    ) -> None:
        if not book_folder(self._bundles, digest).exists():  # another run found it unused
            publish_book(grown.book, self._bundles)
        new, changed, events = self._life.after(week, self.book, grown.book, seen)
        put_patterns(connection, new)
        update_patterns(connection, changed)
        add_lineage(connection, events, now=self._now)

    def _put_moves(self, connection: Connection, grown: Growth) -> str | None:
        """Tickets of earlier weeks that belong elsewhere now; the first week with one that had no pattern."""
        claimed = claim_texts(connection, grown.claimed)
        move_texts(connection, grown.moved)
        return claimed

    def _end(self, connection: Connection, digest: str | None) -> tuple[str | None, int]:
        if digest is not None:
            use_book(connection, digest, now=self._now)
        version = mining_version(connection)
        prune_books(self._bundles, keep=used_books(connection)[-KEPT_BOOKS:])
        return version
