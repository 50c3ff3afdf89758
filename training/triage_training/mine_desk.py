"""The tickets of one run: by week, and what the store does not know of them as they are now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.errors import InputError
from triage_ml.store import UNDATED, Store, fact_digests, known_facts, known_tickets, mined_weeks
from triage_ml.tickets import TicketSource
from triage_training.facts import absent_facts, row_digests, same_digest
from triage_training.weeks import complete_weeks, weeks_of

__all__ = ["Desk"]

IntArray = NDArray[np.int64]


class Desk:
    """A ticket table beside what the store knows.

    Parameters
    ----------
    source
        The table.
    handoffs
        A hand-off log; it counts hand-offs where the table does not.
    is_first
        Nothing was mined before, so the store has nothing to add to the table.
    """

    def __init__(
        self, source: TicketSource, store: Store, timezone: str, handoffs: pd.DataFrame | None, *, is_first: bool
    ) -> None:
        self.source = source
        self._store = store
        self._timezone = timezone
        self.frame = _with_handoffs(source.frame, handoffs)
        if not is_first:
            self.frame = self._completed(self.frame)
        self.is_dated = "opened_at" in self.frame and bool(self.frame["opened_at"].notna().any())
        weeks = weeks_of(self.frame["opened_at"], timezone) if self.is_dated else UNDATED
        self.frame = self.frame.assign(week=weeks, digest=row_digests(source, self.frame))

    @cached_property
    def rows_of(self) -> Mapping[str, IntArray]:
        """Week -> its rows, ascending."""
        codes, names = pd.factorize(self.frame["week"], sort=True)
        order = np.argsort(codes, kind="stable")
        starts = np.searchsorted(codes[order], np.arange(len(names)))
        ends = np.append(starts[1:], len(order))
        return {
            str(name): order[start:end] for name, start, end in zip(names, starts.tolist(), ends.tolist(), strict=True)
        }

    @property
    def weeks(self) -> frozenset[str]:
        """The weeks that have a ticket here."""
        return frozenset(self.rows_of)

    def rows(self, weeks: Sequence[str]) -> IntArray:
        """The rows of these weeks, ascending."""
        found = [self.rows_of[week] for week in weeks if week in self.rows_of]
        return np.sort(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)

    def changed(self, week: str, known: Mapping[str, str]) -> IntArray:
        """Rows of a week that the store does not know as they are now; `known` are its digests."""
        rows = self.rows([week])
        own = self.frame.iloc[rows]
        pairs = zip(own["ticket_id"], own["digest"], strict=True)
        changed: IntArray = rows[[not same_digest(known.get(key), digest) for key, digest in pairs]]
        return changed

    def pending(self, now: datetime) -> list[str]:
        """Complete weeks that were never mined, or have tickets that the store does not know as they are now."""
        with self._store.read() as connection:
            mined = set(mined_weeks(connection))
            return [
                week
                for week in complete_weeks(self.frame, self._timezone, now)
                if week not in mined or len(self.changed(week, fact_digests(connection, week)))
            ]

    def known(self, weeks: list[str]) -> list[str]:
        """These weeks.

        Raises
        ------
        InputError
            One of them is before or after all tickets, here and in the store.
        """
        with self._store.read() as connection:
            there = self.weeks | set(mined_weeks(connection))
        if there and (missing := [week for week in weeks if not min(there) <= week <= max(there)]):
            raise InputError(
                f"{missing[0]}: there are no tickets of this week.",
                hint=f"The tickets here are from {min(there)} to {max(there)}.",
            )
        return weeks

    def left(self, weeks: Sequence[str]) -> dict[str, str]:
        """Ticket id -> the week that it counted in until now, for tickets of these weeks whose date was corrected."""
        found = {}
        with self._store.read() as connection:
            for week in weeks:
                changed = self.frame["ticket_id"].iloc[self.changed(week, fact_digests(connection, week))]
                known = known_tickets(connection, changed)
                found.update({key: one.week for key, one in known.items() if one.week not in (week, UNDATED)})
        return found

    def _completed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The table with what earlier ones said in columns that this one lacks, for tickets that are known."""
        absent = absent_facts(frame)
        if not absent:
            return frame
        with self._store.read() as connection:
            known = known_facts(connection, frame["ticket_id"], tuple(absent))
        return frame.assign(
            **{absent[fact]: frame["ticket_id"].map(values) for fact, values in known.items() if values}
        )


def _with_handoffs(frame: pd.DataFrame, handoffs: pd.DataFrame | None) -> pd.DataFrame:
    if handoffs is None:
        return frame
    counted = frame["ticket_id"].map(handoffs["ticket_id"].value_counts()).fillna(0)
    if "reassignment_count" not in frame:
        return frame.assign(reassignment_count=counted)
    return frame.assign(reassignment_count=frame["reassignment_count"].fillna(counted))
