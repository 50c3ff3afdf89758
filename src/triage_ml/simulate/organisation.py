"""Who works at the desk and how that changes: tiers, groups, regions, and renames, splits and merges (`desk.toml`)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from triage_ml.errors import InputError
from triage_ml.taxonomy import Group, Tier

__all__ = ["GroupChange", "Organisation", "Region", "load_organisation"]

AUTOMATION_TIER = "L0"


@dataclass(frozen=True)
class Region:
    """A part of the world with its own office hours (UTC) and its own service desk."""

    name: str
    share: float
    first_hour: int
    service_desk: str
    sites: tuple[str, ...]


@dataclass(frozen=True)
class GroupChange:
    """Groups that become other groups. `at` is a share of the time that is simulated."""

    action: str  # rename, split or merge
    at: float
    groups: tuple[str, ...]
    to: tuple[str, ...]

    def week_of(self, weeks: int) -> int:
        """The week that it happens in, of `weeks`; never the first one."""
        return min(max(1, round(self.at * weeks)), weeks - 1)


@dataclass(frozen=True)
class Organisation:
    """`desk.toml`, read and checked."""

    currency: str
    mail_domain: str
    tiers: tuple[Tier, ...]
    groups: tuple[Group, ...]
    regions: tuple[Region, ...]
    changes: tuple[GroupChange, ...]
    areas: Mapping[str, tuple[str, ...]]
    default_categories: Mapping[str, str]
    month_end_categories: tuple[str, ...]
    departments: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]

    @cached_property
    def rank(self) -> dict[str, int]:
        """Rank of each tier."""
        return {tier.name: tier.rank for tier in self.tiers}

    @cached_property
    def tier_of(self) -> dict[str, str]:
        """Tier of each group, by the names that the catalogue uses."""
        return {group.name: group.tier for group in self.groups}

    @cached_property
    def by_tier(self) -> dict[str, tuple[str, ...]]:
        """Groups of each tier."""
        return {tier.name: tuple(g.name for g in self.groups if g.tier == tier.name) for tier in self.tiers}

    def area(self, category: str) -> str:
        """The broad area that a category belongs to; the first one for a category that none of them lists."""
        return self._area_of.get(category, next(iter(self.areas)))

    @cached_property
    def _area_of(self) -> dict[str, str]:
        return {category: area for area, categories in self.areas.items() for category in categories}


def load_organisation(path: Path) -> Organisation:
    """Read `desk.toml`; raises InputError where it contradicts itself."""
    plain = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        organisation = _build(plain)
    except (KeyError, TypeError) as error:
        raise InputError(f"{path}: {error} is missing or not expected.") from None
    _check(organisation, path)
    return organisation


def _build(plain: Mapping[str, Any]) -> Organisation:
    groups = tuple(Group(name, tier) for tier, names in plain["groups"].items() for name in names)
    regions = tuple(Region(**{**row, "sites": tuple(row["sites"])}) for row in plain["regions"])
    changes = tuple(
        GroupChange(row["action"], row["at"], tuple(row["groups"]), tuple(row["to"])) for row in plain["changes"]
    )
    return Organisation(
        currency=plain["currency"],
        mail_domain=plain["mail_domain"],
        tiers=tuple(Tier(**row) for row in plain["tiers"]),
        groups=groups,
        regions=regions,
        changes=changes,
        areas={area: tuple(row["categories"]) for area, row in plain["areas"].items()},
        default_categories={area: row["default"] for area, row in plain["areas"].items()},
        month_end_categories=tuple(plain["month_end_categories"]),
        departments=tuple(plain["people"]["departments"]),
        first_names=tuple(plain["people"]["first_names"]),
        last_names=tuple(plain["people"]["last_names"]),
    )


def _check(organisation: Organisation, path: Path) -> None:
    known = set(organisation.rank)
    if strange := sorted({group.tier for group in organisation.groups} - known):
        raise InputError(f"{path}: groups are listed under {strange[0]!r}, which is no tier.")
    names = set(organisation.tier_of)
    for change in organisation.changes:
        if strange := sorted(set(change.groups) - names):
            raise InputError(f"{path}: a {change.action} names {strange[0]!r}, which is no group.")
    for region in organisation.regions:
        if region.service_desk not in names:
            raise InputError(f"{path}: region {region.name!r} has service desk {region.service_desk!r}, no group.")
    if not organisation.by_tier.get(AUTOMATION_TIER):
        raise InputError(f"{path}: no group is in {AUTOMATION_TIER}; automated tickets need one.")
