"""A registry in memory, with the aliases as MLflow keeps them: whoever writes last wins."""

from __future__ import annotations

from collections.abc import Callable

from triage_ml.errors import NoModelError
from triage_training.registry import Version

__all__ = ["FakeRegistry"]


class FakeRegistry:
    """`before_point` is called each time before an alias moves: a test can let something happen there, or raise."""

    def __init__(self, versions: int = 3) -> None:
        self.versions_there = versions
        self.aliases: dict[str, int] = {}
        self.deleted: set[int] = set()
        self.before_point: Callable[[str], None] = lambda _: None

    def find(self, name: str) -> Version:
        number = self.aliases.get(name) or (int(name) if name.isdigit() else 0)
        if not 1 <= number <= self.versions_there or number in self.deleted:
            raise NoModelError(f"No model is registered as {name!r}.")
        aliases = tuple(alias for alias, named in self.aliases.items() if named == number)
        return Version(number, f"run-{number}", f"sha256:{number}", aliases, 0.0)

    def aliased(self, alias: str) -> Version | None:
        return self.find(str(self.aliases[alias])) if alias in self.aliases else None

    def delete(self, number: int) -> None:
        """As MLflow does it: the aliases of a version go with it."""
        self.deleted.add(number)
        self.aliases = {alias: named for alias, named in self.aliases.items() if named != number}

    def point(self, alias: str, version: Version | None) -> None:
        self.before_point(alias)
        if version is None:
            self.aliases.pop(alias, None)
        else:
            self.aliases[alias] = self.find(str(version.number)).number
