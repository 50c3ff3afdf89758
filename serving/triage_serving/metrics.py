"""What Prometheus sees. Few labels, each from a closed list: routes, statuses, actions, reasons, classes."""

from __future__ import annotations

import collections
import os
from collections.abc import Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from triage_ml.answer import PICKED_FOR_AUDIT
from triage_ml.store import SOURCES, ClosedTicket
from triage_serving.drift_metrics import DriftGauges
from triage_serving.jobs import Answered

__all__ = ["Metrics"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
RELOADS = ("loaded", "refused", "unreachable")
SHARES = tuple(step / 10 for step in range(1, 11))


class Metrics:
    """The measurements of one app, in a registry of their own; with several workers, summed over all of them."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.requests = Counter("triage_requests", "Requests", ["route", "method", "status"], registry=registry)
        self.request_seconds = Histogram(
            "triage_request_seconds", "Time to answer", ["route"], buckets=SECONDS, registry=registry
        )
        self.decisions = Counter("triage_decisions", "Decisions", ["action", "reason"], registry=registry)
        self.classes = Counter("triage_classes", "Classes answered", ["target", "value"], registry=registry)
        self.confidence = Histogram(
            "triage_confidence", "Probability of the answered class", ["target"], buckets=SHARES, registry=registry
        )
        self.outcomes = Counter("triage_outcomes", "Outcomes reported", ["source"], registry=registry)
        self.checked = Counter(
            "triage_checked", "Answers compared with outcomes", ["target", "action", "result"], registry=registry
        )
        self.shadow = Counter("triage_shadow_tickets", "Tickets for the challenger", ["result"], registry=registry)
        self.shadow_agreement = Counter(
            "triage_shadow_agreement", "Whether the challenger said the same", ["target", "result"], registry=registry
        )
        self.shadow_checked = Counter(
            "triage_shadow_checked",
            "Challenger's answers compared with outcomes",
            ["target", "action", "result"],
            registry=registry,
        )
        self.shadow_waiting = Gauge(
            "triage_shadow_waiting_tickets",
            "Tickets that the challenger was not asked yet",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.commit_seconds = Histogram(
            "triage_commit_seconds", "Time to store one batch", buckets=SECONDS, registry=registry
        )
        self.waiting = Gauge(
            "triage_waiting_tickets", "Tickets in the queue", multiprocess_mode="livesum", registry=registry
        )
        self.reloads = Counter("triage_reloads", "Attempts to change the model", ["result"], registry=registry)
        self.model = Gauge(
            "triage_model_loaded",
            "1 for the version that answers",
            ["version"],
            multiprocess_mode="livemax",
            registry=registry,
        )
        self.drift = DriftGauges(registry)
        self._loaded: str | None = None
        self._begin_at_zero()

    def _begin_at_zero(self) -> None:
        """What alerts watch is there before it happens: a counter that begins at 1 did not increase."""
        for source in SOURCES:
            self.outcomes.labels(source)
        for result in RELOADS:
            self.reloads.labels(result)
            self.reloads.labels(f"challenger_{result}")
        for result in ("scored", "failed", "dropped"):
            self.shadow.labels(result)

    def reloaded(self, result: str, version: str | None) -> None:
        """Count an attempt to change the champion, and show the version that answers after it."""
        self.reloads.labels(result).inc()
        if version != self._loaded:
            if self._loaded is not None:
                self.model.labels(self._loaded).set(0)
            if version is not None:
                self.model.labels(version).set(1)
            self._loaded = version

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request; its counters are looked up once."""
        counted = self._counted.get((route, method, status))
        if counted is None:
            counted = self.requests.labels(route, method, status), self.request_seconds.labels(route)
            self._counted[route, method, status] = counted
        counted[0].inc()
        counted[1].observe(seconds)

    def answered(self, answers: Sequence[Answered]) -> None:
        """Count decisions, classes and confidence of what was stored; a counter is looked up once, not once a ticket."""
        decisions = collections.Counter(
            (one["action"], one["reason"]) for one in (each.answer["decision"] for each in answers)
        )
        for decision, count in decisions.items():
            self.decisions.labels(*decision).inc(count)
        given: dict[str, list[Mapping[str, Any]]] = {}
        for each in answers:
            for target, said in each.answer["targets"].items():
                given.setdefault(target, []).append(said)
        for target, said_of in given.items():
            confidence = self.confidence.labels(target)
            for said in said_of:
                confidence.observe(said["probability"])
            for value, count in collections.Counter(said["value"] for said in said_of).items():
                self.classes.labels(target, value).inc(count)

    def closed(self, tickets: Sequence[ClosedTicket]) -> None:
        """Count outcomes, and for each target that was answered whether it was right; what was picked counts as `audit`."""
        for ticket in tickets:
            self.outcomes.labels(ticket.outcome.source).inc()
            targets = ticket.prediction.answer["targets"] if ticket.prediction else {}
            for target, given in targets.items():
                if target in ticket.outcome.labels:
                    right = given["value"] == ticket.outcome.labels[target]
                    action = "audit" if given.get("reason") == PICKED_FOR_AUDIT else given["action"]
                    self.checked.labels(target, action, "right" if right else "wrong").inc()

    def page(self) -> bytes:
        """The text that Prometheus reads."""
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            merged = CollectorRegistry()
            MultiProcessCollector(merged)  # type: ignore[no-untyped-call]
            return generate_latest(merged)
        return generate_latest(self._registry)
