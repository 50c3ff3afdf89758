"""How good a model is, measured on tickets it has not seen: splits, metrics with intervals."""

from triage_ml.evaluate.answers import Answered, answer_all, answer_table, answered_targets, ticket_keys
from triage_ml.evaluate.compare import Comparison, GroupChange, compare, join_answers
from triage_ml.evaluate.drift import Drift, Verdict, WeekDrift, WordChange, stability_index, watch
from triage_ml.evaluate.gate import Check, Cost, Limits, absolute_checks, calibration_bound, paired_checks
from triage_ml.evaluate.hygiene import Doubt, SimilarLabels, doubted_labels, renamed_groups, similar_labels
from triage_ml.evaluate.learning import LearningCurve, learning_curve
from triage_ml.evaluate.metrics import (
    ClassFigures,
    Coverage,
    Interval,
    TargetFigures,
    calibration_error,
    measure,
    reliability,
)
from triage_ml.evaluate.model import Evaluation, evaluate, evaluate_answers
from triage_ml.evaluate.slices import (
    SLICES,
    SliceFigures,
    guess_language,
    share_interval,
    slice_columns,
    slice_figures,
)
from triage_ml.evaluate.splits import SPLIT_PARTS, Split, split_at_random, split_by_column, split_by_time

__all__ = [
    "SLICES",
    "SPLIT_PARTS",
    "Answered",
    "Check",
    "ClassFigures",
    "Comparison",
    "Cost",
    "Coverage",
    "Doubt",
    "Drift",
    "Evaluation",
    "GroupChange",
    "Interval",
    "LearningCurve",
    "Limits",
    "SimilarLabels",
    "SliceFigures",
    "Split",
    "TargetFigures",
    "Verdict",
    "WeekDrift",
    "WordChange",
    "absolute_checks",
    "answer_all",
    "answer_table",
    "answered_targets",
    "calibration_bound",
    "calibration_error",
    "compare",
    "doubted_labels",
    "evaluate",
    "evaluate_answers",
    "guess_language",
    "join_answers",
    "learning_curve",
    "measure",
    "paired_checks",
    "reliability",
    "renamed_groups",
    "share_interval",
    "similar_labels",
    "slice_columns",
    "slice_figures",
    "split_at_random",
    "split_by_column",
    "split_by_time",
    "stability_index",
    "ticket_keys",
    "watch",
]
