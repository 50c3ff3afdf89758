"""The weekly list: each pattern that is worth a look, with its figures and what they rest on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage_ml.taxonomy import Taxonomy
from triage_ml.value.automatability import Evidence, automatability, gather
from triage_ml.value.cues import ask_shares, cue_shares
from triage_ml.value.kind import propose
from triage_ml.value.knowledge import KnowledgeGap, knowledge_gap
from triage_ml.value.move_down import MoveDown, move_down
from triage_ml.value.rate import RECENT_WEEKS, Hours, Trend, hours_a_week, trend, with_many_tests
from triage_ml.value.resolutions import common_resolutions
from triage_ml.value.savings import Savings, outlives_payback, savings_a_week
from triage_ml.value.touch_time import TouchTime, touch_time

__all__ = ["HISTORY_WEEKS", "Candidate", "Given", "list_candidates"]

#: Facts of one ticket, by the names that the store gives them.
Fact = Mapping[str, Any]

#: Share of the commonest category below which a pattern is mixed.
MIXED = 0.5

#: Weeks of facts that a list looks back on.
HISTORY_WEEKS = 16

#: Tier of what an automation closed.
AUTOMATION_TIER = "L0"


@dataclass(frozen=True)
class Given:
    """What the desk states: minutes of a ticket by tier, taken where a pattern has no effort logged, and the ids of the
    articles that exist, if there is a list."""

    minutes_of_tier: Mapping[str, float] = field(default_factory=dict)
    articles: frozenset[str] | None = None

    def minutes(self, facts: Sequence[Fact]) -> float | None:
        """Mean minutes of these tickets as stated; None where no tier of theirs is."""
        stated = [self.minutes_of_tier[fact["tier"]] for fact in facts if fact["tier"] in self.minutes_of_tier]
        return float(np.mean(stated)) if stated else None


@dataclass(frozen=True)
class Candidate:
    """A pattern in one week's list.

    `volume` is tickets in the week, `weekly` tickets in each week of the history (oldest first), both with what automations
    closed; `tiers` and `groups` are shares of who solved it over the last four weeks, `work` the hours a week that it takes
    people today, `savings` what its automation is worth and what is left of that to save, `resolutions` the commonest ways
    it was solved with their shares.
    """

    pattern_id: str
    volume: int
    weekly: tuple[int, ...]
    trend: Trend
    touch: TouchTime
    work: Hours
    savings: Savings
    automatability: float
    parts: Mapping[str, float]
    kind: str
    runner_up: str | None
    why: str
    tiers: Mapping[str, float]
    groups: Mapping[str, float]
    handoffs: float | None
    resolutions: Sequence[tuple[str, float]]
    down: MoveDown | None
    knowledge: KnowledgeGap
    cost_per_hour: float | None = None
    currency: str | None = None

    def figures(self) -> dict[str, Any]:
        """Plain JSON, as the store keeps it and reports show it."""
        touch = {"minutes": round(self.touch.minutes, 1), "source": self.touch.source, "tickets": self.touch.tickets}
        same = ("pattern_id", "volume", "automatability", "kind", "runner_up", "why", "handoffs")
        return {name: getattr(self, name) for name in same} | {
            "weekly": list(self.weekly),
            "trend": {"direction": self.trend.direction, **_rounded(vars(self.trend))},
            "hours": _rounded(vars(self.savings.hours)),
            "work": _rounded(vars(self.work)),
            "savings": _rounded({name: value for name, value in vars(self.savings).items() if name != "hours"}),
            "touch_time": touch,
            "parts": dict(self.parts),
            "tiers": _percent(self.tiers),
            "groups": _percent(self.groups),
            "resolutions": [{"text": text, "share": share} for text, share in self.resolutions],
            "move_down": None if self.down is None else _rounded(vars(self.down)),
            "knowledge": _rounded(vars(self.knowledge)),
            "money": self._money(),
        }

    def _money(self) -> dict[str, Any] | None:
        """Unit cost of an hour and what can be expected to be saved a week; None where the taxonomy has no costs."""
        if self.cost_per_hour is None:
            return None
        week = round(self.cost_per_hour * self.savings.expected)
        return {"currency": self.currency, "per_hour": round(self.cost_per_hour, 2), "a_week": week}


def list_candidates(
    facts: Iterable[Fact],
    weeks: Sequence[str],
    taxonomy: Taxonomy,
    *,
    min_tickets: int,
    notes: Mapping[str, Sequence[str]],
    texts: Mapping[str, Sequence[str]] | None = None,
    given: Given | None = None,
) -> list[Candidate]:
    """The list of the last of `weeks`, most expected hours to save first.

    Parameters
    ----------
    facts
        Facts of the tickets of `weeks`, as the store gives them.
    weeks
        The week and those before it that were looked at, oldest first.
    min_tickets
        A pattern with fewer tickets in the last four weeks is not listed; nor is one whose tickets end in many categories
        ("it does not work"): its text does not say what it is about, so nothing can be decided on it.
    notes
        Close notes of recent tickets by pattern id, redacted and masked.
    texts
        Texts of recent tickets by pattern id, redacted and masked; what they ask for says more of the kind of automation.
    given
        What the desk states of itself; by default nothing.
    """
    of_pattern: dict[str, list[Fact]] = defaultdict(list)
    for fact in facts:
        if fact["pattern_id"] is not None:
            of_pattern[fact["pattern_id"]].append(fact)
    effort, stated = _Effort(of_pattern), given or Given()
    candidates = []
    for pattern_id, own in of_pattern.items():
        weekly = _weekly(own, weeks)
        if not weekly[-1] or sum(weekly[-RECENT_WEEKS:]) < min_tickets:
            continue
        recent = [fact for fact in own if fact["week"] in weeks[-RECENT_WEEKS:]]
        if not _is_mixed(recent):
            touch = effort.touch(pattern_id, _commonest(fact["category"] for fact in recent), stated.minutes(recent))
            asks = ask_shares((texts or {}).get(pattern_id, ()))
            evidence = _evidence(recent, notes.get(pattern_id, ()), touch, weekly, asks)
            volume = _Volume(weekly, _weekly(_by_people(own), weeks))
            candidate = _candidate(pattern_id, volume, touch, evidence, recent, taxonomy, notes.get(pattern_id, ()))
            known = knowledge_gap(recent, stated.articles, noted=bool(notes.get(pattern_id)))
            candidate = replace(candidate, knowledge=known)
            if outlives_payback(weekly, candidate.savings):
                candidates.append(candidate)
    trends = with_many_tests([candidate.trend for candidate in candidates])
    sure = [replace(candidate, trend=one) for candidate, one in zip(candidates, trends, strict=True)]
    return sorted(sure, key=lambda one: (-one.savings.expected, -one.work.p50, -one.volume, one.pattern_id))


@dataclass(frozen=True)
class _Volume:
    """Tickets in each week, and those of them that people closed: what an automation closed is nobody's work."""

    weekly: tuple[int, ...]
    by_people: tuple[int, ...]

    @property
    def closed_by_automation(self) -> float:
        """Tickets a week, over the recent weeks."""
        recent = min(RECENT_WEEKS, len(self.weekly))
        return (sum(self.weekly[-recent:]) - sum(self.by_people[-recent:])) / max(recent, 1)


