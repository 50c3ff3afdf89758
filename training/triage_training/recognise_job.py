"""After a week is mined: learn to recognise the tickets of what is automated or could be, from those that people closed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from triage_ml.answer import FEWEST_TICKETS, Recogniser, latest_recogniser, publish_recogniser, week_of_recogniser
from triage_ml.errors import BundleError, TriageError
from triage_ml.patterns import masked_texts
from triage_ml.settings import Settings
from triage_ml.store import Store, facts_between, mined_weeks, read_week, standings
from triage_ml.text import ticket_text
from triage_ml.tickets import TicketSource
from triage_ml.value import ASSUMPTIONS
from triage_training.weeks import week_name, weeks_back

__all__ = ["learn_recogniser", "teaching"]

#: Weeks of closed tickets that are learnt from, and at most so many tickets, a random sample.
WEEKS, MOST_TICKETS = 12, 30_000
#: Patterns that are learnt beside those that somebody accepted: those that the list expects most hours from.
MOST_CANDIDATES = 40
#: A table with a smaller share of the tickets to learn from has less to teach than what is known already.
SHARE = 0.5
#: What stands on the way to an automation, or is one.
ON_THE_WAY = ("accepted", "in_progress", "automated")
AUTOMATION_TIER = "L0"
_FACTS = ("ticket_id", "week", "tier", "pattern_id")

Warn = Callable[[str], None]


@dataclass(frozen=True)
class _Lesson:
    """What there is to learn after `week`: fair evidence (see `teaching`), the patterns that are asked for, those of them that
    somebody decided on, those that are automated, and those of them that are to act."""

    week: str
    pattern_of: Mapping[str, str | None]
    wanted: frozenset[str]
    decided: frozenset[str]
    automated: frozenset[str]
    to_act: frozenset[str]


def learn_recogniser(source: TicketSource, settings: Settings, store: Store, warn: Warn, *, mined: bool) -> Path | None:
    """Publish what recognises the tickets of automations, and return where; None where there is nothing to learn it from.

    The labels are the patterns that closed tickets are of by their close notes and categories, as far as `teaching` takes
    them. Tickets without a close note say nothing. It is learnt after each mining (`mined`), and else where an earlier run
    did not come to it. Where the table holds too little of what there is to learn from, or nothing can be learnt or written,
    what was learnt before stays, and `warn` is told: the weeks are mined all the same.
    """
    before = latest_recogniser(settings.paths.bundles)
    try:
        return _learn(source, settings, store, before, warn, mined=mined)
    except (TriageError, OSError) as error:
        warn(f"Nothing was learnt that recognises the tickets of automations; the next run tries again. {error}")
        return before


def teaching(facts: Iterable[Mapping[str, Any]], week: str, since: Mapping[str, str]) -> dict[str, str | None]:
    """Ticket id -> pattern, of the tickets that people closed and that are fair evidence in `week`.

    What an automation closed is no evidence for itself (decision 15), and what it left to people since is no fair sample of
    its pattern: the clear tickets are gone, and their lookalikes are not. So a pattern is learnt from the last weeks before
    an automation closed the first of its tickets, and everything else from the last weeks.

    Parameters
    ----------
    facts
        `ticket_id`, `week`, `tier`, `pattern_id` of tickets.
    since
        Automated pattern -> the week of its decision.
    """
    facts = list(facts)
    acts: dict[str, str] = {}
    for fact in facts:
        pattern, when = fact["pattern_id"], fact["week"]
        if fact["tier"] == AUTOMATION_TIER and since.get(pattern, "~") <= when < acts.get(pattern, "~"):
            acts[pattern] = when
    recent = frozenset(weeks_back(week, WEEKS))
    before = {pattern: frozenset(weeks_back(when, WEEKS + 1)[:-1]) for pattern, when in acts.items()}
    return {
        fact["ticket_id"]: fact["pattern_id"]
        for fact in facts
        if fact["tier"] != AUTOMATION_TIER and fact["week"] in before.get(fact["pattern_id"], recent)
    }


def _learn(
    source: TicketSource, settings: Settings, store: Store, before: Path | None, warn: Warn, *, mined: bool
) -> Path | None:
    lesson = _lesson(settings, store)
    if lesson is None or not lesson.wanted:
        return before
    known = _patterns_of(before)
    if not (mined or before is None or week_of_recogniser(before) < lesson.week or _is_behind(lesson, known)):
        return before
    held = source.frame["ticket_id"].isin(lesson.pattern_of.keys()).to_numpy(dtype=bool)
    if known and (missing := _missing(source.frame["ticket_id"][held], lesson, known)):
        warn(f"What recognises the tickets of automations was not learnt anew: {missing}")
    elif found := Recogniser.learn(*_closed(source, np.flatnonzero(held), lesson)):
        before, known = publish_recogniser(found, settings.paths.bundles, lesson.week), frozenset(found.patterns)
    if unknown := sorted(lesson.to_act - known):
        warn(
            f"Automations that are only suggested, as too few closed tickets show what is theirs: {', '.join(unknown)}."
        )
    return before


def _lesson(settings: Settings, store: Store) -> _Lesson | None:
    with store.read() as connection:
        week = max(mined_weeks(connection), default=None)
        if week is None:
            return None
        listed = read_week(connection, week)
        standing = standings(connection, today=settings.calendar.today())
        automated = {key: one for key, one in standing.items() if one.status == "automated"}
        days = {key: one.since or (one.decided_at and one.decided_at.date()) for key, one in automated.items()}
        since = {key: week_name(day) for key, day in days.items() if day is not None}
        first = weeks_back(min([week, *since.values()]), WEEKS + 1)[0]
        pattern_of = teaching(facts_between(connection, first, week, names=_FACTS), week, since)
    decided = frozenset(key for key, one in standing.items() if one.status in ON_THE_WAY)
    to_act = frozenset(key for key, one in automated.items() if one.mode != "suggest")
    wanted = decided.union(_worth_it([] if listed is None else listed.candidates))
    return _Lesson(week, pattern_of, wanted, decided, frozenset(automated), to_act)


def _patterns_of(folder: Path | None) -> frozenset[str]:
    """What the recogniser there knows; nothing where it can't be read."""
    try:
        return frozenset() if folder is None else frozenset(Recogniser.read(folder).patterns)
    except BundleError:
        return frozenset()


