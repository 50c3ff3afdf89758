"""Sorting and filtering a week's list: the same by address, so that every view can be linked to and works without script."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from triage_ml.review import expected_hours

__all__ = ["PAGE_SIZE", "SORTS", "View", "choices"]

PAGE_SIZE = 500

Candidate = Mapping[str, Any]

#: Sort -> what it goes by, the largest first unless it is a text.
SORTS: Mapping[str, Callable[[Candidate], Any]] = {
    "hours": lambda one: (-expected_hours(one), -one["work"]["p50"]),
    "work": lambda one: -one["work"]["p50"],
    "tickets": lambda one: -one["volume"],
    "trend": lambda one: -(one["trend"]["ratio"] or 0.0),
    "automatability": lambda one: -one["automatability"],
    "title": lambda one: one["title"].casefold(),
    "kind": lambda one: one["kind"],
    "status": lambda one: one["status"],
}
_SHOWS = ("new", "growing", "burst", "fading")


@dataclass(frozen=True)
class View:
    """What of a list is looked at, and in which order; empty where nothing was chosen."""

    sort: str = "hours"
    show: str = ""
    status: str = ""
    kind: str = ""
    tier: str = ""
    owner: str = ""
    text: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> View:
        """From the query of an address; what makes no sense there is left out."""
        chosen = {name: query.get(name, "")[:200] for name in ("show", "status", "kind", "tier", "owner", "text")}
        if chosen["show"] not in _SHOWS:
            chosen["show"] = ""
        number = query.get("page", "1")
        page = int(number) if number.isascii() and number.isdecimal() and len(number) < 5 else 1
        sort = query.get("sort", "hours")
        return cls(sort=sort if sort in SORTS else "hours", page=max(page, 1), **chosen)

    def address(self, **changes: str | int) -> str:
        """The query of this view with changes; nothing that is as by default."""
        plain = vars(View())
        values = {**vars(self), "page": 1, **changes}
        return "?" + urlencode({name: value for name, value in values.items() if value != plain[name]})

    def apply(self, candidates: Sequence[Candidate], week: str) -> list[Candidate]:
        """The candidates that are looked at, in order."""
        return sorted((one for one in candidates if self._holds(one, week)), key=SORTS[self.sort])

    def _holds(self, one: Candidate, week: str) -> bool:
        words = self.text.casefold().split()
        said = f"{one['title']} {' '.join(one['keywords'])}".casefold() if words else ""
        return (
            (not self.show or (one["born"] == week if self.show == "new" else one["trend"]["direction"] == self.show))
            and self.status in ("", one["status"])
            and self.kind in ("", one["kind"])
            and (not self.tier or one["tiers"].get(self.tier, 0.0) >= 0.1)
            and self.owner in ("", one["owner"] or "")
            and all(word in said for word in words)
        )


def choices(candidates: Sequence[Candidate]) -> dict[str, list[str]]:
    """What there is to choose from in a list."""
    return {
        "kind": sorted({one["kind"] for one in candidates}),
        "tier": sorted({tier for one in candidates for tier, share in one["tiers"].items() if share >= 0.1}),
        "owner": sorted({one["owner"] for one in candidates if one["owner"]}),
    }
