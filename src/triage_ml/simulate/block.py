"""A block of tickets, written from first to last: text, route, work, labels, and the truth about each.

A block is what one worker makes at a time. Its random numbers depend on the seed and the block's number alone, so that
blocks can be made in any order, by any number of workers, with the same result.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np

from triage_ml.simulate.calendar import Calendar, Plan, plan_calendar, plan_tickets
from triage_ml.simulate.catalogue import CHANNELS, LANGUAGES, Automation, Catalogue, Kind, load_catalogue
from triage_ml.simulate.dice import Dice, Weighted
from triage_ml.simulate.noise import NOISE
from triage_ml.simulate.organisation import AUTOMATION_TIER
from triage_ml.simulate.people import Person, hire
from triage_ml.simulate.routing import GroupNames, Route, Router
from triage_ml.simulate.slots import TicketWords
from triage_ml.simulate.text import MONITORING, Writer
from triage_ml.simulate.work import elapsed_seconds, logged_minutes, touch_minutes

__all__ = ["Block", "Order", "Workshop", "workshop"]

BLOCK_TICKETS = 5_000
CLOSED_BY_MACHINE = "Closed by automation ({kind})."
AUTOMATED = "automated"
UNRESOLVED = "none"

Row = dict[str, Any]


@dataclass(frozen=True)
class Order:
    """What was asked for; the same order gives the same desk."""

    tickets: int
    weeks: int
    seed: int
    quiet: bool
    end: date


@dataclass(frozen=True, slots=True)
class Arrival:
    """A ticket of the plan; numbers are indices into catalogue, channels and regions, `opened` is in seconds."""

    ticket_id: str
    opened: int
    week: int
    kind: int
    channel: int
    region: int


@dataclass(frozen=True, slots=True)
class Work:
    """What became of it: its route, who had it last, touch time in minutes, and seconds from opening to closing."""

    route: Route
    had: int  # hand-offs before the desk's last week ended
    machine: bool
    minutes: float
    priority: str
    took: int
    closed: bool


@dataclass
class Block:
    """Rows of the tables that grow with the tickets.

    `savings` has (kind, week, whether its automation would have spared people this ticket, minutes if it does not).
    """

    tickets: list[Row] = field(default_factory=list)
    truth: list[Row] = field(default_factory=list)
    handoffs: list[Row] = field(default_factory=list)
    savings: list[tuple[int, int, bool, float]] = field(default_factory=list)


class Workshop:
    """Everything that blocks are made of: catalogue, calendar, plan, staff."""

    def __init__(self, order: Order, catalogue: Catalogue) -> None:
        self.order = order
        self.catalogue = catalogue
        calendar_seed, plan_seed, staff_seed, self._block_seed = np.random.SeedSequence(order.seed).spawn(4)
        self.calendar: Calendar = plan_calendar(
            catalogue, weeks=order.weeks, end=order.end, quiet=order.quiet, rng=np.random.default_rng(calendar_seed)
        )
        self.plan: Plan = plan_tickets(catalogue, self.calendar, order.tickets, np.random.default_rng(plan_seed))
        self._staff = hire(catalogue.organisation, Dice(np.random.default_rng(staff_seed)))
        self.names = self._group_names()
        self._writer = Writer(catalogue, NOISE)
        self._router = Router(catalogue, self.names, NOISE)
        self._priorities = [Weighted(dict(kind.priorities)) for kind in catalogue.kinds]
        self._resolutions = [
            Weighted({str(i): part.share for i, part in enumerate(kind.resolutions)}) for kind in catalogue.kinds
        ]
        self.blocks = self._cut()

    def _group_names(self) -> GroupNames:
        organisation, weeks = self.catalogue.organisation, self.order.weeks
        changes = () if self.order.quiet or weeks < 2 else organisation.changes
        return GroupNames(organisation.groups, tuple((change.week_of(weeks), change) for change in changes))

    def _cut(self) -> list[tuple[int, int]]:
        """First and last row of each block; none reaches over the end of a week."""
        ends = np.searchsorted(self.plan.week, np.arange(self.order.weeks), side="right")
        cuts: list[tuple[int, int]] = []
        start = 0
        for end in map(int, ends):
            cuts += [(first, min(first + BLOCK_TICKETS, end)) for first in range(start, end, BLOCK_TICKETS)]
            start = end
        return cuts

    def make(self, number: int) -> Block:
        """The rows of block `number`."""
        seed = np.random.SeedSequence(self._block_seed.entropy, spawn_key=(*self._block_seed.spawn_key, number))
        dice = Dice(np.random.default_rng(seed))
        block = Block()
        first, last = self.blocks[number]
        plan = self.plan
        columns = (plan.opened, plan.week, plan.kind, plan.channel, plan.region)
        rows = zip(*(column[first:last].tolist() for column in columns), strict=True)
        for at, row in enumerate(rows, first + 1):
            self._ticket(block, Arrival(f"INC{at:07d}", *row), dice)
        return block

    def _ticket(self, block: Block, arrival: Arrival, dice: Dice) -> None:
        index, channel = arrival.kind, arrival.channel
        person = _requester(self._staff[arrival.region], dice)
        words = TicketWords(self.catalogue.slots, dice, person, arrival.opened, LANGUAGES[0])
        words.language = self._writer.language(index, channel, words)
        ask, place = self._writer.choose(index, channel, words)
        tier = self._router.tier(index, place, dice)
        filed = self._writer.write(index, ask, channel, tier, words)
        item = None if dice.chance(NOISE.missing_item) else words.configuration_item()
        work = self._work(block, arrival, tier, dice)
        resolution, notes = self._resolve(index, work, words)
        block.tickets.append(
            self._recorded(arrival, work, dice)
            | {
                "title": filed.title,
                "description": filed.description or None,
                "resolution": notes if work.closed else None,
                "configuration_item": item,
                "requester_id": None if channel == MONITORING else person.requester_id,
            }
        )
        block.truth.append(self._true(arrival, work) | {"resolution": resolution, "second_kind": filed.second_kind})

    def _work(self, block: Block, arrival: Arrival, tier: str, dice: Dice) -> Work:
        """Who works on it and for how long; its hand-offs and savings go to the block."""
        index, week = arrival.kind, arrival.week
        kind = self.catalogue.kinds[index]
        route = self._router.route(index, tier, week, arrival.region, arrival.channel, dice)
        minutes = touch_minutes(kind, tier, route.handoffs, self.catalogue.organisation, NOISE, dice)
        spared = _spared(kind.automation, dice)
        block.savings.append((index, week, spared, minutes))
        machine = spared and week >= self.calendar.automated_from[index]
        if machine:
            route = self._router.route(index, AUTOMATION_TIER, week, arrival.region, arrival.channel, dice)
            minutes = 0.0
        priority = self._priorities[index].draw(dice)
        took = 60 + dice.below(600) if machine else elapsed_seconds(priority, minutes, route.handoffs, dice)
        moves = self._moves(arrival, took, route, dice)
        block.handoffs += moves
        closed = arrival.opened + took < self.calendar.end
        return Work(route, len(moves), machine, minutes, priority, took, closed)

    def _moves(self, arrival: Arrival, took: int, route: Route, dice: Dice) -> list[Row]:
        """Rows of the hand-off log: what happened before the desk's last week ended."""
        moments = sorted(arrival.opened + 1 + int(took * 0.8 * dice.random()) for _ in range(route.handoffs))
        return [
            {"ticket_id": arrival.ticket_id, "at": moment, "from_group": before, "to_group": after}
            for moment, before, after in zip(moments, route.groups, route.groups[1:], strict=False)
            if moment < self.calendar.end
        ]

    def _recorded(self, arrival: Arrival, work: Work, dice: Dice) -> Row:
        """What is written on the ticket, but for its text."""
        kind, route = self.catalogue.kinds[arrival.kind], work.route
        return {
            "ticket_id": arrival.ticket_id,
            "opened_at": arrival.opened,
            "resolved_at": arrival.opened + work.took if work.closed else None,
            "tier": route.tiers[work.had],
            "category": route.category,
            "subcategory": _subcategory(kind, route, dice),
            "assignment_group": route.groups[work.had],
            "ticket_type": kind.ticket_type,
            "activity": kind.activity,
            "priority": work.priority,
            "channel": CHANNELS[arrival.channel],
            "effort_minutes": _effort(work, dice),
            "reassignment_count": work.had,
            "reopen_count": _reopened(work, dice),
        }

    def _true(self, arrival: Arrival, work: Work) -> Row:
        kind, route = self.catalogue.kinds[arrival.kind], work.route
        return {
            "ticket_id": arrival.ticket_id,
            "kind": kind.id,
            "tier": route.tier,
            "category": kind.category,
            "lowest_tier": kind.lowest_tier,
            "minutes": work.minutes,
            "mislabelled": route.tiers[work.had] != route.tier or route.category != kind.category,
        }

    def _resolve(self, index: int, work: Work, words: TicketWords) -> tuple[str, str]:
        """Id of the resolution, and the close notes."""
        kind, dice = self.catalogue.kinds[index], words.dice
        if work.machine and kind.automation:
            return AUTOMATED, CLOSED_BY_MACHINE.format(kind=kind.automation.kind.replace("_", " "))
        closing = dice.pick(self.catalogue.pools.closings)
        if not kind.resolutions:
            return UNRESOLVED, closing(words)
        chosen = kind.resolutions[int(self._resolutions[index].draw(dice))]
        return chosen.id, (closing if dice.chance(NOISE.empty_notes) else dice.pick(chosen.texts))(words)


def _subcategory(kind: Kind, route: Route, dice: Dice) -> str | None:
    """Nobody picks a subcategory under a category that nobody picked."""
    if route.category != kind.category or dice.chance(NOISE.empty_subcategory):
        return None
    return kind.subcategory


def _effort(work: Work, dice: Dice) -> float | None:
    if not work.closed:
        return None
    return 0.0 if work.machine else logged_minutes(work.minutes, NOISE, dice)


def _reopened(work: Work, dice: Dice) -> int:
    """The more hands it went through, the more often it comes back."""
    if work.machine or not work.closed:
        return 0
    return int(dice.chance(NOISE.reopened * (1 + work.had)))


def _requester(staff: tuple[Person, ...], dice: Dice) -> Person:
    """Some people file far more than others."""
    return staff[int(len(staff) * dice.random() ** 2)]


def _spared(automation: Automation | None, dice: Dice) -> bool:
    """Whether the kind's automation would have closed this ticket, in force or not."""
    luck = dice.random()
    return automation is not None and luck < automation.share_covered * automation.success


@lru_cache(maxsize=1)
def workshop(order: Order) -> Workshop:
    """The workshop of an order over the built-in catalogue; each worker process makes it once."""
    return Workshop(order, load_catalogue())
