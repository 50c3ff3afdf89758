"""The model that answers, and its replacement while requests go on; the challenger in its shadow is held the same way.

A new version is downloaded, verified, loaded and asked one ticket aside; then one reference changes. A batch reads the
reference once, so no request sees two models. What can't be loaded is refused, and the old model answers on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import structlog

from triage_ml.answer import Recogniser
from triage_ml.errors import NoModelError, RegistryError, TriageError
from triage_ml.patterns import PatternBook
from triage_serving.bundles import BundleFolder, Kept
from triage_serving.registry import Registered, Registry, Role

__all__ = ["Answerer", "Champion", "Loaded", "Refused"]

#: A refused version is tried again after this long: its download may have been cut short.
RETRY_SECONDS = 300.0
PROBE = {"ticket_id": "probe", "title": "Can't log in", "description": "My password expired and the VPN is down."}

log = structlog.get_logger("triage.champion")


class Answerer(Protocol):
    """What turns tickets into answers; `triage_ml.answer` makes one from a model bundle."""

    @property
    def digest(self) -> str:
        """Digest of the bundle it was loaded from."""
        ...

    @property
    def targets(self) -> tuple[str, ...]:
        """The labels that it answers."""
        ...

    def answer(self, tickets: Sequence[Mapping[str, Any]], *, include_all: bool = False) -> list[dict[str, Any]]:
        """One answer a ticket, in order, without `prediction_id` and `model`."""
        ...

    def with_patterns(
        self,
        patterns: PatternBook | None,
        automations: Mapping[str, Mapping[str, Any]] | None = None,
        recogniser: Recogniser | None = None,
    ) -> Answerer:
        """The same model beside other patterns and automations."""
        ...


@dataclass(frozen=True)
class Loaded:
    """A model in memory; `measured` is what training logged of it."""

    answerer: Answerer
    version: str
    digest: str
    loaded_at: datetime
    measured: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """A version that could not be used, why, and when (monotonic seconds)."""

    version: str
    reason: str
    at: float


class Champion:
    """Holds the current model and follows the registry; `poll` is for a background thread.

    Parameters
    ----------
    role
        Which alias to follow. A champion whose alias is gone answers on, and is kept on disk for the next start; a challenger
        without an alias is dropped.
    load
        A bundle's folder to an answerer; whatever it raises refuses the bundle.
    dress
        What stands beside the model at this moment, put beside it as it takes over; see `Automations`.
    report
        Told `loaded`, `refused` or `unreachable` after a poll that did or missed something, and the version that answers then.
    """

    def __init__(
        self,
        registry: Registry,
        bundles: BundleFolder,
        load: Callable[[Path], Answerer],
        *,
        report: Callable[[str, str | None], None],
        dress: Callable[[Answerer], Answerer] | None = None,
        role: Role = "champion",
    ) -> None:
        self._registry = registry
        self._role = role
        self._bundles = bundles
        self._load = load
        self._dress = dress or (lambda answerer: answerer)
        self._tell = report
        self._changing = threading.Lock()
        self._said = ""
        self.current: Loaded | None = None
        self.refused: Refused | None = None

    def start_from_disk(self) -> None:
        """Load the bundle that answered last, if one was kept; needs no registry."""
        kept = self._bundles.last()
        if kept is not None:
            self._replace(kept.version, lambda: (self._bundles.path(kept.digest), kept.digest), lambda: kept.measured)
            self.refused = None  # what is broken here may be whole in the registry, which is asked at once

    def poll(self) -> None:
        """Ask the registry once; load the champion where it is another."""
        try:
            wanted = self._registry.find(self._role)
        except NoModelError as error:
            if self._role == "challenger":
                self.current = None
            else:
                self._say("no_champion", error)
            return
        except RegistryError as error:
            self._report("unreachable")
            self._say("registry_unreachable", error)
            return
        self._said = ""
        if not self._is_current(wanted) and not self._was_refused(wanted):
            self._replace(
                wanted.version, lambda: self._bundles.fetch(self._registry, wanted), lambda: self._measured(wanted)
            )

    def change(self, change: Callable[[Answerer], Answerer]) -> None:
        """Answer with a changed answerer of the same model, from whatever thread: a model that takes over meanwhile waits."""
        with self._changing:
            if self.current is not None:
                self.current = replace(self.current, answerer=change(self.current.answerer))

    def _is_current(self, wanted: Registered) -> bool:
        current = self.current
        return current is not None and wanted.version == current.version and wanted.digest in (None, current.digest)

    def _was_refused(self, wanted: Registered) -> bool:
        refused = self.refused
        return (
            refused is not None and refused.version == wanted.version and time.monotonic() - refused.at < RETRY_SECONDS
        )

    def _measured(self, model: Registered) -> Mapping[str, float]:
        """Figures to show; a registry that does not have them must not keep a good model from answering."""
        try:
            return self._registry.measured(model)
        except RegistryError as error:
            log.warning("figures_not_read", version=model.version, reason=error.message)
            return {}

    def _replace(
        self,
        version: str,
        fetch: Callable[[], tuple[Path, str]],
        measured: Callable[[], Mapping[str, float]],
    ) -> None:
        try:
            folder, digest = fetch()
            answerer = self._load(folder)
            self._dress(answerer).answer([PROBE])
            figures = measured()
            with self._changing:
                self.current = Loaded(self._dress(answerer), version, digest, datetime.now(UTC), figures)
        except Exception as error:  # noqa: BLE001 - a bundle can break a loader in any way; the old model must answer on
            reason = error.message if isinstance(error, TriageError) else type(error).__name__
            self.refused = Refused(version, reason, time.monotonic())
            self._report("refused")
            log.error("model_refused", role=self._role, version=version, reason=reason)
            return
        self.refused = None
        self._bundles.use(digest)
        if self._role == "champion":
            self._remember(Kept(version, digest, figures))
        self._report("loaded")
        log.info("model_loaded", role=self._role, version=version, digest=digest)

    def _remember(self, kept: Kept) -> None:
        """On a full disk the model answers all the same; only the next start would need the registry."""
        try:
            self._bundles.remember(kept)
        except (OSError, TriageError) as error:
            log.warning("champion_not_remembered", version=kept.version, kind=type(error).__name__)

    def _report(self, result: str) -> None:
        self._tell(result, self.current.version if self.current is not None else None)

    def _say(self, event: str, error: TriageError) -> None:
        """Once until something changes: a registry that is away for a day is one line, not thousands."""
        if self._said != event:
            self._said = event
            log.warning(event, reason=error.message, hint=error.hint, answering=self.current is not None)
