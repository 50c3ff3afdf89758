"""Who solves a ticket, who had it before, and what was written on it: tier, groups, hand-offs, labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from triage_ml.simulate.catalogue import CHANNELS, Catalogue, Kind
from triage_ml.simulate.dice import Dice, Weighted
from triage_ml.simulate.noise import Noise
from triage_ml.simulate.organisation import AUTOMATION_TIER, GroupChange
from triage_ml.taxonomy import Group, Taxonomy

__all__ = ["GroupNames", "Route", "Router", "final_taxonomy"]

MONITORING = CHANNELS.index("monitoring")
SERVICE_DESK_TIER = "L1"
MOST_HANDOFFS = 4


@dataclass(frozen=True, slots=True)
class Route:
    """The way of a ticket. `groups` are all that had it, by their names of that week; the last one closed it.

    `tiers` are those of the groups. Who closed it may not be who solved it: `tier` is the truth.
    """

    tier: str
    groups: tuple[str, ...]
    tiers: tuple[str, ...]
    category: str  # as recorded

    @property
    def handoffs(self) -> int:
        """How often it is passed on."""
        return len(self.groups) - 1


class GroupNames:
    """What groups are called from week to week; `changes` is empty for a desk where nothing changes."""

    def __init__(self, groups: tuple[Group, ...], changes: tuple[tuple[int, GroupChange], ...]) -> None:
        self._groups = groups
        self._changes = changes

    def at(self, week: int, group: str, kind: int) -> str:
        """The name of `group` in `week`. After a split every second kind of ticket goes to the new group."""
        for since, change in self._changes:
            if week >= since and group in change.groups:
                return change.to[kind % len(change.to)]
        return group

    def final(self) -> tuple[Group, ...]:
        """The groups as they are at the end, old names as aliases."""
        groups: dict[str, Group] = {}
        for group in self._groups:
            change = next((change for _, change in self._changes if group.name in change.groups), None)
            if change is None:
                groups[group.name] = group
                continue
            for name in change.to:
                aliases = () if name in change.groups or change.action == "split" else change.groups
                groups[name] = Group(name, group.tier, aliases)
        return tuple(groups.values())


class Router:
    """Draws routes; the tables it needs are made once."""

    def __init__(self, catalogue: Catalogue, names: GroupNames, noise: Noise) -> None:
        self._names = names
        self._organisation = catalogue.organisation
        self._kinds = catalogue.kinds
        self._noise = noise
        self._desks = tuple(region.service_desk for region in self._organisation.regions)
        rank = self._organisation.rank
        self._tiers = [
            Weighted({name: kind.tiers[name] ** noise.tier_sharpness for name in sorted(kind.tiers, key=_by(rank))})
            for kind in self._kinds
        ]
        self._nearby = self._groups_by_category()

    def tier(self, index: int, place: float, dice: Dice) -> str:
        """The tier that solves a ticket of this kind, low tiers for low places.

        `place` is where the way of asking stands in [0, 1): it decides in `telling` of all cases, chance in the rest.
        """
        return self._tiers[index].at(place if dice.chance(self._noise.telling) else dice.random())

    def route(self, index: int, tier: str, week: int, region: int, channel: int, dice: Dice) -> Route:
        """The groups that have the ticket, and the category that is written on it."""
        kind = self._kinds[index]
        if tier == AUTOMATION_TIER:
            path = list(self._organisation.by_tier[AUTOMATION_TIER])
        else:
            path = self._path(kind, tier, region, channel, dice)
        steps = [(self._names.at(week, group, index), self._organisation.tier_of[group]) for group in path]
        # A group does not hand on to itself, under no name.
        kept = [step for step, before in zip(steps, [None, *steps], strict=False) if step != before]
        groups, tiers = zip(*kept[-MOST_HANDOFFS - 1 :], strict=True)
        return Route(tier, groups, tiers, self._category(kind, dice))

    def _path(self, kind: Kind, tier: str, region: int, channel: int, dice: Dice) -> list[str]:
        noise, nearby = self._noise, self._nearby[kind.category]
        path = []
        if dice.chance(noise.wrong_first):
            path += [dice.pick(nearby) for _ in range(1 + dice.chance(0.15))]
        if tier != SERVICE_DESK_TIER and channel != MONITORING and dice.chance(noise.desk_first):
            path.insert(0, self._desks[region])
        path.append(self._solver(kind, tier, region, dice))
        if dice.chance(noise.wrong_group):
            # Somebody else closes it: a group on the way that never passed it on, or one that took it over at the end.
            path[-1:] = [] if len(path) > 1 and dice.chance(0.5) else [dice.pick(nearby)]
        return path

    def _solver(self, kind: Kind, tier: str, region: int, dice: Dice) -> str:
        groups = kind.groups.get(tier)
        if groups:
            return groups[min(dice.below(len(groups)), dice.below(len(groups)))]  # the first is the usual one
        return self._desks[region] if tier == SERVICE_DESK_TIER else dice.pick(self._organisation.by_tier[tier])

    def _category(self, kind: Kind, dice: Dice) -> str:
        if dice.chance(self._noise.default_category):
            area = self._organisation.area(kind.category)
            return self._organisation.default_categories[area]
        return kind.category

    def _groups_by_category(self) -> dict[str, tuple[str, ...]]:
        """Groups that a dispatcher would think of for a category, in a fixed order."""
        found: dict[str, dict[str, None]] = {}
        for kind in self._kinds:
            nearby = found.setdefault(kind.category, dict.fromkeys(self._desks))
            for groups in kind.groups.values():
                nearby.update(dict.fromkeys(groups))
        return {category: tuple(groups) for category, groups in found.items()}


def final_taxonomy(catalogue: Catalogue, names: GroupNames) -> Taxonomy:
    """The taxonomy of the desk as it is after the last week."""
    organisation = catalogue.organisation
    return Taxonomy(organisation.tiers, names.final(), catalogue.categories, organisation.currency)


def _by(rank: Mapping[str, int]) -> Callable[[str], tuple[int, str]]:
    return lambda tier: (rank[tier], tier)
