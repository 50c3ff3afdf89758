"""The challenger is asked the same tickets, after the champion answered and only while nobody waits.

It runs on the event loop in small turns, because a thread would take its time from the champion's. What it would have said is
stored beside the prediction and compared when the ticket closes. Its queue is bounded: under load the oldest are dropped and
counted, never a request delayed by more than one turn.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from triage_ml.errors import StoreError
from triage_ml.store import ClosedTicket, Shadow, Store, add_shadows, shadows_of
from triage_serving.champion import Champion
from triage_serving.jobs import Answered, characters_of
from triage_serving.metrics import Metrics
from triage_serving.worker import Worker

__all__ = ["ShadowScorer"]

#: Most tickets, and about how many characters, of one turn: a request that comes meanwhile waits for it.
TURN_TICKETS = 8
TURN_CHARACTERS = 25_000
#: Most characters that wait: a thousand tickets may be of a kilobyte each, or of a hundred.
WAITING_CHARACTERS = 16_000_000
PAUSE_SECONDS = 0.02
KEPT = ("value", "probability", "action", "reason")

log = structlog.get_logger("triage.shadow")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A ticket, what the champion answered, and how long its text is."""

    ticket: Mapping[str, Any]
    given: Answered
    characters: int


class ShadowScorer:
    """Scores with the challenger what the champion answered.

    Parameters
    ----------
    limit
        How many tickets may wait for it; the oldest are dropped beyond that, and beyond `WAITING_CHARACTERS`.
    """

    def __init__(self, challenger: Champion, store: Store, metrics: Metrics, *, limit: int) -> None:
        self._challenger = challenger
        self._store = store
        self._metrics = metrics
        self._limit = limit
        self._waiting: deque[_Asked] = deque()
        self._characters = 0
        self._lock = threading.Lock()

    def offer(self, tickets: Sequence[Mapping[str, Any]], answered: Sequence[Answered]) -> None:
        """Take what was just answered; any thread may call it."""
        if self._challenger.current is None:
            return
        asked = [_Asked(*one, characters_of(one[0])) for one in zip(tickets, answered, strict=True)]
        with self._lock:
            self._waiting.extend(asked)
            self._characters += sum(one.characters for one in asked)
            dropped = 0
            while len(self._waiting) > self._limit or self._characters > WAITING_CHARACTERS:
                self._characters -= self._waiting.popleft().characters
                dropped += 1
        if dropped:
            self._metrics.shadow.labels("dropped").inc(dropped)

    def _take(self) -> list[_Asked]:
        """The oldest, up to the limits of a turn; one at least."""
        taken: list[_Asked] = []
        characters = 0
        with self._lock:
            while self._waiting and len(taken) < TURN_TICKETS and characters < TURN_CHARACTERS:
                taken.append(self._waiting.popleft())
                characters += taken[-1].characters
            self._characters -= characters
        return taken

    def closed(self, tickets: Sequence[ClosedTicket]) -> None:
        """Compare what challengers said with how tickets ended; best effort, for the outcomes are stored already."""
        outcomes = {ticket.prediction.prediction_id: ticket.outcome for ticket in tickets if ticket.prediction}
        if not outcomes:
            return
        try:
            with self._store.read() as connection:
                found = shadows_of(connection, outcomes)
        except StoreError as error:
            log.warning("shadows_not_read", reason=error.message)
            return
        for shadow in found:
            labels = outcomes[shadow.prediction_id].labels
            for target, said in shadow.targets.items():
                if target in labels:
                    result = "right" if said["value"] == labels[target] else "wrong"
                    self._metrics.shadow_checked.labels(target, said["action"], result).inc()

    @property
    def waiting(self) -> int:
        """Tickets that the challenger was not asked yet."""
        return len(self._waiting)

    async def run(self, worker: Worker) -> None:
        """Ask and store until cancelled."""
        while True:
            if self._waiting and not worker.waiting:
                await self.turn()
            await asyncio.sleep(PAUSE_SECONDS if worker.waiting or not self._waiting else 0)

    async def turn(self) -> None:
        """Ask the challenger a few tickets and store what it says."""
        challenger = self._challenger.current
        taken = self._take()
        if challenger is None or not taken:
            return
        try:
            answers = challenger.answerer.answer([one.ticket for one in taken])
        except Exception as error:  # noqa: BLE001 - a challenger that fails must not end the shadow, nor reach a request
            self._metrics.shadow.labels("failed").inc(len(taken))
            log.error("shadow_failed", kind=type(error).__name__, version=challenger.version)
            return
        rows = [_shadow(one.given, answer, challenger.version) for one, answer in zip(taken, answers, strict=True)]
        try:
            await asyncio.to_thread(self._keep, rows)
        except StoreError as error:
            self._metrics.shadow.labels("failed").inc(len(rows))
            log.warning("shadow_not_stored", reason=error.message)
            return
        self._metrics.shadow.labels("scored").inc(len(rows))
        for one, row in zip(taken, rows, strict=True):
            for target, said in row.targets.items():
                champion = one.given.answer["targets"].get(target)
                same = champion is not None and champion["value"] == said["value"]
                self._metrics.shadow_agreement.labels(target, "same" if same else "other").inc()

    def _keep(self, rows: Sequence[Shadow]) -> None:
        with self._store.begin() as connection:
            add_shadows(connection, rows)


def _shadow(given: Answered, answer: Mapping[str, Any], version: str) -> Shadow:
    targets = {target: {name: said[name] for name in KEPT} for target, said in answer["targets"].items()}
    return Shadow(given.answer["prediction_id"], version, datetime.now(UTC), targets)
