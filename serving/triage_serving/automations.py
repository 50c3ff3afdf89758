"""What stands beside the model: the known patterns, the automations in force, and what recognises their tickets.

They come from the store and the folder of bundles, by polling.

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

from triage_ml.answer import Recogniser, latest_recogniser
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
    recogniser: Recogniser | None = None
    learnt: Path | None = None

    @property
    def version(self) -> tuple[Any, ...]:
        """What it was read from."""
        return self.digest, self.automations, self.learnt


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

    @property
    def book(self) -> PatternBook | None:
        """The patterns of now."""
        return self._now.book

    def dress(self, answerer: Answerer) -> Answerer:
        """The answerer with the patterns and automations of now; as it is where there are no patterns."""
        if self._now.book is None:
            return answerer
        return answerer.with_patterns(self._now.book, self._now.automations, self._now.recogniser)

    def poll(self, champion: Champion) -> None:
        """Read the store once; where something changed, the champion answers with it from the next batch on."""
        try:
            found = self._read()
        except StoreError as error:
            log.warning("automations_not_read", reason=error.message)
            return
        if found.version != self._now.version:
            self._now = found
            champion.change(self.dress)
            log.info("automations_in_force", patterns=len(found.book or ()), automations=len(found.automations))

    def _read(self) -> _InForce:
        with self._store.read() as connection:
            digest = latest_book(connection)
            automations = automations_in_force(connection, today=self._calendar.today())
        if digest is None:
            return _InForce()
        found = replace(self._now, automations=automations, **self._learnt(automations))
        if digest == self._now.digest:
            return found
        try:
            return replace(found, digest=digest, book=load_book(self._bundles, digest))
        except Exception as error:  # noqa: BLE001 - a bundle can break its reader in any way; an undo must count all the same
            log.warning("patterns_not_read", reason=getattr(error, "message", type(error).__name__))
            return found

    def _learnt(self, automations: Mapping[str, Any]) -> dict[str, Any]:
        """The newest recogniser; the one before where it can't be read, and none where nothing is in force."""
        folder = latest_recogniser(self._bundles) if automations else None
        if folder is None or folder == self._now.learnt:
            return {} if automations else {"recogniser": None, "learnt": None}
        try:
            return {"recogniser": Recogniser.read(folder), "learnt": folder}
        except Exception as error:  # noqa: BLE001 - as above
            log.warning("recogniser_not_read", reason=getattr(error, "message", type(error).__name__))
            return {}
