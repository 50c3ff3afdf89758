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
from triage_ml.simulate.catalogue import CHANNELS, Automation, Catalogue, Kind, load_catalogue
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


@dataclass
class Block:
    """Rows of the tables that grow with the tickets; `savings` has (kind, week, minutes without and with automation)."""

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
        for at, (opened, week, index, channel, region) in enumerate(rows, first + 1):
            self._ticket(block, f"INC{at:07d}", opened, week, index, channel, region, dice)
        return block

    def _ticket(
        self, block: Block, ticket_id: str, opened: int, week: int, index: int, channel: int, region: int, dice: Dice
    ) -> None:
        kind = self.catalogue.kinds[index]
        person = _requester(self._staff[region], dice)
        words = TicketWords(self.catalogue.slots, dice, person, opened, "en")
        words.language = self._writer.language(index, channel, words)
        ask, place = self._writer.choose(index, channel, words)
        tier = self._router.tier(index, place, dice)
        filed = self._writer.write(index, ask, channel, tier, words)
        item = None if dice.chance(NOISE.missing_item) else words.configuration_item()
        route = self._router.route(index, tier, week, region, channel, dice)
        handoffs = len(route.groups) - 1
        minutes = touch_minutes(kind, tier, handoffs, self.catalogue.organisation, NOISE, dice)
        spared = _spared(kind.automation, dice)
        block.savings.append((index, week, spared, minutes))
        machine = spared and week >= self.calendar.automated_from[index]
        if machine:
            route = self._router.route(index, AUTOMATION_TIER, week, region, channel, dice)
            handoffs, minutes = 0, 0.0
        priority = self._priorities[index].draw(dice)
        took = 60 + dice.below(600) if machine else elapsed_seconds(priority, minutes, handoffs, dice)
        resolution, notes = self._resolve(kind, index, machine, words)
        closed = opened + took < self.calendar.end
        had = self._log(block, ticket_id, opened, took, route, dice)
        recorded_tier = route.tiers[had]
        block.tickets.append(
            {
                "ticket_id": ticket_id,
                "opened_at": opened,
                "title": filed.title,
                "description": filed.description or None,
                "resolved_at": opened + took if closed else None,
                "resolution": notes if closed else None,
                "tier": recorded_tier,
                "category": route.category,
                "subcategory": self._subcategory(kind, route, dice),
                "assignment_group": route.groups[had],
                "ticket_type": kind.ticket_type,
                "activity": kind.activity,
                "priority": priority,
                "channel": CHANNELS[channel],
                "configuration_item": item,
                "requester_id": None if channel == MONITORING else person.requester_id,
                "effort_minutes": self._effort(minutes, machine, closed, dice),
                "reassignment_count": had,
                "reopen_count": 0 if machine or not closed else int(dice.chance(NOISE.reopened * (1 + handoffs))),
            }
        )
        block.truth.append(
            {
                "ticket_id": ticket_id,
                "kind": kind.id,
                "resolution": resolution,
                "second_kind": filed.second_kind,
                "tier": route.tier,
                "category": kind.category,
                "lowest_tier": kind.lowest_tier,
                "minutes": minutes,
                "mislabelled": recorded_tier != route.tier or route.category != kind.category,
            }
        )

    def _resolve(self, kind: Kind, index: int, machine: bool, words: TicketWords) -> tuple[str, str]:
        """Id of the resolution, and the close notes."""
        if machine and kind.automation:
            return AUTOMATED, CLOSED_BY_MACHINE.format(kind=kind.automation.kind.replace("_", " "))
        dice = words.dice
        closing = dice.pick(self.catalogue.pools.closings)
        if not kind.resolutions:
            return UNRESOLVED, closing(words)
        chosen = kind.resolutions[int(self._resolutions[index].draw(dice))]
        return chosen.id, (closing if dice.chance(NOISE.empty_notes) else dice.pick(chosen.texts))(words)

    def _log(self, block: Block, ticket_id: str, opened: int, took: int, route: Route, dice: Dice) -> int:
        """Write the hand-offs that happened before the desk's last week ended; returns how many there were."""
        handoffs = len(route.groups) - 1
        moments = sorted(opened + 60 + int(took * 0.8 * dice.random()) for _ in range(handoffs))
        before = [moment for moment in moments if moment < self.calendar.end]
        for step, moment in enumerate(before):
            block.handoffs.append(
                {
                    "ticket_id": ticket_id,
                    "at": moment,
                    "from_group": route.groups[step],
                    "to_group": route.groups[step + 1],
                }
            )
        return len(before)

    def _subcategory(self, kind: Kind, route: Route, dice: Dice) -> str | None:
        """Nobody picks a subcategory under a category that nobody picked."""
        if route.category != kind.category or dice.chance(NOISE.empty_subcategory):
            return None
        return kind.subcategory

    def _effort(self, minutes: float, machine: bool, closed: bool, dice: Dice) -> float | None:
        if machine:
            return 0.0
        return logged_minutes(minutes, NOISE, dice) if closed else None


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
