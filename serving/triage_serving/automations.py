"""What stands beside the model: the known patterns and the automations in force. Both come from the store, by polling.

A decision reaches every worker with the next poll, within `[serving] poll_seconds`. What can't be read leaves things as
they were: an automation that was in force goes on until the store says otherwise. Where only the newest patterns can't be read,
the ones before stay and decisions count all the same, so that an automation can always be taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import structlog

from triage_ml.errors import StoreError
from triage_ml.patterns import PatternBook, load_book
from triage_ml.settings import Calendar
from triage_ml.store import Store, automations_in_force, latest_book
from triage_serving.champion import Answerer, Champion

__all__ = ["Automations"]

log = structlog.get_logger("triage.automations")


@dataclass(frozen=True)
class _InForce:
    digest: str | None = None
    book: PatternBook | None = None
    automations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Automations:
    """Follows the store, in a thread of its own: a registry that hangs must not keep an automation from being taken back.

    What is in force is noted before the champion is changed, and a model that takes over asks for it (`dress`) under the
    champion's lock: so a new model never comes with old automations, whichever of the two is first.
    """

    def __init__(self, store: Store, bundles: Path, calendar: Calendar | None = None) -> None:
        self._store = store
        self._calendar = calendar or Calendar()
        self._bundles = bundles
        self._now = _InForce()

    def dress(self, answerer: Answerer) -> Answerer:
        """The answerer with the patterns and automations of now; as it is where there are no patterns."""
        if self._now.book is None:
            return answerer
        return answerer.with_patterns(self._now.book, self._now.automations)

    def poll(self, champion: Champion) -> None:
        """Read the store once; where something changed, the champion answers with it from the next batch on."""
        try:
            found = self._read()
        except StoreError as error:
            log.warning("automations_not_read", reason=error.message)
            return
        if (found.digest, found.automations) != (self._now.digest, self._now.automations):
            self._now = found
            champion.change(self.dress)
            log.info("automations_in_force", patterns=len(found.book or ()), automations=len(found.automations))

    def _read(self) -> _InForce:
        with self._store.read() as connection:
            digest = latest_book(connection)
            automations = automations_in_force(connection, today=self._calendar.today())
        if digest is None:
            return _InForce()
        if digest == self._now.digest:
            return replace(self._now, automations=automations)
        try:
            return _InForce(digest, load_book(self._bundles, digest), automations)
        except Exception as error:  # noqa: BLE001 - a bundle can break its reader in any way; an undo must count all the same
            log.warning("patterns_not_read", reason=getattr(error, "message", type(error).__name__))
            return replace(self._now, automations=automations)
