"""The training step: a ticket table in, a fitted classifier and its figures out. It knows no MLflow and writes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.answer import prepare
from triage_ml.classify import TriageClassifier
from triage_ml.evaluate import (
    AUDITS_TO_CHOOSE,
    Evaluation,
    Split,
    answer_all,
    answer_table,
    evaluate_answers,
    similar_labels,
    slice_columns,
    stands_for,
    ticket_keys,
)
from triage_ml.features import JoinedFeatures, LexicalFeatures
from triage_ml.settings import Settings
from triage_ml.text import ticket_text
from triage_training.train_tickets import copies, repeated, split_tickets, usable_tickets

__all__ = ["FitPart", "TestPart", "Trained", "text_features", "train"]

Step = Callable[[str], None]


@dataclass(frozen=True)
class TestPart:
    """The tickets that the figures are measured on.

    `keys` say which they are, `extra` what they are sliced by, `stands_for` how many tickets each stands for, shape (tickets,).
    """

    __test__ = False  # no test of pytest's

    keys: list[str]
    texts: list[str]
    labels: pd.DataFrame
    extra: pd.DataFrame
    stands_for: NDArray[np.float64]


@dataclass(frozen=True)
class FitPart:
    """The tickets that were fitted on and calibrated with: prepared texts, and labels with the targets as columns."""

    texts: list[str]
    labels: pd.DataFrame


@dataclass(frozen=True)
class Trained:
    """What came out: the classifier, its figures on the test part, how the parts were drawn, what the data was.

    `with_repeats` are the figures on all later tickets, those included whose template training had seen; None where no
    ticket repeats. `answers` is the answer table of the test part. `seen` has the key (`ticket`) and the fingerprint of the
    template (`template`) of all tickets that it was fitted and calibrated on, or that a search may have selected on.
    """

    classifier: TriageClassifier
    evaluation: Evaluation
    with_repeats: Evaluation | None
    split: Split
    profile: dict[str, Any]
    fit: FitPart
    test: TestPart
    answers: pd.DataFrame
    seen: pd.DataFrame
    notes: list[str] = field(default_factory=list)


def train(
    tickets: pd.DataFrame,
    settings: Settings,
    *,
    targets: Sequence[str] | None = None,
    split_column: str | None = None,
    split_map: Mapping[str, str] | None = None,
    encoder: str | None = None,
    at_random: bool = False,
    params: Mapping[str, Any] | None = None,
    step: Step = lambda _: None,
) -> Trained:
    """Clean, split, fit, calibrate and evaluate.

    Parameters
    ----------
    tickets
        A ticket table with the targets as columns.
    split_column, split_map
        A column with published parts, and what its values mean.
    encoder
        Joins the words; by default the one in the settings, if any. What it makes of each text is kept under `[paths] home`.
    at_random
        Split at random although there are dates.
    params
        Parameters of the classifier that are not their defaults, such as `penalty` or `features__piece_weight`.
    step
        Told what happens now, for progress.
    """
    wanted = tuple(dict.fromkeys(targets or settings.train.targets))
    tickets, labels, weights = usable_tickets(tickets, wanted)
    step("cleaning and redacting text")
    texts = prepare(ticket_text(tickets))
    step("splitting")
    split, notes = split_tickets(tickets, texts, settings, split_column, split_map, at_random)
    step("fitting and calibrating")
    features = text_features(encoder or settings.train.encoder, settings)
    stands = _stands_to_choose(tickets, split)
    classifier = _fit(features, texts, labels, weights, stands, split, settings, params or {})
    step("evaluating on later tickets" if split.how == "time" else "evaluating")
    routing = settings.decision.routing
    test = _test_part(tickets, texts, labels, split)
    answered = answer_all(classifier, test.texts)
    if isinstance(features, JoinedFeatures):
        features.save_vectors()
    keys = ticket_keys(tickets, texts)
    return Trained(
        classifier,
        evaluate_answers(answered, test.labels, routing=routing, stands_for=test.stands_for),
        _with_repeats(classifier, tickets, texts, labels, split, routing),
        split,
        _profile(tickets, texts, labels),
        _fit_part(texts, labels, split),
        test,
        answer_table(test.keys, answered, test.labels, extra=test.extra),
        _seen(keys, split),
        [*notes, *split.notes, *_look_alike(labels), *_not_promised(classifier)],
    )


def text_features(encoder: str | None, settings: Settings) -> LexicalFeatures:
    """Words alone, or beside them an encoder; its folder in full, since the bundle names it wherever it is served."""
    if encoder is None:
        return LexicalFeatures()
    kind, _, where = encoder.partition(":")
    name = f"{kind}:{Path(where).resolve()}" if Path(where).is_dir() else encoder
    return JoinedFeatures(name).keep_vectors(settings.paths.embeddings)


def _stands_to_choose(tickets: pd.DataFrame, split: Split) -> NDArray[np.float64]:
    """For how many tickets each one stands that probabilities and thresholds are chosen on, 0 elsewhere; shape (tickets,).

    Each part has its own audits: a few in the part that calibrates don't become enough by others in the part that is fitted on.
    """
    stands = np.zeros(len(tickets))
    for rows in (split.fit, split.calibration):
        stands[rows] = stands_for(tickets.iloc[rows], enough=AUDITS_TO_CHOOSE)
    return stands


def _fit(
    features: LexicalFeatures,
    texts: list[str],
    labels: pd.DataFrame,
    weights: NDArray[np.float64],
    stands: NDArray[np.float64],
    split: Split,
    settings: Settings,
    params: Mapping[str, Any],
) -> TriageClassifier:
    fit, latest = repeated(split.fit, weights), split.calibration
    once = stands[fit] / copies(weights[fit])  # a ticket that is there three times to learn from is still one
    classifier = TriageClassifier(features, precision=settings.decision.precision, seed=settings.train.seed)
    classifier.set_params(**params)
    return classifier.fit(
        _take(texts, fit),
        labels.iloc[fit],
        calibration=(_take(texts, latest), labels.iloc[latest]) if len(latest) else None,
        groups=split.templates[np.concatenate([fit, latest])],
        stands_for=np.concatenate([once, stands[latest]]),
    )


def _seen(keys: list[str], split: Split) -> pd.DataFrame:
    seen = np.ones(len(keys), dtype=bool)
    seen[split.test] = seen[split.repeats] = False
    return pd.DataFrame({"ticket": pd.array(keys, dtype="string"), "template": split.fingerprints})[seen]


def _fit_part(texts: list[str], labels: pd.DataFrame, split: Split) -> FitPart:
    rows = np.concatenate([split.fit, split.calibration])
    return FitPart(_take(texts, rows), labels.iloc[rows])


def _test_part(tickets: pd.DataFrame, texts: list[str], labels: pd.DataFrame, split: Split) -> TestPart:
    rows, later = tickets.iloc[split.test], _take(texts, split.test)
    extra = slice_columns(rows, later)
    return TestPart(ticket_keys(rows, later), later, labels.iloc[split.test], extra, stands_for(rows))


def _look_alike(labels: pd.DataFrame) -> list[str]:
    """Labels that are probably one, said and not merged: whoever files tickets knows better."""
    return [
        f"{name}: {pair.kept!r} and {pair.other!r} may be one label; they are learnt as two."
        for name in labels
        for pair in similar_labels(labels[name])
    ]


def _not_promised(classifier: TriageClassifier) -> list[str]:
    """What these tickets can't carry, said rather than promised."""
    notes = []
    for name in classifier.classes_:
        policy = next(iter(classifier.policies(name).values()))
        if policy.threshold > 1:
            notes.append(
                f"{name}: no threshold keeps {policy.precision:.0%} precision for sure on the {policy.tickets:,} tickets "
                f"that calibrate, which count as {policy.independent:,.0f} different ones, so nothing is decided auto."
            )
        elif unsure := int((~policy.evidence).sum()):
            notes.append(
                f"{name}: {unsure} of {len(policy.evidence)} classes have too few tickets to ever be decided auto."
            )
        for index, threshold in policy.own:
            limit = f"only from {threshold:.2f}" if threshold <= 1 else "never"
            notes.append(
                f"{name}: {classifier.classes_[name][index]!r} does not keep {policy.precision:.0%} precision where the "
                f"others do ({policy.threshold:.2f}), so it is decided auto {limit}."
            )
    return notes


