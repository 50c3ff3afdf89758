"""One linear head a target, on the vectors that all targets share.

A head is a one-against-the-rest linear support vector machine (squared hinge loss, L2 penalty). On sparse text it is as
accurate as logistic regression and five to forty times faster to fit; its margins become probabilities in `calibrate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from triage_ml.classify.calibrate import fit_temperature, log_loss
from triage_ml.errors import NotEnoughDataError

__all__ = ["LinearHead", "choose_penalty", "fit_head"]

#: Stopping a hundred times earlier than scikit-learn does by default changed no accuracy and halves the time.
_TOLERANCE = 1e-2

_PENALTIES = (0.1, 0.3, 1.0, 3.0)
_SAMPLE = 8000


@dataclass(frozen=True)
class LinearHead:
    """Weights of one target.

    Attributes
    ----------
    classes
        The labels, sorted; K of them.
    weights
        Shape (columns, K), float32, C order: a sparse row times this reads whole rows, which is what makes one ticket fast.
    intercept
        Shape (K,), float32.
    """

    classes: tuple[str, ...]
    weights: NDArray[np.float32]
    intercept: NDArray[np.float32]

    def margins(self, vectors: sparse.csr_matrix) -> NDArray[np.float32]:
        """How far each text is on each class's side, shape (texts, K), float32."""
        scores: NDArray[np.float32] = vectors @ self.weights
        return scores + self.intercept


def fit_head(target: str, vectors: sparse.csr_matrix, labels: NDArray[Any], *, penalty: float, seed: int) -> LinearHead:
    """Fit the head of `target` on labelled texts.

    Parameters
    ----------
    vectors, labels
        Shapes (texts, columns) and (texts,); labels are strings, none missing.
    penalty
        `C` of the support vector machine: higher follows the training labels more closely.
    """
    from sklearn.svm import LinearSVC

    classes = tuple(sorted(set(labels.tolist())))
    if len(classes) < 2:
        found = f"only {classes[0]!r}" if classes else "none"
        raise NotEnoughDataError(
            f"Target {target!r}: at least two classes are needed to learn from, found {found}.",
            hint="Leave the target out with --targets, or train on more tickets.",
        )
    machine = LinearSVC(C=penalty, tol=_TOLERANCE, random_state=seed).fit(vectors, labels)
    weights, intercept = machine.coef_, machine.intercept_
    if len(classes) == 2:  # liblinear fits one plane for two classes; both sides of it are our two columns
        weights, intercept = np.vstack([-weights, weights]) / 2, np.concatenate([-intercept, intercept]) / 2
    return LinearHead(classes, np.ascontiguousarray(weights.T, dtype=np.float32), intercept.astype(np.float32))


def choose_penalty(target: str, vectors: sparse.csr_matrix, labels: NDArray[Any], *, seed: int) -> float:
    """The penalty with the least log loss on a quarter of (at most 8,000 of) the training tickets.

    Clean labels and short texts want a high one, noisy labels a low one: no single value is right for both.
    """
    order = np.random.default_rng(seed).permutation(len(labels))[:_SAMPLE]
    cut = len(order) * 3 // 4
    fit, ask = order[:cut], order[cut:]
    known = np.isin(labels[ask], np.unique(labels[fit]))
    ask = ask[known]
    if len(np.unique(labels[fit])) < 2 or not len(ask):
        return _PENALTIES[1]
    losses = []
    for penalty in _PENALTIES:
        head = fit_head(target, vectors[fit], labels[fit], penalty=penalty, seed=seed)
        margins, truth = head.margins(vectors[ask]), np.searchsorted(head.classes, labels[ask])
        losses.append(log_loss(margins, truth, fit_temperature(margins, truth)))
    return _PENALTIES[int(np.argmin(losses))]
