"""The learning curve of a trained model: the same test tickets, asked of models that were fitted on fewer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.base import clone

from triage_ml.errors import TriageError
from triage_ml.evaluate import LearningCurve, evaluate, learning_curve
from triage_training.train import Trained

__all__ = ["training_curves"]

_SHARES = (0.125, 0.25, 0.5)
#: Of this many tickets at most: what a hundred thousand more would bring, a few thousand tell as well.
_MOST = 16_000
_FEWEST = 60

Step = Callable[[str], None]


def training_curves(trained: Trained, *, seed: int = 0, step: Step = lambda _: None) -> dict[str, LearningCurve]:
    """Macro-F1 by tickets fitted on, for each target that a few of the tickets suffice to fit; the last point is the model's."""
    part, test = trained.fit, trained.test
    order = np.random.default_rng(seed).permutation(len(part.texts))
    sizes = sorted({round(share * min(len(order), _MOST)) for share in _SHARES})
    points: dict[str, list[tuple[int, float]]] = {name: [] for name in trained.evaluation.targets}
    for size in sizes:
        if size < _FEWEST:
            continue
        step(f"learning curve: fitting on {size:,} tickets")
        rows = order[:size]
        try:
            fewer = clone(trained.classifier).fit([part.texts[row] for row in rows], part.labels.iloc[rows])
            figures = evaluate(fewer, test.texts, test.labels, stands_for=test.stands_for)
        except TriageError:  # a target with too few labels in so few tickets
            continue
        for name, target in figures.targets.items():
            points[name].append((size, target.macro_f1.value))
    for name, target in trained.evaluation.targets.items():
        points[name].append((len(order), target.macro_f1.value))
    return {name: learning_curve(name, found) for name, found in points.items() if len(found) > 1}
