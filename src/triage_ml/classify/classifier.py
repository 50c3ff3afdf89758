"""`TriageClassifier`: fit on tickets and their labels, answer with calibrated probabilities and decisions."""

from __future__ import annotations

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

from triage_ml.classify.calibrate import softmax
from triage_ml.classify.decide import Action, Policy
from triage_ml.classify.explain import Explainer, Term
from triage_ml.classify.familiarity import Familiarity, fit_familiarity
from triage_ml.classify.fitting import FittedTarget, HeldOut, fit_target
from triage_ml.classify.heads import LinearHead
from triage_ml.features import LexicalFeatures, Occurrences

__all__ = ["TargetAnswers", "TriageClassifier"]

_WORTH_PROCESSES = 5000
_ENOUGH_FOR_SCALE = 5000


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
        seed: int = 0,
    ) -> None:
        self.features = features
        self.penalty = penalty
        self.precision = precision
        self.fewest_words = fewest_words
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
        later, later_labels = (
            (texts, None) if calibration is None else (_texts(calibration[0]), _labels(calibration[1]))
        )
        self.features_ = (self.features or LexicalFeatures()).fit(texts)
        vectors = self.features_.transform(texts)
        later_vectors = vectors if later_labels is None else self.features_.transform(later)
        # Processes, not threads: liblinear draws from one random generator a process, and the same seed must give the same.
        fitted = Parallel(n_jobs=-1 if len(texts) >= _WORTH_PROCESSES else 1)(
            delayed(fit_target)(
                name,
                vectors,
                labels[name],
                None if later_labels is None else (later_vectors, later_labels[name]),
                penalty=self.penalty,
                precision=self.precision,
                seed=self.seed,
            )
            for name in labels.columns
        )
        self._targets: dict[str, FittedTarget] = {}
        held_out: dict[str, HeldOut] = {}
        for name, (target, out) in zip(map(str, labels.columns), fitted, strict=True):
            self._targets[name], held_out[name] = target, out
        self._familiarity = self._learn_familiarity(later, held_out)
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

        The weights of all terms plus the class's intercept sum to its margin; with an encoder, what the meaning of the
        whole text adds is the rest.
        """
        texts = _texts(X)
        vectors, occurrences = self.vectors(texts)
        chosen = self.answers(vectors)[target].chosen
        return Explainer(texts, occurrences).terms(self._targets[target].head.weights, chosen, most=most)

    def vectors(self, X: Sequence[str] | pd.Series) -> tuple[sparse.csr_matrix, Occurrences]:
        """The shared representation of a batch, for `answers`."""
        check_is_fitted(self, "features_")
        return self.features_.transform_with_occurrences(_texts(X))

    def familiarity(self, X: Sequence[str] | pd.Series) -> NDArray[np.float32]:
        """How like anything learnt each text is, shape (texts,): about 0 for a usual one, the lower the stranger."""
        vectors, occurrences = self.vectors(X)
        return self._familiarity_of(self._targets[self._familiarity.target].head.margins(vectors), occurrences)

    def answers(self, vectors: sparse.csr_matrix, occurrences: Occurrences | None = None) -> dict[str, TargetAnswers]:
        """Probabilities and decisions of every target; too short and unfamiliar texts need the occurrences."""
        margins = {name: target.head.margins(vectors) for name, target in self._targets.items()}
        unreadable = {} if occurrences is None else self._unreadable(margins, occurrences)
        return {name: self._answer(target, margins[name], unreadable) for name, target in self._targets.items()}

    def head(self, target: str) -> LinearHead:
        """The fitted head of a target."""
        check_is_fitted(self, "features_")
        return self._targets[target].head

    def policies(self, target: str) -> dict[float, Policy]:
        """The policy for each promised precision: the one in force first, then those that reports show."""
        check_is_fitted(self, "features_")
        return {policy.precision: policy for policy in self._targets[target].policies}

    def _answer(
        self, target: FittedTarget, margins: NDArray[np.float32], unreadable: Mapping[int, str]
    ) -> TargetAnswers:
        probabilities = softmax(margins, target.temperature)
        chosen = probabilities.argmax(axis=1)
        best = probabilities[np.arange(len(chosen)), chosen]
        decide = target.policy.decide
        decisions = [decide(p, k) for p, k in zip(best.tolist(), chosen.tolist(), strict=True)]
        for index, reason in unreadable.items():
            decisions[index] = ("human", reason)
        return TargetAnswers(target.head.classes, probabilities, chosen, decisions, target.policy.threshold)

    def _unreadable(self, margins: Mapping[str, NDArray[np.float32]], occurrences: Occurrences) -> dict[int, str]:
        words = np.bincount(occurrences.layout.text_of_word, minlength=occurrences.layout.texts)
        strange = self._familiarity_of(margins[self._familiarity.target], occurrences) < self._familiarity.threshold
        reasons = {int(i): "unfamiliar_text" for i in np.flatnonzero(strange)}
        return reasons | {int(i): "text_too_short" for i in np.flatnonzero(words < self.fewest_words)}

    def _familiarity_of(self, margins: NDArray[np.float32], occurrences: Occurrences) -> NDArray[np.float32]:
        return self._familiarity.score(margins.max(axis=1), self.features_.known_share(occurrences))

    def _learn_familiarity(self, texts: list[str], held_out: Mapping[str, HeldOut]) -> Familiarity:
        target = max(held_out, key=lambda name: held_out[name].margins.shape[1])
        rows = np.random.default_rng(self.seed).permutation(len(held_out[target].rows))[:_ENOUGH_FOR_SCALE]
        known = [
            self.features_.known_share(self.vectors([texts[row] for row in chunk])[1])
            for chunk in np.array_split(held_out[target].rows[rows], max(len(rows) // 1000, 1))
        ]
        return fit_familiarity(target, held_out[target].margins[rows].max(axis=1), np.concatenate(known))

    def _describe(self) -> None:
        self.classes_ = {name: target.head.classes for name, target in self._targets.items()}


def _texts(X: Sequence[str] | pd.Series) -> list[str]:
    if isinstance(X, str):
        raise TypeError("expected a sequence of texts, found one string: put it in a list")
    return list(X)


def _labels(y: pd.DataFrame | pd.Series) -> pd.DataFrame:
    return y.to_frame(y.name or "target") if isinstance(y, pd.Series) else y
