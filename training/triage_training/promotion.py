"""Who is champion: one promotion at a time, recorded with who and why, and repaired where a process died half-way.

The store's row decides (`triage_ml.store.promotions`), MLflow's alias follows it. After every move of the alias the row is
read again, so that of two processes the one that is late puts the alias where the newest row wants it. People move aliases and
delete versions with MLflow's own tools as well, at any moment: what is found so is written down as a row or put right, and told.
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from triage_ml.bundle import CHALLENGER, CHAMPION
from triage_ml.errors import NoModelError, RegistryError
from triage_ml.settings import Settings
from triage_ml.store import (
    Promotion,
    PromotionKind,
    Store,
    claim_promotion,
    finish_promotion,
    list_promotions,
    open_store,
)
from triage_training.registry import Registry, Version

__all__ = ["Champions", "OvertakenError", "Reign", "open_champions", "user_name"]

_TRIES = 20
#: A process that was late moves the alias back and puts it right in its next step; so long it has for that.
_PATIENCE_SECONDS = 1.0
#: Who did what nobody asked for.
_US = "triage"

Tell = Callable[[str], None]


class OvertakenError(RegistryError):
    """Another promotion was faster."""


@dataclass(frozen=True)
class Reign:
    """The champion as it was when somebody looked: a promotion that replaces it must follow `number`."""

    number: int
    champion: Version | None


class Champions:
    """The succession of champions. `tell` is told what was found moved or gone, and put right."""

    def __init__(self, registry: Registry, store: Store, *, tell: Tell = lambda _: None) -> None:
        self._registry = registry
        self._store = store
        self._tell = tell

    def current(self) -> Reign:
        """The champion, after repairs.

        A promotion that was left half-done is finished, an alias that was moved by hand is recorded. Where the champion's
        version was deleted in MLflow, the newest earlier one that is still there follows it; without any, there is no champion.
        """
        for _ in range(_TRIES):
            last = self._settle()
            champion = self._registry.aliased(CHAMPION)
            if champion is not None and last is not None and last.version == str(champion.number):
                return Reign(last.number, champion)
            if champion is not None:
                self._record_found(last, champion)
            elif last is None:
                return Reign(0, None)
            elif (there := self._find(last.version)) is not None:
                self._put_back(last, there)
            elif not self._fall_back(last):
                return Reign(last.number, None)
        raise RegistryError("The champion changes faster than it can be read.", hint="Try again in a moment.")

    def replace(
        self,
        reign: Reign,
        version: Version,
        kind: PromotionKind,
        *,
        who: str,
        reason: str,
        checks: Sequence[Mapping[str, Any]] = (),
    ) -> Promotion:
        """Make `version` champion after `reign`.

        Raises
        ------
        OvertakenError
            Another promotion was faster, or somebody moved the alias in MLflow since; nothing was done.
        RegistryError
            The promotion is recorded, but MLflow did not follow yet; or the version was deleted there meanwhile.
        """
        replaces = str(reign.champion.number) if reign.champion else None
        promotion = _promotion(reign.number + 1, version, replaces, kind, who, reason, checks)
        if self.current().number != reign.number or not self._claim(promotion):
            raise OvertakenError(
                f"Another promotion was faster: version {replaces or 'none'} is no longer what would be replaced.",
                hint="Look at `triage models`, then promote again.",
            )
        try:
            self._settle()
        except RegistryError as error:
            raise RegistryError(
                f"Version {promotion.version} is recorded as champion, but its alias was not moved yet: {error.message}",
                hint="The next command that reaches MLflow finishes it; `triage models` is enough.",
            ) from error
        if _taken_back(promotion, self.history()):
            raise RegistryError(
                f"Version {promotion.version} was deleted in MLflow while it was promoted.", hint="See: triage models."
            )
        return promotion

    def roll_back(self, *, who: str, reason: str) -> Promotion:
        """Make the champion before the present one champion again; a second time goes back one further.

        A rollback that was left half-done is finished, and is the result: whoever tries again means the same one.
        """
        done = {row.number for row in self.history() if row.done_at is not None}
        reign = self.current()
        history = self.history()
        if history and history[-1].kind == "rolled_back" and history[-1].number not in done:
            return history[-1]
        earlier = self._earlier(history) if reign.champion is not None else None
        if earlier is None:
            raise NoModelError("There is no earlier champion to roll back to.", hint="See: triage models.")
        return self.replace(reign, earlier, "rolled_back", who=who, reason=reason)

    def history(self) -> list[Promotion]:
        """Every promotion, oldest first."""
        with self._store.read() as connection:
            return list_promotions(connection)

    def _earlier(self, history: Sequence[Promotion]) -> Version | None:
        """The newest version under the champion, as a stack: a promotion lays one on it, a rollback takes some off."""
        under = _succession(history)[:-1]
        found = (self._find(version) for version in reversed(under))
        return next((version for version in found if version is not None), None)

    def _find(self, version: str) -> Version | None:
        """The version with this number, or None where it was deleted."""
        try:
            return self._registry.find(version)
        except NoModelError:
            return None

    def _settle(self) -> Promotion | None:
        """Put the alias where the newest row wants it, unless that was done; returns the newest row."""
        pointed = None
        for _ in range(_TRIES):
            history = self.history()
            last = history[-1] if history else None
            if last is None or last.number == pointed or (pointed is None and last.done_at is not None):
                return last
            version = self._find(last.version)
            if version is None or not self._crown(version, last):
                self._fall_back(last)
            pointed = last.number  # and look again: while it moved, another promotion may have followed
            with self._store.begin() as connection:
                finish_promotion(connection, last.number, now=datetime.now(UTC))
        raise RegistryError("The champion changes faster than it can be followed.", hint="Try again in a moment.")

    def _crown(self, version: Version, row: Promotion) -> bool:
        """Move the alias; whoever is champion challenges nobody. False where the version was deleted since it was found."""
        named = self._registry.aliased(CHAMPION)
        if named is not None and str(named.number) not in (row.version, row.replaces):
            self._tell(
                f"The alias {CHAMPION} was moved to version {named.number} in MLflow meanwhile: {row.version} has it now."
            )
        try:
            self._registry.point(CHAMPION, version)
        except NoModelError:
            return False
        challenger = self._registry.aliased(CHALLENGER)
        if challenger is not None and challenger.number == version.number:
            self._registry.point(CHALLENGER, None)
        return True

    def _fall_back(self, last: Promotion) -> bool:
        """Where the last row's version was deleted, claim the place after it for an earlier one; False where none is left."""
        earlier = self._earlier(self.history())
        if earlier is None:
            return False
        reason = f"version {last.version} is no longer in MLflow"
        back = _promotion(last.number + 1, earlier, last.version, "rolled_back", _US, reason, ())
        if self._claim(back):
            self._tell(f"Version {last.version} is no longer in MLflow: version {earlier.number} is champion again.")
        return True

    def _put_back(self, last: Promotion, champion: Version) -> None:
        """Somebody removed the alias with MLflow's own tools; the last word was the promotion's."""
        try:
            self._registry.point(CHAMPION, champion)
        except NoModelError:  # deleted a moment ago, which the next look finds
            return
        self._tell(f"The alias {CHAMPION} was gone in MLflow: version {last.version} has it again.")

    def _record_found(self, last: Promotion | None, champion: Version) -> None:
        """Somebody moved the alias with MLflow's own tools, unless it was a process that was late and puts it right now."""
        if last is not None:
            time.sleep(_PATIENCE_SECONDS)
            again = self._registry.aliased(CHAMPION)
            if again is None or again.number != champion.number or self.history()[-1].number != last.number:
                return
        number, before = (last.number, last.version) if last else (0, None)
        found = _promotion(number + 1, champion, before, "found", "unknown", "the alias was moved in MLflow", ())
        if self._claim(found):
            self._tell(
                f"The alias {CHAMPION} was moved to version {champion.number} in MLflow, it was {before or 'none'}: recorded, "
                f"and version {champion.number} is champion."
            )

    def _claim(self, promotion: Promotion) -> bool:
        with self._store.begin() as connection:
            return claim_promotion(connection, promotion)


