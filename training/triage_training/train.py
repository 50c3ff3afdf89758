"""The training step: a ticket table in, a fitted classifier and its figures out. It knows no MLflow and writes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.answer import prepare
from triage_ml.classify import TriageClassifier
from triage_ml.errors import InputError, NotEnoughDataError
from triage_ml.evaluate import (
    Evaluation,
    Split,
    answer_all,
    answer_table,
    evaluate_answers,
    slice_columns,
    split_at_random,
    split_by_column,
    split_by_time,
    ticket_keys,
)
from triage_ml.settings import Settings
from triage_ml.text import ticket_text

__all__ = ["TestPart", "Trained", "train"]

_FEWEST_TICKETS = 50

Step = Callable[[str], None]


@dataclass(frozen=True)
class TestPart:
    """The tickets that the figures are measured on. `keys` say which they are, `extra` what they are sliced by."""

    __test__ = False  # no test of pytest's

    keys: list[str]
    texts: list[str]
    labels: pd.DataFrame
    extra: pd.DataFrame


@dataclass(frozen=True)
class Trained:
    """What came out: the classifier, its figures on the test part, how the parts were drawn, what the data was.

    `with_repeats` are the figures on all later tickets, those included whose template training had seen; None where no
    ticket repeats. `answers` is the answer table of the test part, `seen` the keys of all tickets that it was fitted and
    calibrated on.
    """

    classifier: TriageClassifier
    evaluation: Evaluation
    with_repeats: Evaluation | None
    split: Split
    profile: dict[str, Any]
    test: TestPart
    answers: pd.DataFrame
    seen: list[str]
    notes: list[str] = field(default_factory=list)


def train(
    tickets: pd.DataFrame,
    settings: Settings,
    *,
    targets: Sequence[str] | None = None,
    split_column: str | None = None,
    split_map: Mapping[str, str] | None = None,
    at_random: bool = False,
    step: Step = lambda _: None,
) -> Trained:
    """Clean, split, fit, calibrate and evaluate.

    Parameters
    ----------
    tickets
        A ticket table with the targets as columns.
    split_column, split_map
        A column with published parts, and what its values mean.
    at_random
        Split at random although there are dates.
    step
        Told what happens now, for progress.
    """
    wanted = tuple(targets or settings.train.targets)
    labels = _labels(tickets, wanted)
    weights = _weights(tickets)
    usable = labels.notna().any(axis=1).to_numpy() & (weights > 0)
    if usable.sum() < _FEWEST_TICKETS:
        raise NotEnoughDataError(
            f"At least {_FEWEST_TICKETS} tickets with a label of {', '.join(wanted)} are needed to train, "
            f"found {int(usable.sum())}.",
            hint="Import more tickets, or name other targets with --targets.",
        )
    tickets, labels = tickets[usable].reset_index(drop=True), labels[usable].reset_index(drop=True)
    weights = weights[usable]
    step("cleaning and redacting text")
    texts = prepare(ticket_text(tickets))
    step("splitting")
    split, notes = _split(tickets, texts, settings, split_column, split_map, at_random)
    step("fitting and calibrating")
    classifier = TriageClassifier(precision=settings.decision.precision, seed=settings.train.seed)
    fit = _repeated(split.fit, weights)
    classifier.fit(
        _take(texts, fit),
        labels.iloc[fit],
        calibration=(_take(texts, split.calibration), labels.iloc[split.calibration]),
    )
    step("evaluating on later tickets" if split.how == "time" else "evaluating")
    routing = settings.decision.routing
    test = _test_part(tickets, texts, labels, split)
    answered = answer_all(classifier, test.texts)
    keys = ticket_keys(tickets, texts)
    return Trained(
        classifier,
        evaluate_answers(answered, test.labels, routing=routing),
        _with_repeats(classifier, texts, labels, split, routing),
        split,
        _profile(tickets, texts, labels),
        test,
        answer_table(test.keys, answered, test.labels, extra=test.extra),
        [keys[row] for row in (*split.fit, *split.calibration)],
        [*notes, *split.notes, *_not_promised(classifier, split)],
    )


def _test_part(tickets: pd.DataFrame, texts: list[str], labels: pd.DataFrame, split: Split) -> TestPart:
    rows, later = tickets.iloc[split.test], _take(texts, split.test)
    return TestPart(ticket_keys(rows, later), later, labels.iloc[split.test], slice_columns(rows, later))


def _not_promised(classifier: TriageClassifier, split: Split) -> list[str]:
    """What these tickets can't carry, said rather than promised."""
    notes = []
    for name in classifier.classes_:
        policy = next(iter(classifier.policies(name).values()))
        if policy.threshold > 1:
            notes.append(
                f"{name}: no threshold keeps {policy.precision:.0%} precision for sure on {len(split.calibration):,} "
                "calibration tickets, so nothing is decided auto."
            )
        elif unsure := int((~policy.evidence).sum()):
            notes.append(
                f"{name}: {unsure} of {len(policy.evidence)} classes have too few tickets to ever be decided auto."
            )
    return notes


def _weights(tickets: pd.DataFrame) -> NDArray[np.float64]:
    """`label_weight` of each ticket, as `triage export-outcomes` gives it; 1 where there is none."""
    if "label_weight" not in tickets:
        return np.ones(len(tickets))
    return pd.to_numeric(tickets["label_weight"], errors="coerce").fillna(1.0).to_numpy(dtype=float)


def _repeated(rows: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows as often as they weigh, to the nearest half: of those with half a weight every second has it whole."""
    halves = np.floor(2 * weights[rows] + 0.5).astype(np.int64)
    odd = halves % 2 == 1
    times = halves // 2
    times[odd] += np.cumsum(odd)[odd] % 2
    return np.repeat(rows, times)


def _labels(tickets: pd.DataFrame, targets: Sequence[str]) -> pd.DataFrame:
    if missing := [target for target in targets if target not in tickets or tickets[target].isna().all()]:
        here = [str(column) for column in tickets if tickets[column].notna().any()]
        raise InputError(
            f"Target {missing[0]!r}: the tickets have no such column, or nothing in it.",
            hint=f"Columns with values: {', '.join(here)}. Name the targets with --targets.",
        )
    return tickets[list(targets)].astype(object).where(tickets[list(targets)].notna(), None)


def _split(
    tickets: pd.DataFrame,
    texts: list[str],
    settings: Settings,
    column: str | None,
    names: Mapping[str, str] | None,
    at_random: bool,
) -> tuple[Split, list[str]]:
    share = settings.train
    if column is not None:
        if column not in tickets:
            raise InputError(f"--split-column {column}: the tickets have no such column.")
        return split_by_column(tickets[column], texts, calibration_share=share.calibration_share, names=names), []
    dated = "opened_at" in tickets and tickets["opened_at"].notna().mean() > 0.5
    if dated and not at_random:
        return split_by_time(
            tickets["opened_at"], texts, calibration_share=share.calibration_share, test_share=share.test_share
        ), []
    notes = [] if at_random else ["No opened_at: the split is random, so the figures say nothing about later tickets."]
    return split_at_random(
        texts, calibration_share=share.calibration_share, test_share=share.test_share, seed=share.seed
    ), notes


def _with_repeats(
    classifier: TriageClassifier, texts: list[str], labels: pd.DataFrame, split: Split, routing: Sequence[str]
) -> Evaluation | None:
    later = split.repeats[split.repeats >= 0]
    if not len(later):
        return None
    rows = sorted({*split.test.tolist(), *later.tolist()})
    return evaluate_answers(answer_all(classifier, _take(texts, rows)), labels.iloc[rows], routing=routing)


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
