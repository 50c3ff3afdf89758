"""Labels that are probably wrong, and labels that are probably the same.

Wrong labels are ranked by confident learning (Northcutt et al. 2021, "Confident Learning: Estimating Uncertainty in Dataset
Labels"): with probabilities from a model that did not see the ticket, each class gets the mean probability that its own
tickets have as its threshold; a ticket that reaches the threshold of another class, and not by a hair, is doubted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["Doubt", "SimilarLabels", "doubted_labels", "renamed_groups", "similar_labels"]

_SIMILAR = 0.88
_NEVER = -np.inf
_FEWEST_IN_GROUP = 20
_SAME_WORDS = 0.6


@dataclass(frozen=True)
class Doubt:
    """A ticket (row number) whose label is probably wrong; the larger the margin, the surer."""

    row: int
    label: str
    suggested: str
    margin: float


@dataclass(frozen=True)
class SimilarLabels:
    """Two labels that may be one: `kept` has more tickets. `why` is `spelling` or `renamed`."""

    kept: str
    other: str
    kept_tickets: int
    other_tickets: int
    why: str


def doubted_labels(
    probabilities: NDArray[np.float32], classes: Sequence[str], labels: NDArray[np.object_]
) -> list[Doubt]:
    """Tickets whose label is probably wrong, surest first.

    Parameters
    ----------
    probabilities
        Shape (tickets, K), each row from a model that was not fitted on the ticket.
    labels
        Shape (tickets,); a label that is not among `classes` is not judged.
    """
    column = pd.Index(classes).get_indexer(pd.Index(labels))
    judged = np.flatnonzero(column >= 0)
    given, rows = column[judged], probabilities[judged]
    own = rows[np.arange(len(rows)), given]
    counts = np.bincount(given, minlength=len(classes))
    thresholds = np.bincount(given, own, minlength=len(classes)) / np.maximum(counts, 1)
    thresholds[counts == 0] = 1.0
    reached = np.where(rows >= thresholds, rows, _NEVER)
    reached[np.arange(len(rows)), given] = _NEVER
    best = reached.argmax(axis=1)
    margin = reached[np.arange(len(rows)), best] - own
    doubted = np.flatnonzero(margin > 0)
    order = doubted[np.argsort(-margin[doubted], kind="stable")]
    return [Doubt(int(judged[i]), classes[given[i]], classes[best[i]], float(margin[i])) for i in order]


def similar_labels(labels: pd.Series) -> list[SimilarLabels]:
    """Labels that differ in case, spaces, punctuation, or a letter or two; digits must agree (`Team 1`, `Team 2`)."""
    counts = labels.dropna().astype(str).value_counts()
    names = sorted(counts.index, key=lambda name: (-counts[name], name))
    found = []
    for place, kept in enumerate(names):
        for other in names[place + 1 :]:
            if _spelled_alike(kept, other):
                found.append(SimilarLabels(kept, other, int(counts[kept]), int(counts[other]), "spelling"))
    return found


def renamed_groups(groups: pd.Series, opened_at: pd.Series, texts: Sequence[str]) -> list[SimilarLabels]:
    """Groups that ended while another, with the same kind of text, began: probably one group with a new name.

    `kept` is the new name. Works on the words of the texts alone, so two groups that share their work are told as well.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    frame = pd.DataFrame({"group": groups.astype("string").to_numpy(), "at": opened_at.to_numpy()}).dropna()
    if frame.empty:
        return []
    spans = frame.groupby("group")["at"].agg(["min", "max", "size"])
    spans = spans[spans["size"] >= _FEWEST_IN_GROUP]
    first, last = frame["at"].min(), frame["at"].max()
    margin = (last - first) / 20
    ended = spans[spans["max"] < last - margin]
    began = spans[spans["min"] > first + margin]
    if ended.empty or began.empty:
        return []
    names = sorted({*ended.index, *began.index})
    documents = [" ".join(texts[row] for row in frame.index[frame["group"] == name][:500]) for name in names]
    vectors = TfidfVectorizer(sublinear_tf=True, max_features=50_000).fit_transform(documents)
    alike = pd.DataFrame((vectors @ vectors.T).toarray(), index=names, columns=names)
    sizes = {str(name): int(size) for name, size in zip(spans.index, spans["size"].tolist(), strict=True)}
    found = []
    for old in ended.index:
        later = [name for name in began.index if name != old and spans.at[name, "min"] > spans.at[old, "max"] - margin]
        if later and alike.loc[old, later].max() >= _SAME_WORDS:
            new = str(alike.loc[old, later].idxmax())
            found.append(SimilarLabels(new, old, sizes[new], sizes[old], "renamed"))
    return found


def _spelled_alike(one: str, other: str) -> bool:
    plain = [re.sub(r"[\W_]+", "", name).casefold() for name in (one, other)]
    if plain[0] == plain[1]:
        return True
    if re.findall(r"\d+", one) != re.findall(r"\d+", other) or min(map(len, plain)) < 6:
        return False
    return SequenceMatcher(None, plain[0], plain[1]).ratio() >= _SIMILAR
