"""`TriageClassifier`: fit on tickets and their labels, answer with calibrated probabilities and decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from triage_ml.classify.decide import Action, Policy
from triage_ml.classify.encoder_weight import choose_encoder_weight
from triage_ml.classify.explain import Explainer, Term
from triage_ml.classify.familiarity import Familiarity, fit_familiarity, know_everything
from triage_ml.classify.fitting import FittedTarget, HeldOut, fit_targets
from triage_ml.classify.heads import Head
from triage_ml.classify.inputs import Labels, Texts, lessons, texts_of
from triage_ml.errors import InputError
from triage_ml.features import JoinedFeatures, LexicalFeatures, Occurrences, Reading

__all__ = ["TargetAnswers", "TriageClassifier"]

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
        Shape (texts,), least probability for `auto` of the chosen class; above 1 where it never is.
    """

    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]
    chosen: NDArray[np.int64]
    decisions: list[tuple[Action, str]]
    threshold: NDArray[np.float64]


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
        X: Texts,
        y: Labels,
        calibration: tuple[Texts, Labels] | None = None,
        groups: Sequence[int] | NDArray[np.int64] | None = None,
        stands_for: Sequence[float] | NDArray[np.float64] | None = None,
    ) -> Self:
        """Fit on texts and labels. The order of the rows changes nothing.

        Parameters
        ----------
        X
            Texts, as `triage_ml.text` cleans them; or a ticket table, whose titles and descriptions are cleaned and redacted.
        y
            One column a target, labels as text; a missing label leaves the ticket out of that target.
        calibration
            Later texts and labels. The heads learn from them too; calibration and thresholds come from what heads that did
            not see them say of them. Without them that is asked of the tickets in X.
        groups
            A number for each text of X, then of `calibration`: texts with the same one are alike and held out together. By
            default those that are written alike.
        stands_for
            For how many tickets each text of X, then of `calibration`, stands where probabilities and thresholds are chosen: 4
            where one in four of its kind was kept, 0 where its label is no truth to measure by. By default 1.

        Raises
        ------
        InputError
            Labels, texts and groups that don't belong together.
        NotEnoughDataError
            A target with fewer than 30 labelled tickets, or with one class.
        """
        self._check_params()
        given = lessons(X, y, calibration, groups, stands_for)
        self.features_ = copy(self.features or LexicalFeatures()).fit(given.texts)
        vectors = self.features_.transform(given.texts)
        if isinstance(self.features_, JoinedFeatures) and self.features_.encoder_weight is None:
            columns = self.features_.n_columns_
            weight = choose_encoder_weight(vectors, columns, given.labels, given.groups, seed=self.seed)
            self.features_.set_params(encoder_weight=weight)
        fitted = fit_targets(
            vectors,
            given.labels,
            given.groups,
            given.latest,
            given.stands,
            penalty=self.penalty,
            precision=self.precision,
            seed=self.seed,
        )
        self._targets: dict[str, FittedTarget] = {name: target for name, (target, _) in fitted.items()}
        self._familiarity = self._learn_familiarity(given.texts, {name: out for name, (_, out) in fitted.items()})
        return self

    @property
    def classes_(self) -> dict[str, tuple[str, ...]]:
        """The labels of each target."""
        return {name: target.head.classes for name, target in self._targets.items()}

    def predict(self, X: Texts) -> pd.DataFrame:
        """The most likely label of each target, shape (texts, targets)."""
        answers = self.answers(self.read(X)[0])
        return pd.DataFrame({name: np.asarray(a.classes, dtype=object)[a.chosen] for name, a in answers.items()})

    def predict_proba(self, X: Texts) -> dict[str, pd.DataFrame]:
        """Calibrated probabilities of each target, shape (texts, classes) each."""
        answers = self.answers(self.read(X)[0])
        return {name: pd.DataFrame(a.probabilities, columns=list(a.classes)) for name, a in answers.items()}

    def decide(self, X: Texts) -> pd.DataFrame:
        """For each target `{target}`, `{target}_probability`, `{target}_action`, `{target}_reason`."""
        columns: dict[str, Any] = {}
        for name, answers in self.answers(*self.read(X)).items():
            columns[name] = np.asarray(answers.classes, dtype=object)[answers.chosen]
            columns[f"{name}_probability"] = answers.probabilities.max(axis=1)
            columns[f"{name}_action"] = [action for action, _ in answers.decisions]
            columns[f"{name}_reason"] = [reason for _, reason in answers.decisions]
        return pd.DataFrame(columns)

    def explain(self, X: Texts, target: str, *, most: int | None = 5) -> list[list[Term]]:
        """The words and phrases behind each text's most likely class; with `most=None` all of them, either sign.

        The weights of all terms plus a constant (`Head.constant`) sum to the margin of the class; with an encoder, what the
        meaning of the whole text adds is the rest.
        """
        texts, head = texts_of(X), self.head(target)
        vectors, occurrences = self.vectors(texts)
        chosen = self.answers(vectors)[target].chosen
        return Explainer(texts, vectors, occurrences).terms(head, chosen, most=most)

    def read(self, X: Texts) -> tuple[sparse.csr_matrix, Reading]:
        """The shared representation of a batch, and how much of each text is known: what `answers` takes."""
        check_is_fitted(self, "features_")
        return self.features_.transform_with_words(texts_of(X))

    def vectors(self, X: Texts) -> tuple[sparse.csr_matrix, Occurrences]:
        """The same, and where in the texts each value comes from: what an `Explainer` takes."""
        check_is_fitted(self, "features_")
        return self.features_.transform_with_occurrences(texts_of(X))

    def familiarity(self, X: Texts) -> NDArray[np.float32]:
        """How like anything learnt each text is, shape (texts,): about 0 for a usual one, the lower the stranger."""
        vectors, reading = self.read(X)
        return self._familiarity_of(self._targets[self._familiarity.target].head.margins(vectors), reading)

    def answers(self, vectors: sparse.csr_matrix, reading: Reading | None = None) -> dict[str, TargetAnswers]:
        """Probabilities and decisions of every target; too short and unfamiliar texts need the reading."""
        margins = {name: target.head.margins(vectors) for name, target in self._targets.items()}
        unreadable = {} if reading is None else self._unreadable(margins, reading)
        return {name: self._answer(target, margins[name], unreadable) for name, target in self._targets.items()}

    def head(self, target: str) -> Head:
        """The fitted head of a target."""
        check_is_fitted(self, "features_")
        return self._target(target).head

    def policies(self, target: str) -> dict[float, Policy]:
        """The policy for each promised precision: the one in force first, then those that reports show."""
        check_is_fitted(self, "features_")
        return {policy.precision: policy for policy in self._target(target).policies}

    def _target(self, name: str) -> FittedTarget:
        if name not in self._targets:
            raise InputError(f"No target {name!r} was learnt; those that were: {', '.join(self._targets)}.")
        return self._targets[name]

    def _answer(
        self, target: FittedTarget, margins: NDArray[np.float32], unreadable: Mapping[int, str]
    ) -> TargetAnswers:
        probabilities = target.calibrator.probabilities(margins)
        chosen = probabilities.argmax(axis=1)
        best = probabilities[np.arange(len(chosen)), chosen]
        decisions, threshold = target.policy.decide(best, chosen)
        for index, reason in unreadable.items():
            decisions[index] = ("human", reason)
        return TargetAnswers(target.head.classes, probabilities, chosen, decisions, threshold)

    def _unreadable(self, margins: Mapping[str, NDArray[np.float32]], reading: Reading) -> dict[int, str]:
        strange = self._familiarity_of(margins[self._familiarity.target], reading) < self._familiarity.threshold
        reasons = {int(i): "unfamiliar_text" for i in np.flatnonzero(strange)}
        return reasons | {int(i): "text_too_short" for i in np.flatnonzero(reading.words < self.fewest_words)}

    def _familiarity_of(self, margins: NDArray[np.float32], reading: Reading) -> NDArray[np.float32]:
        return self._familiarity.score(margins.max(axis=1), reading.known_share)

    def _learn_familiarity(self, texts: list[str], held_out: Mapping[str, HeldOut]) -> Familiarity:
        target = max(held_out, key=lambda name: held_out[name].margins.shape[1])
        rows = np.random.default_rng(self.seed).permutation(len(held_out[target].rows))[:_ENOUGH_FOR_SCALE]
        if not len(rows):
            return know_everything(target)
        reading = self.read([texts[row] for row in held_out[target].rows[rows]])[1]
        return fit_familiarity(target, held_out[target].margins[rows].max(axis=1), reading.known_share)

    def _check_params(self) -> None:
        if self.penalty is not None and not 0 < self.penalty < np.inf:
            raise ValueError(f"penalty must be above 0, or None to have it chosen, found {self.penalty}")
        if not 0 < self.precision < 1:
            raise ValueError(f"precision must be between 0 and 1, found {self.precision}")
