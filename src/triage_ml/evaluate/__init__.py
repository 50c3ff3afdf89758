"""How good a model is, measured on tickets it has not seen: splits, metrics with intervals."""

from triage_ml.evaluate.answers import (
    AUDITS_TO_CHOOSE,
    AUDITS_TO_MEASURE,
    Answered,
    answer_all,
    answer_table,
    answered_targets,
    stands_for,
    ticket_keys,
)
from triage_ml.evaluate.compare import Comparison, GroupChange, calibration_change, compare, join_answers
from triage_ml.evaluate.doubted import Doubt, LabelDoubt, doubted_labels, label_doubt
from triage_ml.evaluate.drift import Drift, WeekDrift, watch
from triage_ml.evaluate.drift_signals import ConfidenceShift, stability_index
from triage_ml.evaluate.drift_verdict import Verdict
from triage_ml.evaluate.drift_words import WordChange, tokens_of
from triage_ml.evaluate.evidence import LabelEvidence, determining_columns, label_evidence
from triage_ml.evaluate.gate import Check, Cost, Limits, absolute_checks, fair_rows, paired_checks, shadow_checks
from triage_ml.evaluate.hygiene import SimilarLabels, new_and_retired, renamed_groups, similar_labels
from triage_ml.evaluate.learning import LearningCurve, learning_curve
from triage_ml.evaluate.metrics import (
    GOOD_CALIBRATION,
    ClassFigures,
    Coverage,
    Interval,
    TargetFigures,
    calibration_bound,
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
from triage_ml.evaluate.splits import (
    SPLIT_PARTS,
    Split,
    split_at_random,
    split_by_column,
    split_by_time,
    template_fingerprints,
)

__all__ = [
    "AUDITS_TO_CHOOSE",
    "AUDITS_TO_MEASURE",
    "GOOD_CALIBRATION",
    "SLICES",
    "SPLIT_PARTS",
    "Answered",
    "Check",
    "ClassFigures",
    "Comparison",
    "ConfidenceShift",
    "Cost",
    "Coverage",
    "Doubt",
    "Drift",
    "Evaluation",
    "GroupChange",
    "Interval",
    "LabelDoubt",
    "LabelEvidence",
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
    "calibration_change",
    "calibration_error",
    "compare",
    "determining_columns",
    "doubted_labels",
    "evaluate",
    "evaluate_answers",
    "fair_rows",
    "guess_language",
    "join_answers",
    "label_doubt",
    "label_evidence",
    "learning_curve",
    "measure",
    "new_and_retired",
    "paired_checks",
    "reliability",
    "renamed_groups",
    "shadow_checks",
    "share_interval",
    "similar_labels",
    "slice_columns",
    "slice_figures",
    "split_at_random",
    "split_by_column",
    "split_by_time",
    "stability_index",
    "stands_for",
    "template_fingerprints",
    "ticket_keys",
    "tokens_of",
    "watch",
]
