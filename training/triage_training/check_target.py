"""One target of `triage check`: its classes, its doubted labels, its learning curve."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.classify import TriageClassifier
from triage_ml.errors import TriageError
from triage_ml.evaluate import (
    Doubt,
    LabelEvidence,
    LearningCurve,
    Split,
    doubted_labels,
    evaluate,
    label_evidence,
    learning_curve,
    similar_labels,
)
from triage_ml.settings import Settings
from triage_training.readiness import TargetReadiness

__all__ = ["FEW", "check_target"]

#: Tickets below which a class is called rare.
FEW = 30
_FOLDS = 5
_MOST_TO_JUDGE = 30_000
_CURVE = (0.125, 0.25, 0.5, 1.0)
_EXAMPLES = 10
_EXAMPLE_LENGTH = 240


def check_target(
    name: str,
    tickets: pd.DataFrame,
    texts: Sequence[str],
    templates: Sequence[str],
    notes: Sequence[str],
    split: Split | None,
    settings: Settings,
    *,
    cleanlab: bool = False,
) -> TargetReadiness:
    """`templates` and `notes` are masked, `texts` prepared; all of shape (tickets,)."""
    labels = tickets[name]
    labelled = np.flatnonzero(labels.notna().to_numpy())
    classes = {str(label): int(count) for label, count in labels.value_counts().items()}
    rows = np.sort(np.random.default_rng(settings.train.seed).permutation(labelled)[:_MOST_TO_JUDGE])
    evidence = _evidence(name, tickets.iloc[rows], [templates[row] for row in rows], [notes[row] for row in rows])
    doubts = [] if evidence is None else _doubts(evidence, labels.iloc[rows].to_numpy(object), rows, cleanlab)
    return TargetReadiness(
        name,
        len(labelled),
        len(rows),
        classes,
        [label for label, count in classes.items() if count < FEW],
        similar_labels(labels),
        doubts,
        () if evidence is None else evidence.read,
        [texts[doubt.row][:_EXAMPLE_LENGTH] for doubt in doubts[:_EXAMPLES]],
        None if split is None or len(classes) < 2 else _curve(name, tickets, texts, split, settings),
    )


def _evidence(name: str, tickets: pd.DataFrame, templates: Sequence[str], notes: Sequence[str]) -> LabelEvidence | None:
    if len(tickets) < _FOLDS * FEW:
        return None
    try:
        return label_evidence(tickets, name, texts=templates, notes=notes, folds=_FOLDS)
    except ValueError:  # one label only, or the same text over and over: nothing to compare with
        return None


def _doubts(
    evidence: LabelEvidence, labels: NDArray[np.object_], rows: NDArray[np.int64], cleanlab: bool
) -> list[Doubt]:
    found = doubted_labels(evidence.probabilities, evidence.classes, labels, least=0.0 if cleanlab else 0.1)
    if cleanlab:
        chosen = _cleanlab(evidence, labels)
        by_row = {doubt.row: doubt for doubt in found}
        found = [by_row[row] for row in chosen]
    return [Doubt(int(rows[doubt.row]), doubt.label, doubt.suggested, doubt.doubt) for doubt in found]


def _cleanlab(evidence: LabelEvidence, labels: NDArray[np.object_]) -> list[int]:
    """The rows that cleanlab calls issues, by its own ranking of the same probabilities."""
    try:
        from cleanlab.filter import find_label_issues
    except ImportError:
        raise TriageError("cleanlab is not installed.", hint='pip install "triage-ml[hygiene]"') from None
    codes = pd.Index(evidence.classes).get_indexer(pd.Index(labels))
    ranked = find_label_issues(codes, evidence.probabilities, return_indices_ranked_by="normalized_margin")
    return [int(row) for row in ranked]


def _curve(
    name: str, tickets: pd.DataFrame, texts: Sequence[str], split: Split, settings: Settings
) -> LearningCurve | None:
    """Macro-F1 on the later tickets, by models fitted on an eighth, a quarter, half and all of the earlier ones."""
    truth = tickets[[name]].astype(object)
    truth = truth.where(truth.notna(), None)
    order = np.random.default_rng(settings.train.seed).permutation(split.fit)[:_MOST_TO_JUDGE]
    points = {}
    try:
        for share in _CURVE:
            part = order[: max(round(share * len(order)), 2 * FEW)]
            model = TriageClassifier(seed=settings.train.seed).fit([texts[row] for row in part], truth.iloc[part])
            figures = evaluate(model, [texts[row] for row in split.test], truth.iloc[split.test])
            points[len(part)] = figures.targets[name].macro_f1.value
        return learning_curve(name, list(points.items()))
    except (TriageError, KeyError, ValueError):  # too few labelled tickets in a part for a curve
        return None
