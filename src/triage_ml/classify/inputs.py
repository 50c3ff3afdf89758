"""What a classifier is given, checked: texts, labels and groups, in an order that does not depend on that of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.errors import InputError
from triage_ml.text import prepare, ticket_text

__all__ = ["Labels", "Lessons", "Texts", "lessons", "texts_of"]

#: Texts, or a ticket table.
Texts = Sequence[str] | pd.Series | pd.DataFrame
#: A label table, or the labels of one target.
Labels = pd.DataFrame | pd.Series


@dataclass(frozen=True)
class Lessons:
    """What there is to learn from, sorted by text, part and labels: any order of the rows gives this one.

    `labels` has one column a target. `latest` has shape (texts,), whether a text is one to calibrate on; None for any of them.
    `groups` has shape (texts,): texts with the same number are alike. `stands`, shape (texts,): for how many tickets each stands.
    """

    texts: list[str]
    labels: pd.DataFrame
    latest: NDArray[np.bool_] | None
    groups: NDArray[np.int64]
    stands: NDArray[np.float64]


def texts_of(X: Texts) -> list[str]:
    """The texts; those of a ticket table are its titles and descriptions, cleaned and redacted.

    Raises
    ------
    TypeError
        One string, or something that is no text among the texts.
    """
    if isinstance(X, str):
        raise TypeError("expected a sequence of texts, found one string: put it in a list")
    if isinstance(X, pd.DataFrame):
        if not {"title", "description"} & set(X.columns):
            raise TypeError("expected texts or a ticket table, found a table without title and description")
        return prepare(ticket_text(X))
    texts = list(X)
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"expected texts, found {type(text).__name__} in row {row}: put '' where there is none")
    return texts


def lessons(
    X: Texts,
    y: Labels,
    calibration: tuple[Texts, Labels] | None,
    groups: Sequence[int] | NDArray[np.int64] | None,
    stands: Sequence[float] | NDArray[np.float64] | None,
) -> Lessons:
    """Check and sort; see `TriageClassifier.fit`, whose arguments these are.

    Raises
    ------
    InputError
        Labels that don't belong to these texts, or to one another.
    """
    texts, labels = texts_of(X), _label_table(y)
    _one_for_each("row of labels", labels, texts)
    latest = np.zeros(len(texts), dtype=bool)
    if calibration is not None:
        later, later_labels = texts_of(calibration[0]), _label_table(calibration[1], like=labels)
        _one_for_each("row of calibration labels", later_labels, later)
        texts, labels = texts + later, pd.concat([labels, later_labels])
        latest = np.concatenate([latest, np.ones(len(later), dtype=bool)])
    for name in labels.columns:
        _check_labels(str(name), labels[name])
    written = pd.factorize(np.array(texts, dtype=object), sort=True)[0]
    given = [pd.factorize(labels[name], sort=True)[0] for name in reversed(list(labels.columns))]
    weight = np.ones(len(texts)) if stands is None else np.asarray(stands, dtype=np.float64)
    _one_for_each("weight", weight, texts)
    if not (np.isfinite(weight) & (weight >= 0)).all():
        raise InputError("Expected finite weights of 0 and above, for how many tickets each one stands.")
    order = np.lexsort((weight, *given, latest, written))
    group = written if groups is None else np.asarray(groups)
    _one_for_each("group", group, texts)
    return Lessons(
        [texts[row] for row in order],
        labels.iloc[order].reset_index(drop=True),
        latest[order] if calibration is not None else None,
        pd.factorize(group[order])[0].astype(np.int64),
        weight[order],
    )


def _label_table(y: Labels, like: pd.DataFrame | None = None) -> pd.DataFrame:
    """One column a target, the same ones as in `like`; a Series without a name is called as the only target there."""
    if not isinstance(y, pd.DataFrame | pd.Series):
        raise TypeError(
            f"expected a table of labels with a column for each target, or a Series, found {type(y).__name__}"
        )
    if isinstance(y, pd.Series):
        only = like.columns[0] if like is not None and len(like.columns) == 1 else "target"
        y = y.to_frame(only if y.name is None else y.name)
    if not len(y.columns) or not y.columns.is_unique:
        raise InputError(
            f"Labels: expected a column for each target, each once, found {[str(name) for name in y.columns]}."
        )
    if like is None:
        return y
    if set(y.columns) != set(like.columns):
        expected, found = ([str(name) for name in table.columns] for table in (like, y))
        raise InputError(f"Labels to calibrate on: expected the targets {expected}, found {found}.")
    return y[like.columns]


def _one_for_each(what: str, given: Any, texts: list[str]) -> None:
    if len(given) != len(texts):
        raise InputError(f"Expected a {what} for each of {len(texts)} texts, found {len(given)}.")


def _check_labels(target: str, labels: pd.Series) -> None:
    """Labels are text that can be written to a file."""
    for label in labels.dropna().unique():
        if not isinstance(label, str):
            raise InputError(
                f"Target {target!r}: expected labels as text, found {type(label).__name__}.",
                hint="Turn them into text before fitting, for example with astype(str).",
            )
        try:
            label.encode()
        except UnicodeEncodeError:
            raise InputError(
                f"Target {target!r}: the label {label!a} holds half of a surrogate pair, which no file can hold.",
                hint="The export was cut or decoded wrongly there: mend the label.",
            ) from None
