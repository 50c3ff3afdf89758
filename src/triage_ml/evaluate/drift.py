"""What changed since training, week by week, and whether somebody has to do something.

Five signals, each against the weeks that came before it, so that a desk's own ups and downs are the yardstick:

words
    Share of tickets that hold a word which rises or falls far beyond its usual weeks: kinds that appear, fade or burst.
classes
    Population stability index of the answers (Siddiqi 2006): below 0.1 nothing, above 0.25 much.
confidence
    Mean stated probability, in standard deviations of the reference weeks.
precision
    Right answers among those decided `auto`, where outcomes are known, with a Wilson interval against the promise.
labels
    Labels that were never seen in the reference, or are seen no more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import nbinom, poisson
from sklearn.feature_extraction.text import CountVectorizer

from triage_ml.evaluate.metrics import Interval
from triage_ml.evaluate.slices import share_interval

__all__ = ["Drift", "Verdict", "WeekDrift", "WordChange", "stability_index", "watch"]

Verdict = Literal["nothing to do", "look", "retrain"]

_PSI_LOOK, _PSI_RETRAIN = 0.1, 0.25
_CONFIDENCE_LOOK = 4.0
_LEAST_WORD_TICKETS = 8
_WORD_ERROR = 0.01
_LEAST_RATIO = 2.0
_FEWEST_OUTCOMES = 50
_FEWEST_LABELLED = 3
_MOST_WORDS = 60_000
_WORD = re.compile(r"[^\W\d_]{3,}")
_RECENT_WEEKS = 3
_FEWEST_GONE = 30
_UNSEEN_RETRAIN = 0.10
_ORDER: tuple[Verdict, ...] = ("nothing to do", "look", "retrain")


@dataclass(frozen=True)
class WordChange:
    """A word whose tickets in a week are far from the usual: found, expected at its usual share, and how unlikely."""

    word: str
    tickets: int
    expected: float
    p_value: float

    @property
    def rises(self) -> bool:
        """More than usual, not fewer."""
        return self.tickets > self.expected


@dataclass(frozen=True)
class WeekDrift:
    """One week. `psi` by target, `confidence` in standard deviations, `precision` where outcomes are known."""

    week: str
    tickets: int
    words: list[WordChange]
    new_words: float
    psi: dict[str, float]
    confidence: dict[str, float]
    precision: dict[str, Interval]
    new_labels: dict[str, list[str]]
    gone_labels: dict[str, list[str]]
    verdict: Verdict = "nothing to do"
    reasons: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Drift:
    """All watched weeks, and the verdict of the last."""

    weeks: list[WeekDrift]

    @property
    def verdict(self) -> Verdict:
        """What to do now."""
        return self.weeks[-1].verdict if self.weeks else "nothing to do"

    @property
    def reasons(self) -> list[str]:
        """Why."""
        return self.weeks[-1].reasons if self.weeks else []


def watch(
    answers: pd.DataFrame,
    texts: Sequence[str],
    *,
    targets: Sequence[str],
    reference: NDArray[np.bool_],
    promise: float = 0.90,
    labels: Sequence[str] = (),
) -> Drift:
    """Watch every week that is not part of the reference.

    Parameters
    ----------
    answers
        One row a ticket with `week` (sortable, such as `2026-W47`), and for each target `{target}`,
        `{target}_probability`, `{target}_auto`, and `{target}_truth` (missing where the outcome is not known).
    texts
        Masked texts, shape (tickets,); empty where the store keeps none, and then words are not watched.
    reference
        Which tickets are the past to compare with, shape (tickets,): whole weeks.
    labels
        Label columns of `answers` to watch for new and vanished values, such as `assignment_group`.
    """
    weeks = answers["week"].to_numpy(dtype=object)
    usual = _Words(_tokens(answers, texts, labels), weeks, reference)
    past = answers[reference]
    found = []
    seen = reference.copy()
    for week in sorted(set(weeks[~reference])):
        rows = answers[weeks == week]
        one = WeekDrift(
            str(week),
            len(rows),
            usual.changes(week),
            usual.new_share(week),
            {name: stability_index(past[name], rows[name]) for name in targets},
            {name: _confidence(past, rows, f"{name}_probability") for name in targets},
            _precision(rows, targets),
            {name: new for name in labels if (new := _only_in(rows[name], answers.loc[seen, name]))},
            {name: gone for name in labels if (gone := _gone(answers[seen], rows, name))},
        )
        found.append(_judged(one, promise))
        usual.learn(week)
        seen |= weeks == week
    return Drift(found)


def stability_index(past: pd.Series, now: pd.Series) -> float:
    """Population stability index of two sets of labels: sum of (q - p) ln(q / p) over their shares, half a ticket added.

    What chance alone adds for so few tickets, (classes - 1) (1/n + 1/m), is taken off (Yurdakul 2018); never below 0.
    """
    names = sorted({*past.dropna().unique(), *now.dropna().unique()})
    counts = np.array(
        [past.value_counts().reindex(names, fill_value=0), now.value_counts().reindex(names, fill_value=0)]
    )
    totals = counts.sum(axis=1, keepdims=True)
    if not totals.all():
        return 0.0
    p, q = (counts + 0.5) / (totals + 0.5 * len(names))
    chance = (len(names) - 1) * float((1 / totals).sum())
    return max(0.0, float(((q - p) * np.log(q / p)).sum()) - chance)


class _Words:
    """How many tickets hold each word, by week; a watched week becomes part of the past once it was judged."""

    def __init__(self, tokens: Sequence[list[str]], weeks: NDArray[Any], reference: NDArray[np.bool_]) -> None:
        self._weeks = sorted(set(weeks))
        self._past = [week for week in self._weeks if reference[weeks == week].all()]
        place = {week: number for number, week in enumerate(self._weeks)}
        rows = np.array([place[week] for week in weeks])
        self._totals = np.bincount(rows, minlength=len(place)).astype(float)
        self._names: NDArray[Any] = np.array([], dtype=object)
        self._counts = np.zeros((len(place), 0))
        if any(tokens):
            vectorizer = CountVectorizer(binary=True, min_df=5, max_features=_MOST_WORDS, analyzer=list)
            held = vectorizer.fit_transform(tokens)
            by_week = sparse.csr_matrix(
                (np.ones(len(rows)), (rows, np.arange(len(rows)))), shape=(len(place), len(rows))
            )
            self._counts = np.asarray((by_week @ held).todense())
            self._names = vectorizer.get_feature_names_out()
        self._place = place

    def learn(self, week: str) -> None:
        self._past.append(week)

    def new_share(self, week: str) -> float:
        """Share of the week's word holdings that are of words the past never had."""
        row = self._counts[self._place[week]]
        if not row.sum():
            return 0.0
        unseen = self._counts[[self._place[one] for one in self._past]].sum(axis=0) == 0
        return float(row[unseen].sum() / row.sum())

    def changes(self, week: str) -> list[WordChange]:
        """Words far from their usual, least likely first: a negative binomial with the word's own spread over weeks.

        Each word is tested at an error of 0.01 over all words together (Bonferroni).
        """
        if not len(self._names) or len(self._past) < 2:
            return []
        past = self._counts[[self._place[one] for one in self._past]]
        totals = self._totals[[self._place[one] for one in self._past]]
        now, total = self._counts[self._place[week]], self._totals[self._place[week]]
        expected = past.sum(axis=0) / totals.sum() * total
        p_values = _tails(now, expected, _spread(past, totals))
        floor = np.maximum(expected, 0.5)
        large = np.maximum(now, expected) >= _LEAST_WORD_TICKETS
        far = np.maximum(now, 0.5) / floor
        chosen = large & ((far >= _LEAST_RATIO) | (far <= 1 / _LEAST_RATIO)) & (p_values * len(now) < _WORD_ERROR)
        order = np.flatnonzero(chosen)[np.argsort(p_values[chosen], kind="stable")]
        return [WordChange(str(self._names[i]), int(now[i]), float(expected[i]), float(p_values[i])) for i in order]


