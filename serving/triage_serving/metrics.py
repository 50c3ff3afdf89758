"""What Prometheus sees. Few labels, each from a closed list: routes, statuses, actions, reasons, classes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

__all__ = ["Metrics"]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
SHARES = tuple(step / 10 for step in range(1, 11))


class Metrics:
    """The measurements of one app, in a registry of their own; with several workers, summed over all of them."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter("triage_requests", "Requests", ["route", "method", "status"], registry=registry)
        self.request_seconds = Histogram(
            "triage_request_seconds", "Time to answer", ["route"], buckets=SECONDS, registry=registry
        )
        self.decisions = Counter("triage_decisions", "Decisions", ["action", "reason"], registry=registry)
        self.classes = Counter("triage_classes", "Classes answered", ["target", "value"], registry=registry)
        self.confidence = Histogram(
            "triage_confidence", "Probability of the answered class", ["target"], buckets=SHARES, registry=registry
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

    def answered(self, answers: Sequence[Mapping[str, Any]]) -> None:
        """Count decisions, classes and confidence of a batch."""
        for answer in answers:
            self.decisions.labels(answer["decision"]["action"], answer["decision"]["reason"]).inc()
            for target, given in answer["targets"].items():
                self.classes.labels(target, given["value"]).inc()
                self.confidence.labels(target).observe(given["probability"])

    def page(self) -> bytes:
        """The text that Prometheus reads."""
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            merged = CollectorRegistry()
            MultiProcessCollector(merged)  # type: ignore[no-untyped-call]
            return generate_latest(merged)
        return generate_latest(self._registry)