def _weekly(facts: Iterable[Fact], weeks: Sequence[str]) -> tuple[int, ...]:
    counts = Counter(fact["week"] for fact in facts)
    return tuple(counts[week] for week in weeks)


def _by_people(facts: Iterable[Fact]) -> list[Fact]:
    return [fact for fact in facts if fact["tier"] != AUTOMATION_TIER]


class _Effort:
    """Logged minutes by pattern, by category and of all tickets; looked up often, so gathered once."""

    def __init__(self, of_pattern: Mapping[str, Sequence[Fact]]) -> None:
        self._of_pattern = {key: _minutes(own) for key, own in of_pattern.items()}
        by_category: dict[str, list[Fact]] = defaultdict(list)
        for own in of_pattern.values():
            for fact in own:
                by_category[fact["category"] or ""].append(fact)
        self._of_category = {key: _minutes(own) for key, own in by_category.items()}
        self._everything = _minutes(fact for own in of_pattern.values() for fact in own)

    def touch(self, pattern_id: str, category: str, proxy: float | None) -> TouchTime:
        alike = self._of_category.get(category, np.zeros(0))
        return touch_time(self._of_pattern[pattern_id], alike, self._everything, proxy)


def _minutes(facts: Iterable[Fact]) -> NDArray[np.float64]:
    """Effort of people: what an automation closed took nobody any time."""
    logged = (fact["effort_minutes"] for fact in _by_people(facts))
    return np.array([minutes for minutes in logged if minutes is not None], dtype=np.float64)


