"""The catalogue: what people can ask the desk for, read from `kinds/*.toml` and checked. See `catalogue/README.md`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from triage_ml.errors import InputError
from triage_ml.simulate.organisation import Organisation, load_organisation
from triage_ml.simulate.pools import Pools, load_pools
from triage_ml.simulate.slots import SlotTable, load_slots
from triage_ml.simulate.template import Template, compile_template

__all__ = ["CHANNELS", "LANGUAGES", "Ask", "Automation", "Catalogue", "Kind", "Resolution", "load_catalogue"]

FOLDER = Path(__file__).parent / "catalogue"
CHANNELS = ("email", "portal", "chat", "phone", "monitoring")
LANGUAGES = ("en", "de", "es")
TICKET_TYPES = ("incident", "request", "problem", "change")
ACTIVITIES = ("corrective", "preventive", "perfective", "adaptive")
AUTOMATIONS = ("chatbot_answer", "self_service_form", "runbook_script", "retire_source", "fix_root_cause")


@dataclass(frozen=True)
class Ask:
    """One way to ask."""

    language: str
    channels: tuple[str, ...]
    title: Template
    body: Template


@dataclass(frozen=True)
class Resolution:
    """One way to resolve it, with its share of all tickets of the kind."""

    id: str
    share: float
    texts: tuple[Template, ...]


@dataclass(frozen=True)
class Automation:
    """What could take the kind over: the share of its tickets that it covers, and how often it succeeds on those."""

    kind: str
    share_covered: float
    success: float


@dataclass(frozen=True)
class Kind:
    """A kind of ticket. Shares add up to 1; `median` is in minutes, `sigma` that of the log-normal."""

    id: str
    category: str
    subcategory: str
    weight: float
    ticket_type: str
    activity: str
    tiers: Mapping[str, float]
    groups: Mapping[str, tuple[str, ...]]
    lowest_tier: str
    median: float
    sigma: float
    priorities: Mapping[str, float]
    channels: Mapping[str, float]
    automation: Automation | None
    asks: tuple[Ask, ...]
    resolutions: tuple[Resolution, ...]


@dataclass(frozen=True)
class Catalogue:
    """All that a desk is made of."""

    kinds: tuple[Kind, ...]
    organisation: Organisation
    slots: SlotTable
    pools: Pools

    @property
    def categories(self) -> dict[str, tuple[str, ...]]:
        """The category tree, in order of the alphabet."""
        tree: dict[str, list[str]] = {}
        for kind in self.kinds:
            children = tree.setdefault(kind.category, [])
            if kind.subcategory not in children:
                children.append(kind.subcategory)
        return {category: tuple(sorted(tree[category])) for category in sorted(tree)}


@cache
def load_catalogue(folder: Path = FOLDER) -> Catalogue:
    """Read and check a catalogue; kinds come in order of their id.

    Raises
    ------
    InputError
        A file says something that the format does not have; the message names file, kind and key.
    """
    slots = load_slots(folder / "slots.toml")
    organisation = load_organisation(folder / "desk.toml")
    pools = load_pools(folder / "noise.toml", slots.names)
    kinds: list[Kind] = []
    for path in sorted((folder / "kinds").glob("*.toml")):
        plain = _read(path)
        kinds += [_kind(row, plain["category"], path.name, organisation, slots.names) for row in plain["kinds"]]
    kinds.sort(key=lambda kind: kind.id)
    for first, second in pairwise(kinds):
        if first.id == second.id:
            raise InputError(f"{folder}: two kinds are called {first.id!r}.")
    if not kinds:
        raise InputError(f"{folder / 'kinds'}: no kind of ticket found; at least one is needed.")
    return Catalogue(tuple(kinds), organisation, slots, pools)


def _read(path: Path) -> dict[str, Any]:
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not valid TOML: {error}.") from None
    if missing := sorted({"category", "kinds"} - set(plain)):
        raise InputError(f"{path}: `{missing[0]}` is missing.")
    return plain


def _kind(row: dict[str, Any], category: str, file: str, organisation: Organisation, slots: frozenset[str]) -> Kind:
    where = f"{file}, kind {row.get('id', '(without id)')!r}"
    try:
        kind = Kind(
            **{key: row[key] for key in ("id", "subcategory", "weight", "ticket_type", "activity", "lowest_tier")},
            **{key: row[key] for key in ("tiers", "priorities", "channels")},
            category=category,
            groups={tier: tuple(names) for tier, names in row.get("groups", {}).items()},
            median=row["minutes"]["median"],
            sigma=row["minutes"]["sigma"],
            automation=Automation(**row["automation"]) if "automation" in row else None,
            asks=tuple(_ask(ask, f"{where}, ask {i}", slots) for i, ask in enumerate(row["asks"], 1)),
            resolutions=tuple(_resolution(part, where, slots) for part in row.get("resolutions", ())),
        )
    except KeyError as error:
        raise InputError(f"{where}: key {error} is missing.") from None
    _check(kind, where, organisation)
    return kind


def _ask(row: dict[str, Any], where: str, slots: frozenset[str]) -> Ask:
    language = row.get("language", "en")
    _among({language}, LANGUAGES, f"{where}, language")
    _among(set(row["channels"]), CHANNELS, f"{where}, channels")
    return Ask(
        language=language,
        channels=tuple(row["channels"]),
        title=compile_template(row["title"], where=f"{where}, title", slots=slots),
        body=compile_template(row["body"], where=f"{where}, body", slots=slots),
    )


def _resolution(row: dict[str, Any], where: str, slots: frozenset[str]) -> Resolution:
    where = f"{where}, resolution {row['id']!r}"
    texts = tuple(compile_template(text, where=where, slots=slots) for text in row["texts"])
    return Resolution(row["id"], row["share"], texts)


def _check(kind: Kind, where: str, organisation: Organisation) -> None:
    tiers = tuple(organisation.rank)
    _among({kind.ticket_type}, TICKET_TYPES, f"{where}, ticket_type")
    _among({kind.activity}, ACTIVITIES, f"{where}, activity")
    _among(set(kind.channels), CHANNELS, f"{where}, channels")
    _among({*kind.tiers, *kind.groups, kind.lowest_tier}, tiers, f"{where}, tiers")
    shares = {"tiers": kind.tiers, "priorities": kind.priorities, "channels": kind.channels}
    if kind.resolutions:
        shares["resolutions"] = {resolution.id: resolution.share for resolution in kind.resolutions}
    for name, parts in shares.items():
        if abs(sum(parts.values()) - 1) > 1e-6:
            raise InputError(f"{where}, {name}: shares add up to {sum(parts.values()):.3f}, expected 1.")
    for tier, groups in kind.groups.items():
        _among(set(groups), organisation.by_tier[tier], f"{where}, groups of {tier}")
    if kind.automation:
        _among({kind.automation.kind}, AUTOMATIONS, f"{where}, automation")
        if not (0 < kind.automation.share_covered <= 1 and 0 < kind.automation.success <= 1):
            raise InputError(f"{where}, automation: share_covered and success are above 0 and at most 1.")
    if kind.weight <= 0 or kind.median <= 0 or kind.sigma < 0:
        raise InputError(f"{where}: weight and median minutes are above 0, sigma at least 0.")
    if not any(ask.language == "en" for ask in kind.asks):
        raise InputError(f"{where}: no ask is in English, the desk's first language.")


def _among(found: set[str], known: tuple[str, ...], where: str) -> None:
    if strange := sorted(found - set(known)):
        raise InputError(f"{where}: {strange[0]!r} is not known.", hint=f"Known are {', '.join(known)}.")