def _with_repeats(
    classifier: TriageClassifier,
    tickets: pd.DataFrame,
    texts: list[str],
    labels: pd.DataFrame,
    split: Split,
    routing: Sequence[str],
) -> Evaluation | None:
    if not len(split.repeats):
        return None
    rows = np.sort(np.concatenate([split.test, split.repeats]))
    answered = answer_all(classifier, _take(texts, rows))
    return evaluate_answers(answered, labels.iloc[rows], routing=routing, stands_for=stands_for(tickets.iloc[rows]))


def _take(texts: list[str], rows: Any) -> list[str]:
    return [texts[row] for row in rows]


def _profile(tickets: pd.DataFrame, texts: list[str], labels: pd.DataFrame) -> dict[str, Any]:
    """What the data was, without any of its text; the sha256 is over prepared texts and labels in order."""
    digest = hashlib.sha256()
    for text, row in zip(texts, labels.itertuples(index=False), strict=True):
        digest.update(repr((text, *row)).encode("utf-8", "replace"))
    profile: dict[str, Any] = {"tickets": len(tickets), "sha256": digest.hexdigest()}
    if "opened_at" in tickets and tickets["opened_at"].notna().any():
        profile |= {"first": tickets["opened_at"].min().isoformat(), "last": tickets["opened_at"].max().isoformat()}
    profile["classes"] = {name: labels[name].value_counts().to_dict() for name in labels}
    return profile
