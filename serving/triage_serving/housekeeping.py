"""What is done once an hour, so that nothing grows for ever: old requests, old tickets where that is set, old bundles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from triage_ml.errors import TriageError
from triage_ml.settings import Settings
from triage_ml.store import Store, prune_store
from triage_serving.bundles import BundleFolder
from triage_serving.champion import Champion
from triage_serving.idempotency import forget_old_requests

__all__ = ["Housekeeping"]

log = structlog.get_logger("triage.housekeeping")


class Housekeeping:
    """One round of it; what fails is said, and the rest is done all the same.

    Parameters
    ----------
    models
        Whose bundles are in use and stay.
    """

    def __init__(self, settings: Settings, store: Store, bundles: BundleFolder, models: tuple[Champion, ...]) -> None:
        self._settings = settings
        self._store = store
        self._bundles = bundles
        self._models = models

    def __call__(self) -> None:
        """Do it once."""
        for task in (self._forget_requests, self._forget_tickets, self._delete_bundles):
            try:
                task()
            except (TriageError, OSError) as error:
                reason = error.message if isinstance(error, TriageError) else type(error).__name__
                log.warning("housekeeping_failed", task=task.__name__.lstrip("_"), reason=reason)

    def _forget_requests(self) -> None:
        forget_old_requests(self._store)

    def _forget_tickets(self) -> None:
        if self._settings.store.keep_days is None:
            return
        counts = prune_store(self._store, before=datetime.now(UTC) - timedelta(days=self._settings.store.keep_days))
        if any(counts.values()):
            log.info("forgotten", **counts)

    def _delete_bundles(self) -> None:
        in_use = {model.current.digest for model in self._models if model.current is not None}
        gone = self._bundles.delete_old(keep=self._settings.serving.keep_bundles, in_use=in_use)
        if gone:
            log.info("bundles_deleted", digests=gone)