def _is_behind(lesson: _Lesson, known: frozenset[str]) -> bool:
    """Whether somebody decided on a pattern since, and there is enough to learn it from."""
    counts = Counter(lesson.pattern_of.values())
    return any(counts[one] >= FEWEST_TICKETS for one in lesson.decided - known)


def _missing(held: Iterable[str], lesson: _Lesson, known: frozenset[str]) -> str:
    """What this table has too little of, beside what is known already; empty where it has enough."""
    there, counts = Counter(lesson.pattern_of[one] for one in held), Counter(lesson.pattern_of.values())
    if there.total() < SHARE * counts.total():
        return (
            f"this table holds {there.total():,} of the {counts.total():,} closed tickets that it is to be learnt from."
        )
    lost = sorted(one for one in lesson.automated & known if there[one] < SHARE * counts[one])
    return f"this table holds too few tickets from before the automation of {', '.join(lost)}." if lost else ""


def _worth_it(candidates: Iterable[Mapping[str, Any]]) -> list[str]:
    """Patterns that an automation is proposed for, most expected hours first."""
    proposed = [one for one in candidates if one["kind"] in ASSUMPTIONS]
    ordered = sorted(proposed, key=lambda one: -one["savings"]["expected"])
    return [one["pattern_id"] for one in ordered[:MOST_CANDIDATES]]


def _closed(
    source: TicketSource, rows: np.ndarray[Any, np.dtype[np.int64]], lesson: _Lesson
) -> tuple[list[str], list[str | None]]:
    """Masked texts of closed tickets with a close note among these rows, and which wanted pattern each is of."""
    if len(rows) > MOST_TICKETS:
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST_TICKETS, replace=False))
    ids = source.frame["ticket_id"]
    texts: list[str] = []
    patterns: list[str | None] = []
    for own, piece in source.pieces(rows):
        if "resolution" not in piece:
            break
        noted = piece["resolution"].fillna("").str.strip().ne("").to_numpy(dtype=bool)
        texts += masked_texts(ticket_text(piece[noted]))
        found = (lesson.pattern_of[key] for key in ids.iloc[own[noted]])
        patterns += [one if one in lesson.wanted else None for one in found]
    return texts, patterns
