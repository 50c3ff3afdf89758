"""What changed since training, week by week, and whether somebody has to do something.

Five signals, each against the weeks that came before it, so that a desk's own ups and downs are the yardstick:

words
    Share of tickets that hold a word which rises or falls far beyond its usual weeks: kinds that appear, fade or burst.
classes
    Population stability index of the answers (Siddiqi 2006): below 0.1 nothing, above 0.25 much.
confidence
    Mean stated probability against that of earlier weeks, of tickets that the model was not fitted on: a model is surer of
    what it learnt, so every later week would look like a fall.
precision
    Right answers among those decided `auto`, where outcomes are known, with a Wilson interval against the promise.
labels
    Labels that were never seen in the reference, or are seen no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.evaluate.drift_signals import (
    ConfidenceShift,
    auto_precision,
    confidence_shift,
    gone_labels,
    new_labels,
    stability_index,
)
from triage_ml.evaluate.drift_verdict import Verdict, judge_week
from triage_ml.evaluate.drift_words import WordChange, WordWeeks, tokens_of
from triage_ml.evaluate.hygiene import SimilarLabels
from triage_ml.evaluate.metrics import Interval

__all__ = ["Drift", "WeekDrift", "watch"]


@dataclass(frozen=True)
class WeekDrift:
    """One week. `psi` and `confidence` by target, `precision` where outcomes are known."""

    week: str
    tickets: int
    words: list[WordChange]
    new_words: float
    psi: dict[str, float]
    confidence: dict[str, ConfidenceShift]
    precision: dict[str, Interval]
    new_labels: dict[str, list[str]]
    gone_labels: dict[str, list[str]]
    verdict: Verdict = "nothing to do"
    reasons: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Drift:
    """All watched weeks, and the verdict of the last. `renamed` are labels by column that took another's place and work."""

    weeks: list[WeekDrift]
    renamed: dict[str, list[SimilarLabels]] = field(default_factory=dict)

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
    trained: NDArray[np.bool_] | None = None,
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
    trained
        Which tickets the model was fitted on, shape (tickets,); by default none. They say nothing of its confidence.
    labels
        Label columns of `answers` to watch for new and vanished values, such as `assignment_group`.
    """
    weeks = answers["week"].to_numpy(dtype=object)
    fresh = np.ones(len(answers), dtype=bool) if trained is None else ~trained
    usual = WordWeeks(tokens_of(answers, texts, labels), weeks, reference)
    past, seen = answers[reference], reference.copy()
    found = []
    for week in sorted(set(weeks[~reference])):
        here = weeks == week
        rows = answers[here]
        one = WeekDrift(
            str(week),
            len(rows),
            usual.changes(week),
            usual.new_share(week),
            {name: stability_index(past[name], rows[name]) for name in targets},
            {
                name: shift
                for name in targets
                if (shift := confidence_shift(answers[seen & fresh], answers[here & fresh], f"{name}_probability"))
            },
            auto_precision(answers[here & fresh], targets),
            {name: new for name in labels if (new := new_labels(rows[name], answers.loc[seen, name]))},
            {name: gone for name in labels if (gone := gone_labels(answers[seen], rows, name))},
        )
        found.append(judge_week(one, promise))
        usual.learn(week)
        seen |= here
    return Drift(found)
