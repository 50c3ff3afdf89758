"""What stands beside the model: the known patterns and the automations in force. Both come from the store, by polling.

A decision reaches every worker with the next poll, within `[serving] poll_seconds`. What can't be read leaves things as
they were: an automation that was in force goes on until the store says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from triage_ml.errors import BundleError, StoreError
from triage_ml.patterns import PatternBook, load_book
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
    """Follows the store. `poll` is for the thread that polls the champion, so that the two never overtake each other."""

    def __init__(self, store: Store, bundles: Path) -> None:
        self._store = store
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
        except (StoreError, BundleError) as error:
            log.warning("automations_not_read", reason=error.message)
            return
        if (found.digest, found.automations) != (self._now.digest, self._now.automations):
            self._now = found
            champion.change(self.dress)
            log.info("automations_in_force", patterns=len(found.book or ()), automations=len(found.automations))

    def _read(self) -> _InForce:
        with self._store.read() as connection:
            digest = latest_book(connection)
            automations = automations_in_force(connection, today=datetime.now(UTC).date())
        if digest is None:
            return _InForce()
        book = self._now.book if digest == self._now.digest else load_book(self._bundles, digest)
        return _InForce(digest, book, automations)
