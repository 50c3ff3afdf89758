"""`TriageClassifier`: fit on tickets and their labels, answer with calibrated probabilities and decisions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from triage_ml.classify.calibrate import fit_temperature, softmax
from triage_ml.classify.decide import Action, Policy, choose_policy
from triage_ml.classify.explain import Explainer, Term
from triage_ml.classify.heads import LinearHead, choose_penalty, fit_head
from triage_ml.errors import NotEnoughDataError
from triage_ml.features import LexicalFeatures, Occurrences

__all__ = ["TargetAnswers", "TriageClassifier"]

_FEWEST_TICKETS = 30
_FOLDS = 5
_ENOUGH_TO_CALIBRATE = 5000
_WORTH_PROCESSES = 5000
_REPORTED_PROMISES = (0.90, 0.95)


@dataclass(frozen=True)
class _Target:
    """What is learnt of one target."""

    head: LinearHead
    penalty: float
    temperature: float
    policies: tuple[Policy, ...]

    @property
    def policy(self) -> Policy:
        """The one in force; the others are for reports."""
        return self.policies[0]


@dataclass(frozen=True)
class TargetAnswers:
    """The answers of one target for a batch of texts.

    Attributes
    ----------
    classes
        The labels, K of them.
    probabilities
        Shape (texts, K).
    chosen
        Shape (texts,), index of the most likely class.
    decisions
        One (action, reason) a text.
    threshold
        Least probability for `auto`; above 1 where nothing is ever `auto`.
    """

    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]
    chosen: NDArray[np.int64]
    decisions: list[tuple[Action, str]]
    threshold: float


class TriageClassifier(BaseEstimator):  # type: ignore[misc]
    """Learns any set of targets from ticket text, all on one shared representation.

    Parameters
    ----------
    features
        The representation; by default `LexicalFeatures()`.
    penalty
        `C` of the linear heads; by default each target's is chosen on a part of its training tickets.
    precision
        The promise: the share of right answers among those decided `auto`.
    fewest_words
        A text with fewer words is answered `human`, reason `text_too_short`.
    familiar_from
        A text in which a smaller share of words was ever seen in training is answered `human`, reason `unfamiliar_text`.
    seed
        Of everything random.

    Attributes
    ----------
    classes_ : dict of str to tuple of str
        The labels of each target.

    Examples
    --------
    >>> import pandas as pd
    >>> text = pd.Series(["cannot log in, password expired", "printer on floor 3 is jammed"] * 40)
    >>> labels = pd.DataFrame({"category": ["Access", "Printing"] * 40})
    >>> model = TriageClassifier().fit(text, labels)
    >>> model.predict(["password expired again"])["category"].tolist()
    ['Access']
    """

    def __init__(
        self,
        features: LexicalFeatures | None = None,
        penalty: float | None = None,
        precision: float = 0.90,
        fewest_words: int = 2,
        familiar_from: float = 0.3,
        seed: int = 0,
    ) -> None:
        self.features = features
        self.penalty = penalty
        self.precision = precision
        self.fewest_words = fewest_words
        self.familiar_from = familiar_from
        self.seed = seed

    def fit(
        self,
        X: Sequence[str] | pd.Series,
        y: pd.DataFrame | pd.Series,
        calibration: tuple[Sequence[str] | pd.Series, pd.DataFrame | pd.Series] | None = None,
    ) -> Self:
        """Fit on texts and labels.

        Parameters
        ----------
        X
            Texts, as `triage_ml.text` cleans them.
        y
            One column a target; a missing label leaves the ticket out of that target.
        calibration
            Later texts and labels, for temperatures and thresholds. Without them both are cross-fitted on X.
        """
        texts, labels = _texts(X), _labels(y)
        self.features_ = (self.features or LexicalFeatures()).fit(texts)
        vectors = self.features_.transform(texts)
        held_out = None
        if calibration is not None:
            held_out = (self.features_.transform(_texts(calibration[0])), _labels(calibration[1]))
        # Processes, not threads: liblinear draws from one random generator a process, and the same seed must give the same.
        heads = Parallel(n_jobs=-1 if len(texts) >= _WORTH_PROCESSES else 1)(
            delayed(self._fit_target)(name, vectors, labels[name], held_out) for name in labels.columns
        )
        self._targets: dict[str, _Target] = dict(zip(labels.columns, heads, strict=True))
        self._describe()
        return self

    def predict(self, X: Sequence[str] | pd.Series) -> pd.DataFrame:
        """The most likely label of each target, shape (texts, targets)."""
        answers = self.answers(self.vectors(X)[0])
        return pd.DataFrame({name: np.asarray(a.classes, dtype=object)[a.chosen] for name, a in answers.items()})

    def predict_proba(self, X: Sequence[str] | pd.Series) -> dict[str, pd.DataFrame]:
        """Calibrated probabilities of each target, shape (texts, classes) each."""
        answers = self.answers(self.vectors(X)[0])
        return {name: pd.DataFrame(a.probabilities, columns=list(a.classes)) for name, a in answers.items()}

    def decide(self, X: Sequence[str] | pd.Series) -> pd.DataFrame:
        """For each target `{target}`, `{target}_probability`, `{target}_action`, `{target}_reason`."""
        vectors, occurrences = self.vectors(X)
        columns: dict[str, Any] = {}
        for name, answers in self.answers(vectors, occurrences).items():
            columns[name] = np.asarray(answers.classes, dtype=object)[answers.chosen]
            columns[f"{name}_probability"] = answers.probabilities.max(axis=1)
            columns[f"{name}_action"] = [action for action, _ in answers.decisions]
            columns[f"{name}_reason"] = [reason for _, reason in answers.decisions]
        return pd.DataFrame(columns)

    def explain(self, X: Sequence[str] | pd.Series, target: str, *, most: int | None = 5) -> list[list[Term]]:
        """The words and phrases behind each text's most likely class; with `most=None` all of them, either sign.

        The weights of all terms plus `intercept(target, label)` sum to the margin of the class.
        """
        texts = _texts(X)
        vectors, occurrences = self.vectors(texts)
        chosen = self.answers(vectors)[target].chosen
        return Explainer(texts, occurrences).terms(self._targets[target].head.weights, chosen, most=most)

    def vectors(self, X: Sequence[str] | pd.Series) -> tuple[sparse.csr_matrix, Occurrences]:
        """The shared representation of a batch, for `answers`."""
        check_is_fitted(self, "features_")
        return self.features_.transform_with_occurrences(_texts(X))

    def answers(self, vectors: sparse.csr_matrix, occurrences: Occurrences | None = None) -> dict[str, TargetAnswers]:
        """Probabilities and decisions of every target; too short and unfamiliar texts need the occurrences."""
        unreadable = self._unreadable(occurrences) if occurrences is not None else {}
        return {name: self._answer(target, vectors, unreadable) for name, target in self._targets.items()}

    def head(self, target: str) -> LinearHead:
        """The fitted head of a target."""
        check_is_fitted(self, "features_")
        return self._targets[target].head

    def policies(self, target: str) -> dict[float, Policy]:
        """The policy for each promised precision: the one in force first, then those that reports show."""
        check_is_fitted(self, "features_")
        return {policy.precision: policy for policy in self._targets[target].policies}

    def _answer(self, target: _Target, vectors: sparse.csr_matrix, unreadable: Mapping[int, str]) -> TargetAnswers:
        probabilities = softmax(target.head.margins(vectors), target.temperature)
        chosen = probabilities.argmax(axis=1)
        best = probabilities[np.arange(len(chosen)), chosen]
        decide = target.policy.decide
        decisions = [decide(p, k) for p, k in zip(best.tolist(), chosen.tolist(), strict=True)]
        for index, reason in unreadable.items():
            decisions[index] = ("human", reason)
        return TargetAnswers(target.head.classes, probabilities, chosen, decisions, target.policy.threshold)

    def _unreadable(self, occurrences: Occurrences) -> dict[int, str]:
        words = np.bincount(occurrences.layout.text_of_word, minlength=occurrences.layout.texts)
        known = self.features_.known_share(occurrences)
        reasons = {int(i): "unfamiliar_text" for i in np.flatnonzero(known < self.familiar_from)}
        return reasons | {int(i): "text_too_short" for i in np.flatnonzero(words < self.fewest_words)}

    def _fit_target(
        self,
        name: str,
        vectors: sparse.csr_matrix,
        labels: pd.Series,
        held_out: tuple[sparse.csr_matrix, pd.DataFrame] | None,
    ) -> _Target:
        vectors, truth = _labelled(vectors, labels)
        if len(truth) < _FEWEST_TICKETS:
            raise NotEnoughDataError(
                f"Target {name!r}: at least {_FEWEST_TICKETS} labelled tickets are needed to learn from, "
                f"found {len(truth)}.",
                hint="Import more tickets, or leave the target out with --targets.",
            )
        penalty = self.penalty or choose_penalty(name, vectors, truth, seed=self.seed)
        head = fit_head(name, vectors, truth, penalty=penalty, seed=self.seed)
        if held_out is None:
            margins, known_truth = self._cross_margins(name, vectors, truth, head, penalty)
        else:
            later, later_truth = _labelled(held_out[0], held_out[1][name])
            margins, known_truth = head.margins(later), later_truth
        return self._calibrated(head, penalty, margins, known_truth)

    def _calibrated(
        self, head: LinearHead, penalty: float, margins: NDArray[np.float32], truth: NDArray[Any]
    ) -> _Target:
        known = np.isin(truth, head.classes)  # a class that is new since the fit can't be answered, only missed
        codes = np.searchsorted(head.classes, truth[known])
        temperature = fit_temperature(margins[known], codes) if known.any() else 1.0
        everything = np.full(len(truth), -1)
        everything[known] = codes
        probabilities = softmax(margins, temperature)
        promises = dict.fromkeys((self.precision, *_REPORTED_PROMISES))
        policies = tuple(choose_policy(probabilities, everything, promise) for promise in promises)
        return _Target(head, penalty, temperature, policies)

    def _cross_margins(
        self, name: str, vectors: sparse.csr_matrix, truth: NDArray[Any], head: LinearHead, penalty: float
    ) -> tuple[NDArray[np.float32], NDArray[Any]]:
        """Margins of tickets by heads that did not see them, and their labels.

        Five folds, of which only as many are asked as give enough tickets to calibrate on: all of them for a few thousand
        tickets, one for many. A fold that lacks a class gives it its lowest margin.
        """
        margins = np.zeros((len(truth), len(head.classes)), dtype=np.float32)
        asked = min(_FOLDS, math.ceil(_ENOUGH_TO_CALIBRATE * _FOLDS / len(truth)))
        folds = _folds(truth, self.seed)
        for number in range(asked):
            fit, ask = np.flatnonzero(folds != number), np.flatnonzero(folds == number)
            part = fit_head(name, vectors[fit], truth[fit], penalty=penalty, seed=self.seed)
            given = part.margins(vectors[ask])
            rows = np.repeat(given.min(axis=1, keepdims=True), len(head.classes), axis=1)
            rows[:, np.searchsorted(head.classes, part.classes)] = given
            margins[ask] = rows
        used = folds < asked
        return margins[used], truth[used]

    def _describe(self) -> None:
        self.classes_ = {name: target.head.classes for name, target in self._targets.items()}


def _texts(X: Sequence[str] | pd.Series) -> list[str]:
    if isinstance(X, str):
        raise TypeError("expected a sequence of texts, found one string: put it in a list")
    return list(X)


def _labels(y: pd.DataFrame | pd.Series) -> pd.DataFrame:
    return y.to_frame(y.name or "target") if isinstance(y, pd.Series) else y


def _labelled(vectors: sparse.csr_matrix, labels: pd.Series) -> tuple[sparse.csr_matrix, NDArray[Any]]:
    present = labels.notna().to_numpy()
    return vectors[present], labels.to_numpy(dtype=object)[present]


def _folds(truth: NDArray[Any], seed: int) -> NDArray[np.int64]:
    """A fold for each ticket, each class spread evenly over them, however rare. Shape (tickets,)."""
    order = np.random.default_rng(seed).permutation(len(truth))
    folds = np.empty(len(truth), dtype=np.int64)
    folds[order] = pd.Series(truth[order]).groupby(truth[order]).cumcount().to_numpy() % _FOLDS
    return folds
