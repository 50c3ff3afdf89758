"""How good a model is, measured on tickets it has not seen: splits, metrics with intervals."""

from triage_ml.evaluate.metrics import (
    ClassFigures,
    Coverage,
    Interval,
    TargetFigures,
    calibration_error,
    measure,
    reliability,
)
from triage_ml.evaluate.model import Evaluation, evaluate
from triage_ml.evaluate.splits import SPLIT_PARTS, Split, split_at_random, split_by_column, split_by_time

__all__ = [
    "SPLIT_PARTS",
    "ClassFigures",
    "Coverage",
    "Evaluation",
    "Interval",
    "Split",
    "TargetFigures",
    "calibration_error",
    "evaluate",
    "measure",
    "reliability",
    "split_at_random",
    "split_by_column",
    "split_by_time",
]