@contextmanager
def open_champions(settings: Settings, registry: Registry, *, tell: Tell = lambda _: None) -> Iterator[Champions]:
    """The succession in the store of these settings; `tell` is told what was found moved or gone, and put right."""
    store = open_store(settings.store_url)
    try:
        yield Champions(registry, store, tell=tell)
    finally:
        store.close()


def user_name() -> str:
    """Who runs this, for the record."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _succession(history: Sequence[Promotion]) -> list[str]:
    """The champions that a rollback can go through, the present one last."""
    stack: list[str] = []
    for row in history:
        if row.kind == "rolled_back":
            stack = stack[:-1]
            while stack and stack[-1] != row.version:
                stack.pop()
        if not stack or stack[-1] != row.version:
            stack.append(row.version)
    return stack


def _taken_back(promotion: Promotion, history: Sequence[Promotion]) -> bool:
    """Whether its version was gone, so that an earlier champion followed at once."""
    return any(row.number == promotion.number + 1 and row.who == _US for row in history)


def _promotion(
    number: int,
    version: Version,
    replaces: str | None,
    kind: PromotionKind,
    who: str,
    reason: str,
    checks: Sequence[Mapping[str, Any]],
) -> Promotion:
    return Promotion(number, str(version.number), replaces, kind, who, reason, datetime.now(UTC), tuple(checks))
