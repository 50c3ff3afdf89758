"""What a ticket's label should be, judged by everything that is known of it once it is closed.

A classifier may read only what is known when a ticket is filed. Whoever asks whether a label is *right* may read more: how the
ticket was closed and who closed it tell apart what its first words leave open (a symptom in the words of another kind, a
second problem). So labels are judged from the text, the close notes and the other columns, cross-validated: each ticket by a
model that was fitted on other templates.

A column that determines the label (the group that gives the tier, the subcategory under a category) is left out: it repeats
the label, whether that is right or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from triage_ml.classify import fit_temperature, softmax

__all__ = ["LabelEvidence", "determining_columns", "label_evidence"]

_COLUMNS = (
    *("tier", "category", "subcategory", "assignment_group", "ticket_type", "activity"),
    *("priority", "channel", "configuration_item"),
)
_DETERMINES = 0.9
_FEWEST_OF_VALUE = 5
_COLUMN_WEIGHT = 0.4
_PENALTY = 0.2
_TOLERANCE = 1e-2
_MOST_TERMS = 200_000


@dataclass(frozen=True)
class LabelEvidence:
    """`probabilities`, shape (tickets, K), of `classes`, each row from a model that did not see the ticket.

    `read` names what was read beside the text.
    """

    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]
    read: tuple[str, ...]


def label_evidence(
    tickets: pd.DataFrame,
    target: str,
    *,
    texts: Sequence[str],
    notes: Sequence[str] = (),
    folds: int = 5,
    seed: int = 0,
) -> LabelEvidence:
    """Probabilities of every label of `target`, cross-validated.

    Parameters
    ----------
    tickets
        Rows that all have a label of `target`; other columns are read where they are there.
    texts
        Masked texts, shape (tickets,). Tickets with the same one share a fold.
    notes
        Masked close notes, shape (tickets,); empty where there are none.

    Raises
    ------
    ValueError
        The target has fewer than two labels, or there are fewer templates than folds.
    """
    labels = tickets[target].astype(str).to_numpy(dtype=object)
    classes, truth = np.unique(labels, return_inverse=True)
    template = pd.factorize(np.array(texts, dtype=object))[0]
    if len(classes) < 2 or template.max(initial=0) + 1 < folds:
        raise ValueError(f"{target}: {len(classes)} labels and {template.max(initial=-1) + 1} templates are too few")
    repeating = determining_columns(tickets, target)
    columns = [name for name in _COLUMNS if name in tickets and name != target and name not in repeating]
    vectors, read = _vectors(tickets, texts, notes, columns)
    fold = np.random.default_rng(seed).integers(0, folds, template.max() + 1)[template]
    margins = _cross_fitted(vectors, truth, len(classes), fold, seed)
    probabilities = softmax(margins, fit_temperature(margins, truth))
    return LabelEvidence(tuple(map(str, classes)), probabilities, read)


def determining_columns(tickets: pd.DataFrame, target: str) -> list[str]:
    """Label columns whose value all but gives the target's label (in 90 % of tickets), as a group gives its tier."""
    labels = tickets[target].astype("string").to_numpy(dtype=object)
    return [name for name in _COLUMNS if name in tickets and name != target and _determines(tickets[name], labels)]


def _vectors(
    tickets: pd.DataFrame, texts: Sequence[str], notes: Sequence[str], columns: Sequence[str]
) -> tuple[sparse.csr_matrix, tuple[str, ...]]:
    """Words and pairs of the text and, apart from them, of the notes; a column for each value of the other columns."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import OneHotEncoder

    parts, read = [], []
    for name, words in (("text", texts), ("resolution", notes)):
        if any(words):
            terms = TfidfVectorizer(
                ngram_range=(1, 2), min_df=2, sublinear_tf=True, max_features=_MOST_TERMS, dtype=np.float32
            )
            parts.append(terms.fit_transform(words))
            read.append(name)
    if columns:
        values = tickets[list(columns)].astype("string").fillna("").to_numpy(dtype=object)
        encoder = OneHotEncoder(min_frequency=_FEWEST_OF_VALUE, handle_unknown="infrequent_if_exist", dtype=np.float32)
        parts.append(_COLUMN_WEIGHT * encoder.fit_transform(values))
    return sparse.hstack(parts, format="csr"), (*read[1:], *columns)


def _cross_fitted(
    vectors: sparse.csr_matrix, truth: NDArray[Any], classes: int, fold: NDArray[np.int64], seed: int
) -> NDArray[np.float32]:
    """Margins by machines that were fitted on the other folds; a class that they never saw gets the lowest margin."""
    from sklearn.svm import LinearSVC

    margins = np.zeros((len(truth), classes), dtype=np.float32)
    for number in np.unique(fold):
        fit, ask = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        known = np.unique(truth[fit])
        if len(known) < 2:
            continue
        machine = LinearSVC(C=_PENALTY, tol=_TOLERANCE, random_state=seed).fit(vectors[fit], truth[fit])
        found = machine.decision_function(vectors[ask])
        found = np.stack([-found, found], axis=1) if found.ndim == 1 else found
        margins[ask] = found.min(axis=1, keepdims=True)
        margins[np.ix_(ask, known)] = found
    return margins


def _determines(values: pd.Series, labels: NDArray[np.object_]) -> bool:
    """Whether a value nearly always comes with one label; values that are as rare as tickets don't count."""
    frame = pd.DataFrame({"value": values.astype("string").to_numpy(dtype=object), "label": labels}).dropna()
    counts = frame.groupby(["value", "label"]).size()
    by_value = counts.groupby("value")
    sizes, largest = by_value.sum(), by_value.max()
    common = sizes >= _FEWEST_OF_VALUE
    return bool(common.any() and largest[common].sum() / sizes[common].sum() >= _DETERMINES)
