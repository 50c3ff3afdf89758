"""What automations really saved, beside what was promised when they were decided on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from triage_ml.review.overview import load_service_levels
from triage_ml.store import Connection, Standing, lineage_of, merged_patterns, weekly_work, work_version
from triage_ml.taxonomy import Taxonomy
from triage_ml.value import Realised, WeekOfWork, realised
from triage_ml.weeks import week_name

__all__ = ["LookingBack", "load_realised"]


class LookingBack:
    """What `load_realised` and service levels came to, kept until work is counted again or somebody decides. Thread-safe:
    the worst that two threads do is to work it out twice."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Any, Any]] = {}

    def realised(self, connection: Connection, standing: Mapping[str, Standing]) -> dict[str, dict[str, Any]]:
        """As `load_realised`."""
        automated = sorted((key, one.revision) for key, one in standing.items() if one.status == "automated")
        found: dict[str, dict[str, Any]] = self._once(
            "realised", connection, tuple(automated), lambda: load_realised(connection, standing)
        )
        return found

    def levels(
        self, connection: Connection, taxonomy: Taxonomy, baseline: tuple[str, str] | None
    ) -> dict[str, Any] | None:
        """As `load_service_levels`; a copy, its parts are shared."""
        found = self._once("levels", connection, baseline, lambda: load_service_levels(connection, taxonomy, baseline))
        return None if found is None else dict(found)

    def _once(self, name: str, connection: Connection, wanted: Any, work_out: Callable[[], Any]) -> Any:
        key = (work_version(connection), wanted)
        kept = self._kept.get(name)
        if kept is None or kept[0] != key:
            kept = self._kept[name] = key, work_out()
        return kept[1]


def load_realised(connection: Connection, standing: Mapping[str, Standing]) -> dict[str, dict[str, Any]]:
    """Pattern id -> hours saved since the week of its automation, as plain JSON; only what is automated, and where there is
    a week before and one since.

    Controls are the patterns that nobody automated. A pattern that was merged since is looked for where it goes on; what was
    split from it since counts as its siblings. `promised` is P50 as it was listed when somebody decided. Automated patterns
    that were merged into one are one: since the first of their days, with the sum of what they promised.
    """
    automated = {key: one for key, one in standing.items() if one.status == "automated" and one.since is not None}
    if not automated:
        return {}
    weeks = _weeks_of_patterns(connection)
    goes_on, split = merged_patterns(connection), _split_from(connection)
    places: dict[str, list[str]] = {}
    for key in sorted(automated):
        places.setdefault(goes_on.get(key, key), []).append(key)
    controls = {key: own for key, own in weeks.items() if key not in places}
    found = {}
    for place, keys in places.items():
        siblings = _summed(weeks.get(part, ()) for part in split.get(place, ()))
        since = week_name(min(automated[key].since or date.min for key in keys))
        looked = realised(weeks.get(place, ()), controls, since, siblings)
        if looked is not None:
            found[place if place in keys else keys[0]] = _plain(looked, since, [automated[key] for key in keys])
    return found


def _split_from(connection: Connection) -> dict[str, list[str]]:
    """Pattern id -> the patterns that were split from it."""
    found: dict[str, list[str]] = {}
    for events in lineage_of(connection).values():
        for event in events:
            if event.event == "split_from" and event.other is not None:
                found.setdefault(event.other, []).append(event.pattern_id)
    return found


def _weeks_of_patterns(connection: Connection) -> dict[str, list[WeekOfWork]]:
    found: dict[str, list[WeekOfWork]] = {}
    for row in weekly_work(connection):
        if row["pattern_id"] is not None:
            values = (row[name] for name in ("week", "tickets", "automated", "logged", "minutes"))
            found.setdefault(row["pattern_id"], []).append(WeekOfWork(*values))
    return found


def _summed(parts: Iterable[Iterable[WeekOfWork]]) -> list[WeekOfWork]:
    weeks: dict[str, list[WeekOfWork]] = {}
    for own in parts:
        for one in own:
            weeks.setdefault(one.week, []).append(one)
    return [
        WeekOfWork(
            week, *(sum(getattr(one, name) for one in ones) for name in ("tickets", "automated", "logged", "minutes"))
        )
        for week, ones in sorted(weeks.items())
    ]


def _plain(looked: Realised, since: str, standing: Iterable[Standing]) -> dict[str, Any]:
    names = ("hours", "low", "high", "hours_a_week", "prevented")
    figures = {name: round(float(getattr(looked, name)), 2) for name in names}
    promised = [(one.frozen or {}).get("hours", {}).get("p50") for one in standing]
    known = [hours for hours in promised if hours is not None]
    return {
        "since": since,
        "weeks": looked.weeks,
        "automated": looked.automated,
        **figures,
        "promised": sum(known) if known else None,
    }