def _spread(past: NDArray[np.float64], totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Variance over mean beyond Poisson, per word, drawn towards that of all words: a few weeks say little by themselves.

    Returned as k, the negative binomial's extra variance in units of the squared mean.
    """
    rate = past.sum(axis=0) / totals.sum()
    means = np.outer(totals, rate)
    excess = ((past - means) ** 2 - means).sum(axis=0)
    scale = (means**2).sum(axis=0)
    overall = max(float(excess.sum() / max(scale.sum(), 1e-9)), 0.0)
    weeks = len(totals)
    own = np.clip(excess / np.maximum(scale, 1e-9), 0.0, 25.0)
    return np.asarray((weeks * own + 4 * overall) / (weeks + 4) + 0.01)


def _tails(now: NDArray[np.float64], expected: NDArray[np.float64], spread: NDArray[np.float64]) -> NDArray[np.float64]:
    """Two-sided p-values of the counts."""
    mean = np.maximum(expected, 0.3)
    size = 1 / spread
    chance = size / (size + mean)
    above = np.where(spread > 1e-6, nbinom.sf(now - 1, size, chance), poisson.sf(now - 1, mean))
    below = np.where(spread > 1e-6, nbinom.cdf(now, size, chance), poisson.cdf(now, mean))
    return np.asarray(np.minimum(1.0, 2 * np.minimum(above, below)))


def _confidence(past: pd.DataFrame, rows: pd.DataFrame, column: str) -> float:
    weekly = past.groupby("week")[column].mean()
    usual = max(
        float(weekly.std(ddof=1)) if len(weekly) > 1 else 0.0, float(past[column].std()) / np.sqrt(max(len(rows), 1))
    )
    return float((rows[column].mean() - weekly.mean()) / max(usual, 1e-6))


def _precision(rows: pd.DataFrame, targets: Sequence[str]) -> dict[str, Interval]:
    found = {}
    for name in targets:
        if f"{name}_truth" in rows:
            known = rows[rows[f"{name}_truth"].notna() & rows[f"{name}_auto"].astype(bool)]
            if len(known) >= _FEWEST_OUTCOMES:
                right = int((known[name] == known[f"{name}_truth"]).sum())
                found[name] = share_interval(right, len(known))
    return found


def _only_in(here: pd.Series, there: pd.Series) -> list[str]:
    """Labels of `here`, of three tickets at least so that a slip is no news, that `there` has not."""
    counts = here.dropna().value_counts()
    known = set(there.dropna())
    return sorted(str(name) for name, count in counts.items() if count >= _FEWEST_LABELLED and name not in known)


def _gone(past: pd.DataFrame, rows: pd.DataFrame, name: str) -> list[str]:
    """Labels that each of the last weeks had, and this one has not at all."""
    recent = sorted(past["week"].unique())[-_RECENT_WEEKS:]
    counts = past[past["week"].isin(recent)].groupby([name, "week"], observed=True).size().unstack(fill_value=0)
    usual = counts.index[(counts > 0).all(axis=1) & (counts.sum(axis=1) >= _FEWEST_GONE)]
    return sorted(str(label) for label in usual if label not in set(rows[name].dropna()))


def _tokens(answers: pd.DataFrame, texts: Sequence[str], labels: Sequence[str]) -> list[list[str]]:
    """What is counted of each ticket: its words, pairs of words, labels, and labels with the tier that solved them.

    A label with its tier is what an automation changes: the tickets go on arriving and are closed as another tier.
    """
    columns = {name: answers[name].astype("string").fillna("").tolist() for name in labels}
    tiers = answers["tier_truth"].astype("string").fillna("").tolist() if "tier_truth" in answers else None
    found = []
    for row, text in enumerate(texts or [""] * len(answers)):
        words = _WORD.findall(text.lower())
        tokens = [*words, *(f"{one} {two}" for one, two in pairwise(words))]
        for name, values in columns.items():
            if values[row]:
                tokens.append(f"{name}: {values[row]}")
                if tiers is not None and tiers[row]:
                    tokens.append(f"{name}: {values[row]}, closed as {tiers[row]}")
        found.append(tokens)
    return found


def _judged(one: WeekDrift, promise: float) -> WeekDrift:
    said = [*_on_words(one), *_on_classes(one), *_on_precision(one, promise), *_on_labels(one)]
    verdict = max((level for level, _ in said), key=_ORDER.index, default="nothing to do")
    reasons = [reason for level, reason in sorted(said, key=lambda row: -_ORDER.index(row[0]))]
    return WeekDrift(**{**vars(one), "verdict": verdict, "reasons": reasons})


def _on_words(one: WeekDrift) -> list[tuple[Verdict, str]]:
    said: list[tuple[Verdict, str]] = []
    for rises, what in ((True, "more"), (False, "fewer")):
        words = [change for change in one.words if change.rises is rises]
        if words:
            first = ", ".join(f"{each.word} ({each.tickets} for {each.expected:.0f})" for each in words[:5])
            said.append(("look", f"{len(words)} words in far {what} tickets than usual: {first}"))
    if one.new_words > _UNSEEN_RETRAIN:
        said.append(("retrain", f"{one.new_words:.0%} of words were never seen before"))
    return said


def _on_classes(one: WeekDrift) -> list[tuple[Verdict, str]]:
    said: list[tuple[Verdict, str]] = []
    for name, index in one.psi.items():
        if index > _PSI_LOOK:
            level: Verdict = "retrain" if index > _PSI_RETRAIN else "look"
            said.append((level, f"{name}: class shares moved, stability index {index:.2f}"))
    for name, deviations in one.confidence.items():
        if abs(deviations) > _CONFIDENCE_LOOK:
            said.append(("look", f"{name}: mean probability is {deviations:+.1f} standard deviations from usual"))
    return said


def _on_precision(one: WeekDrift, promise: float) -> list[tuple[Verdict, str]]:
    return [
        (
            "retrain",
            f"{name}: {share.value:.1%} right of what was decided auto, at most {share.high:.1%}; promised {promise:.0%}",
        )
        for name, share in one.precision.items()
        if share.high < promise
    ]


def _on_labels(one: WeekDrift) -> list[tuple[Verdict, str]]:
    def told(labels: Mapping[str, Sequence[str]], what: str) -> list[tuple[Verdict, str]]:
        return [("look", f"{name} {what}: {', '.join(values[:5])}") for name, values in labels.items()]

    return [*told(one.new_labels, "never seen before"), *told(one.gone_labels, "seen no more")]
