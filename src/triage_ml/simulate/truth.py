"""What is true of the desk beyond single tickets: kinds, weeks with and without automation, changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from triage_ml.simulate.calendar import Calendar
from triage_ml.simulate.catalogue import Catalogue

__all__ = ["Savings", "changes_table", "kinds_table"]


class Savings:
    """Tickets and minutes by kind and week, if nothing of the kind were automated and if its automation were in force.

    A ticket that the automation would have closed counts as spared in every week, before the automation came as well:
    the difference is what a decision to automate would have been worth in that week.
    """

    def __init__(self, kinds: int, weeks: int) -> None:
        self._tickets = np.zeros((2, kinds, weeks), dtype=np.int64)  # without, with
        self._minutes = np.zeros((2, kinds, weeks))

    def add(self, rows: Iterable[tuple[int, int, bool, float]]) -> None:
        """Count rows of (kind, week, spared by its automation, minutes of people without it)."""
        kind, week, spared, minutes = (np.array(column) for column in zip(*rows, strict=True))
        for part, kept in enumerate((np.ones(len(kind), dtype=bool), ~spared)):
            np.add.at(self._tickets[part], (kind[kept], week[kept]), 1)
            np.add.at(self._minutes[part], (kind[kept], week[kept]), minutes[kept])

    def table(self, catalogue: Catalogue, calendar: Calendar) -> dict[str, Any]:
        """A row for each kind and week, weeks in order within a kind."""
        minutes = self._minutes.round(1)
        return {
            "kind": [kind.id for kind in catalogue.kinds for _ in range(calendar.weeks)],
            "week": [calendar.label(week) for week in range(calendar.weeks)] * len(catalogue.kinds),
            "tickets_without_automation": self._tickets[0].ravel(),
            "tickets_with_automation": self._tickets[1].ravel(),
            "minutes_without_automation": minutes[0].ravel(),
            "minutes_with_automation": minutes[1].ravel(),
            "savable_hours": _hours(minutes),
        }


def _hours(minutes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    hours: npt.NDArray[np.float64] = ((minutes[0] - minutes[1]) / 60).round(4).ravel()
    return hours


def kinds_table(catalogue: Catalogue) -> dict[str, Any]:
    """One row a kind: whether it can be automated, how, how far."""
    automations = [kind.automation for kind in catalogue.kinds]
    return {
        "kind": [kind.id for kind in catalogue.kinds],
        "automatable": [automation is not None for automation in automations],
        "automation_kind": [automation.kind if automation else None for automation in automations],
        "share_covered": [automation.share_covered if automation else 0.0 for automation in automations],
        "success": [automation.success if automation else 0.0 for automation in automations],
    }


def changes_table(calendar: Calendar) -> dict[str, Any]:
    """One row a change, oldest first; `kind` or `group` is what it happened to."""
    changes = calendar.changes
    return {
        "week": [calendar.label(change.week) for change in changes],
        "what": [change.what for change in changes],
        "kind": [change.kind for change in changes],
        "group": [change.group for change in changes],
    }
