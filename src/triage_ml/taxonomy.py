"""Tiers, assignment groups, aliases and unit costs.

The taxonomy answers two questions: which tier a group belongs to, and what a group is called today. Groups get renamed,
split and merged; an alias says what an old name became, so that last year's tickets still teach this year's model.

    [[tiers]]
    name = "L1"
    rank = 1
    title = "Service desk"
    cost_per_hour = 32.0

    [[groups]]
    name = "Service Desk Berlin"
    tier = "L1"
    aliases = ["SD Berlin"]
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from triage_ml.errors import TaxonomyError

__all__ = ["DEFAULT_TIERS", "Group", "Taxonomy", "Tier", "load_taxonomy"]


@dataclass(frozen=True)
class Tier:
    """Who resolves a ticket.

    `rank` orders the tiers: work moves *down* towards rank 0. Two tiers may share a rank. `cost_per_hour` is in the
    taxonomy's currency and may be missing; without it nothing is ever shown as money.
    """

    name: str
    rank: int
    title: str = ""
    cost_per_hour: float | None = None


@dataclass(frozen=True)
class Group:
    """An assignment group, the tier that it works in, and the names it had before."""

    name: str
    tier: str
    aliases: tuple[str, ...] = ()


DEFAULT_TIERS = (
    Tier("L0", 0, "Automation or retirement"),
    Tier("L1", 1, "Service desk"),
    Tier("L2", 2, "Complex support"),
    Tier("L2-EUC", 2, "End-user client services"),
    Tier("NOC", 2, "Outage response"),
    Tier("L3", 3, "Engineering"),
)


@dataclass(frozen=True)
class Taxonomy:
    """Tiers with rank and unit cost, groups with tier and aliases, the category tree (category -> subcategories)."""

    tiers: tuple[Tier, ...] = DEFAULT_TIERS
    groups: tuple[Group, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    currency: str | None = None

    def __post_init__(self) -> None:
        names = [tier.name for tier in self.tiers]
        if not names:
            raise TaxonomyError("The taxonomy has no tiers; at least one is needed.")
        if repeated := _repeated(names):
            raise TaxonomyError(f"The taxonomy names tier {repeated!r} twice.")
        for group in self.groups:
            if group.tier not in names:
                raise TaxonomyError(
                    f"Group {group.name!r} is in tier {group.tier!r}, which the taxonomy does not have.",
                    hint=f"Its tiers are {', '.join(names)}.",
                )
        known = [name.casefold() for group in self.groups for name in (group.name, *group.aliases)]
        if repeated := _repeated(known):
            raise TaxonomyError(f"Two groups of the taxonomy share the name or alias {repeated!r}.")

    @cached_property
    def tier_names(self) -> tuple[str, ...]:
        """Names of the tiers, lowest rank first."""
        return tuple(tier.name for tier in sorted(self.tiers, key=lambda tier: tier.rank))

    @cached_property
    def _by_name(self) -> dict[str, Group]:
        return {name.casefold(): group for group in self.groups for name in (group.name, *group.aliases)}

    @cached_property
    def _tiers(self) -> dict[str, Tier]:
        return {tier.name: tier for tier in self.tiers}

    def tier(self, name: str) -> Tier:
        """The tier called `name`; raises TaxonomyError where there is none."""
        try:
            return self._tiers[name]
        except KeyError:
            raise TaxonomyError(
                f"Tier {name!r} is not in the taxonomy.", hint=f"Its tiers are {', '.join(self.tier_names)}."
            ) from None

    def group(self, name: str) -> Group | None:
        """The group that is or was called `name` (case does not matter), or None."""
        return self._by_name.get(name.strip().casefold())

    def current_name(self, name: str) -> str:
        """What the group is called today; an unknown group keeps its name."""
        group = self.group(name)
        return group.name if group else name.strip()

    def tier_of_group(self, name: str) -> str | None:
        """The tier that the group works in, or None for a group that the taxonomy does not know."""
        group = self.group(name)
        return group.tier if group else None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, the same for the same taxonomy."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any], *, source: str = "taxonomy") -> Taxonomy:
        """The reverse of `to_dict`; also what a TOML file holds. Unknown keys are errors."""
        _only(plain, {"tiers", "groups", "categories", "currency"}, source)
        try:
            tiers = tuple(Tier(**row) for row in plain.get("tiers", ()))
            groups = tuple(
                Group(**{**row, "aliases": tuple(row.get("aliases", ()))}) for row in plain.get("groups", ())
            )
        except TypeError as error:
            raise TaxonomyError(f"{source}: {_plain_type_error(error)}") from None
        categories = {name: tuple(children) for name, children in plain.get("categories", {}).items()}
        return cls(tiers or DEFAULT_TIERS, groups, categories, plain.get("currency"))


def load_taxonomy(path: Path | None) -> Taxonomy:
    """The taxonomy in a TOML file; the default tiers without groups for None."""
    if path is None:
        return Taxonomy()
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TaxonomyError(f"{path}: no such taxonomy file.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TaxonomyError(f"{path}: not valid TOML: {error}.") from None
    return Taxonomy.from_dict(plain, source=str(path))


def _only(plain: Mapping[str, Any], known: set[str], source: str) -> None:
    if unknown := sorted(set(plain) - known):
        raise TaxonomyError(f"{source}: unknown key `{unknown[0]}`; known are {', '.join(sorted(known))}.")


def _repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _plain_type_error(error: TypeError) -> str:
    return str(error).replace("Tier.__init__()", "a tier").replace("Group.__init__()", "a group") + "."
