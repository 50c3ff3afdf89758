"""What a training tells MLflow in numbers and words: parameters and metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from triage_ml.evaluate import LearningCurve
from triage_training.train import Trained

__all__ = ["run_metrics", "run_params"]


def run_params(trained: Trained) -> dict[str, Any]:
    """Parameters of the classifier and its features, and how the tickets were split."""
    model = {name: value for name, value in trained.classifier.get_params(deep=False).items() if name != "features"}
    features = {f"features.{name}": value for name, value in trained.classifier.features_.get_params().items()}
    split = trained.split
    parts = {"split": split.how, "fit": len(split.fit), "calibration": len(split.calibration), "test": len(split.test)}
    return {**model, **features, **parts, "targets": list(trained.classifier.classes_)}


def run_metrics(trained: Trained, curves: Mapping[str, LearningCurve]) -> dict[str, float]:
    """Figures of each target with their intervals, of each class, and where the learning curve leads."""
    metrics: dict[str, float] = {f"{name}.macro_f1_doubled": curve.doubled for name, curve in curves.items()}
    for name, figures in trained.evaluation.targets.items():
        metrics |= {f"{name}.ece": figures.ece, f"{name}.ece_by_chance": figures.ece_by_chance}
        for what, interval in (("accuracy", figures.accuracy), ("macro_f1", figures.macro_f1)):
            metrics |= {
                f"{name}.{what}": interval.value,
                f"{name}.{what}.low": interval.low,
                f"{name}.{what}.high": interval.high,
            }
        for promise, row in figures.coverage.items():
            metrics[f"{name}.coverage_at_{promise}"] = row.coverage
            if row.precision is not None:
                metrics[f"{name}.precision_at_{promise}"] = row.precision
        for each in figures.classes:
            metrics |= {
                f"{name}.class.{each.label}.precision": each.precision,
                f"{name}.class.{each.label}.recall": each.recall,
                f"{name}.class.{each.label}.f1": each.f1,
            }
    return metrics