def _candidate(
    pattern_id: str,
    volume: _Volume,
    touch: TouchTime,
    evidence: Evidence,
    recent: Sequence[Fact],
    taxonomy: Taxonomy,
    notes: Sequence[str],
) -> Candidate:
    score, parts = automatability(evidence)
    proposal = propose(evidence, taxonomy)
    return Candidate(
        pattern_id=pattern_id,
        volume=volume.weekly[-1],
        weekly=volume.weekly,
        trend=trend(volume.weekly),
        touch=touch,
        work=hours_a_week(volume.by_people, touch),
        savings=savings_a_week(volume.weekly, touch, proposal, volume.closed_by_automation * touch.minutes / 60),
        automatability=score,
        parts=parts,
        kind=proposal.kind,
        runner_up=proposal.runner_up,
        why=proposal.why,
        tiers=evidence.tiers,
        groups=evidence.groups,
        handoffs=None if evidence.handoffs is None else round(evidence.handoffs, 2),
        resolutions=common_resolutions(notes),
        down=move_down(recent, taxonomy),
        knowledge=knowledge_gap(recent),
        cost_per_hour=_cost(evidence.tiers, taxonomy),
        currency=taxonomy.currency,
    )


def _cost(tiers: Mapping[str, float], taxonomy: Taxonomy) -> float | None:
    """What an hour costs, by the shares of the tiers that solve it; None where one of them has no cost."""
    costs = {tier.name: tier.cost_per_hour for tier in taxonomy.tiers}
    known = [(share, costs.get(name)) for name, share in tiers.items()]
    if not known or any(cost is None for _, cost in known):
        return None
    return sum(share * (cost or 0.0) for share, cost in known)


def _evidence(
    own: Sequence[Fact], notes: Sequence[str], touch: TouchTime, weekly: Sequence[int], asks: Mapping[str, float]
) -> Evidence:
    worked = _by_people(own)

    def column(name: str) -> list[Any]:
        return [fact[name] for fact in worked]

    resolutions = common_resolutions(notes)
    return gather(
        resolution_share=resolutions[0][1] if resolutions else None,
        groups=column("assignment_group"),
        tiers=column("tier"),
        ticket_types=column("ticket_type"),
        channels=column("channel"),
        handoffs=column("handoffs"),
        efforts=column("effort_minutes"),
        similarities=[value for value in column("similarity") if value is not None],
        minutes=touch.minutes,
        reopens=column("reopens"),
        priorities=column("priority"),
        weekly=weekly,
        activities=column("activity"),
        cues=cue_shares(notes),
        asks=asks,
    )


def _is_mixed(own: Sequence[Fact]) -> bool:
    counts = Counter(fact["category"] for fact in own if fact["category"])
    return bool(counts) and max(counts.values()) < MIXED * counts.total()


def _commonest(labels: Iterable[str | None]) -> str:
    counts = Counter(label for label in labels if label)
    return min(counts, key=lambda label: (-counts[label], label), default="")


def _percent(shares: Mapping[str, float], most: int = 5) -> dict[str, float]:
    ordered = sorted(shares.items(), key=lambda item: (-item[1], item[0]))[:most]
    return {name: round(share, 3) for name, share in ordered}


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(value, 3) if isinstance(value, float) else value for name, value in values.items()}
