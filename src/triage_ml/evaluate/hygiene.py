"""Labels that are probably the same (spelled twice, or renamed), and labels that began or ended within the tickets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import pandas as pd

__all__ = ["SimilarLabels", "new_and_retired", "renamed_groups", "similar_labels"]

_SIMILAR = 0.88
_LONG_WORD = 6
_FEWEST_IN_GROUP = 20
_SAME_WORDS = 0.6


@dataclass(frozen=True)
class SimilarLabels:
    """Two labels that may be one: `kept` has more tickets. `why` is `spelling` or `renamed`."""

    kept: str
    other: str
    kept_tickets: int
    other_tickets: int
    why: str


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

    frame = _dated(groups, opened_at)
    if frame.empty:
        return []
    spans, began, ended, margin = _spans(frame)
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


def new_and_retired(groups: pd.Series, opened_at: pd.Series) -> tuple[list[str], list[str]]:
    """Labels that came up after the first twentieth of the time, and labels that were not seen in its last twentieth.

    Only labels with at least 20 tickets; one that did both is in both lists.
    """
    frame = _dated(groups, opened_at)
    if frame.empty:
        return [], []
    _, began, ended, _ = _spans(frame)
    return sorted(map(str, began.index)), sorted(map(str, ended.index))


def _dated(groups: pd.Series, opened_at: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"group": groups.astype("string").to_numpy(), "at": opened_at.to_numpy()}).dropna()


def _spans(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, Any]:
    """First and last ticket of each group; those that began late and those that ended early; what early and late mean."""
    spans = frame.groupby("group")["at"].agg(["min", "max", "size"])
    spans = spans[spans["size"] >= _FEWEST_IN_GROUP]
    first, last = frame["at"].min(), frame["at"].max()
    margin = (last - first) / 20
    return spans, spans[spans["min"] > first + margin], spans[spans["max"] < last - margin], margin


def _spelled_alike(one: str, other: str) -> bool:
    """Word by word, so that a long name that is shared does not hide the short word that differs (`… ERP`, `… CRM`)."""
    if re.sub(r"[\W_]+", "", one).casefold() == re.sub(r"[\W_]+", "", other).casefold():
        return True
    if re.findall(r"\d+", one) != re.findall(r"\d+", other):
        return False
    words = [re.findall(r"[^\W_]+", name.casefold()) for name in (one, other)]
    if len(words[0]) != len(words[1]):
        return False
    return all(mine == theirs or _slip(mine, theirs) for mine, theirs in zip(*words, strict=True))


def _slip(one: str, other: str) -> bool:
    return min(len(one), len(other)) >= _LONG_WORD and SequenceMatcher(None, one, other).ratio() >= _SIMILAR
