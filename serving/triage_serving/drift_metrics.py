"""What `triage drift` found of the newest week, as gauges: an alert can ask for it beside everything else."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

from triage_ml.errors import TriageError
from triage_ml.store import DriftWeek, Store, latest_drift

__all__ = ["DriftGauges"]

_LEVELS = {"nothing to do": 0, "look": 1, "retrain": 2}


class DriftGauges:
    """Empty until `triage drift` has run; then the newest week that it looked at."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, what: str, *labels: str) -> Gauge:
            return Gauge(f"triage_drift_{name}", what, labels, multiprocess_mode="mostrecent", registry=registry)

        self._verdict = gauge("verdict", "Newest week looked at: 0 nothing to do, 1 look, 2 retrain")
        self._judged = gauge("judged_timestamp_seconds", "When `triage drift` last looked")
        self._new_words = gauge("new_words_share", "Share of words never seen before")
        self._changed_words = gauge("changed_words", "Words in far more or fewer tickets than usual")
        self._stability = gauge("stability_index", "Population stability index of the answers", "target")
        self._confidence = gauge("confidence_change", "Mean probability minus the usual", "target")
        self._precision = gauge("precision", "Right of what was decided auto, where outcomes are known", "target")

    def follow(self, store: Store) -> None:
        """Look at the store once; where it can't be read the gauges stay as they are."""
        try:
            with store.read() as connection:
                week = latest_drift(connection)
        except TriageError:
            return
        if week is not None:
            self.show(week)

    def show(self, week: DriftWeek) -> None:
        """Set the gauges; a target that the week has no figure of is dropped."""
        figures = week.figures
        self._verdict.set(_LEVELS.get(week.verdict, 1))
        self._judged.set(week.judged_at.timestamp())
        self._new_words.set(figures.get("new_words", 0))
        self._changed_words.set(figures.get("changed_words", 0))
        for gauge, values in (
            (self._stability, figures.get("stability_index", {})),
            (
                self._confidence,
                {name: each["now"] - each["usual"] for name, each in figures.get("confidence", {}).items()},
            ),
            (self._precision, {name: each["precision"] for name, each in figures.get("precision", {}).items()}),
        ):
            gauge.clear()
            for target, value in values.items():
                gauge.labels(target).set(value)
