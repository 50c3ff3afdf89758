"""`triage check`: can these tickets carry a model, and what should be put right first? Nothing is registered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from triage_ml.answer import prepare
from triage_ml.classify import TriageClassifier
from triage_ml.errors import TriageError
from triage_ml.evaluate import (
    Doubt,
    LearningCurve,
    SimilarLabels,
    doubted_labels,
    evaluate,
    guess_language,
    learning_curve,
    renamed_groups,
    similar_labels,
    split_at_random,
    split_by_time,
)
from triage_ml.settings import Settings
from triage_ml.taxonomy import Taxonomy
from triage_ml.text import mask, ticket_text
from triage_ml.tickets import KNOWN_AFTER_TRIAGE

__all__ = ["Readiness", "TargetReadiness", "check_tickets"]

_FOLDS = 3
_FEW = 30
_MOST_TO_FIT = 30_000
_CURVE = (0.125, 0.25, 0.5, 1.0)
_TEMPLATE = 10

Step = Callable[[str], None]


@dataclass(frozen=True)
class TargetReadiness:
    """One target: its classes, those with too little evidence, doubted labels, and what more tickets would bring."""

    name: str
    labelled: int
    classes: dict[str, int]
    rare: list[str]
    similar: list[SimilarLabels]
    doubts: list[Doubt]
    curve: LearningCurve | None

    def to_dict(self, ticket_ids: Sequence[str], most: int = 100) -> dict[str, Any]:
        """Plain JSON values; doubted tickets by id."""
        return {
            "labelled": self.labelled,
            "classes": self.classes,
            "rare": self.rare,
            "similar": [asdict(row) for row in self.similar],
            "doubted": len(self.doubts),
            "doubts": [{**asdict(row), "ticket_id": ticket_ids[row.row]} for row in self.doubts[:most]],
            "curve": None if self.curve is None else {"points": self.curve.points, "doubled": self.curve.doubled},
        }


@dataclass(frozen=True)
class Readiness:
    """The whole account. `advice` are sentences, the most pressing first; `aliases` are lines for taxonomy.toml."""

    tickets: int
    usable: int
    targets: list[TargetReadiness]
    languages: dict[str, float]
    template_share: float
    repeats_share: float
    after_triage: list[str]
    reassigned: float | None
    renamed: list[SimilarLabels]
    unknown_groups: list[str]
    advice: list[str] = field(default_factory=list)

    @property
    def aliases(self) -> list[str]:
        """Suggested alias lines, one a group that seems to have changed its name."""
        return [f'{row.kept}: aliases = ["{row.other}"]' for row in self.renamed]


def check_tickets(
    tickets: pd.DataFrame,
    settings: Settings,
    taxonomy: Taxonomy,
    *,
    targets: Sequence[str] | None = None,
    step: Step = lambda _: None,
) -> Readiness:
    """Look at tickets as training would, and say what it would meet."""
    wanted = [name for name in (targets or settings.train.targets) if name in tickets and tickets[name].notna().any()]
    step("cleaning and redacting text")
    texts = prepare(ticket_text(tickets))
    with_text = np.array([bool(text.strip()) for text in texts])
    usable = with_text & (tickets[wanted].notna().any(axis=1).to_numpy() if wanted else False)
    step("looking at templates and languages")
    templates = pd.Series(mask(texts))
    counts = templates.map(templates.value_counts())
    languages = pd.Series([guess_language(text) for text in texts]).value_counts(normalize=True)
    found = []
    for name in wanted:
        step(f"asking which labels of {name} are doubtful")
        found.append(_target(name, tickets, texts, settings))
    renamed, unknown = _groups(tickets, texts, taxonomy)
    readiness = Readiness(
        len(tickets),
        int(usable.sum()),
        found,
        {str(name): round(float(share), 4) for name, share in languages.items()},
        float((counts >= _TEMPLATE).mean()),
        float(templates.duplicated().mean()),
        [name for name in KNOWN_AFTER_TRIAGE if name in tickets and tickets[name].notna().any() and name not in wanted],
        _reassigned(tickets),
        renamed,
        unknown,
    )
    readiness.advice.extend(_advice(readiness, settings))
    return readiness


def _target(name: str, tickets: pd.DataFrame, texts: list[str], settings: Settings) -> TargetReadiness:
    labels = tickets[name]
    rows = np.flatnonzero(labels.notna().to_numpy())
    classes = {str(label): int(count) for label, count in labels.value_counts().items()}
    rare = [label for label, count in classes.items() if count < _FEW]
    picked = np.random.default_rng(settings.train.seed).permutation(rows)[:_MOST_TO_FIT]
    doubts: list[Doubt] = []
    curve = None
    if len(classes) > 1 and len(picked) >= _FOLDS * _FEW:
        doubts = _doubts(name, labels, texts, np.sort(picked), settings)
        curve = _curve(name, tickets.iloc[np.sort(picked)], [texts[row] for row in np.sort(picked)], settings)
    return TargetReadiness(name, len(rows), classes, rare, similar_labels(labels), doubts, curve)


def _doubts(name: str, labels: pd.Series, texts: list[str], rows: np.ndarray, settings: Settings) -> list[Doubt]:
    """Each fold is judged by a model that was fitted on the others; tickets of one template share a fold."""
    part = [texts[row] for row in rows]
    truth = labels.iloc[rows].astype(object).to_frame(name).reset_index(drop=True)
    fold = pd.factorize(np.array(mask(part), dtype=object))[0] % _FOLDS
    found = []
    for number in range(_FOLDS):
        fit, ask = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        try:
            model = TriageClassifier(seed=settings.train.seed).fit([part[row] for row in fit], truth.iloc[fit])
        except TriageError:  # a fold of one class only teaches nothing
            continue
        asked = model.predict_proba([part[row] for row in ask])[name]
        judged = doubted_labels(asked.to_numpy(np.float32), list(asked.columns), truth[name].to_numpy(object)[ask])
        found += [Doubt(int(rows[ask[one.row]]), one.label, one.suggested, one.margin) for one in judged]
    return sorted(found, key=lambda one: -one.margin)


def _curve(name: str, tickets: pd.DataFrame, texts: list[str], settings: Settings) -> LearningCurve | None:
    shares = {"calibration_share": settings.train.calibration_share, "test_share": settings.train.test_share}
    dated = "opened_at" in tickets and tickets["opened_at"].notna().mean() > 0.5
    try:
        if dated:
            split = split_by_time(tickets["opened_at"].reset_index(drop=True), texts, **shares)
        else:
            split = split_at_random(texts, **shares, seed=settings.train.seed)
        truth = tickets[[name]].astype(object).reset_index(drop=True)
        order = np.random.default_rng(settings.train.seed).permutation(split.fit)
        points = []
        for share in _CURVE:
            part = order[: max(round(share * len(order)), 2 * _FEW)]
            model = TriageClassifier(seed=settings.train.seed).fit([texts[row] for row in part], truth.iloc[part])
            figures = evaluate(model, [texts[row] for row in split.test], truth.iloc[split.test])
            points.append((len(part), figures.targets[name].macro_f1.value))
        return learning_curve(name, list(dict(points).items()))
    except (TriageError, ValueError):  # too few tickets for a curve
        return None


def _groups(tickets: pd.DataFrame, texts: Sequence[str], taxonomy: Taxonomy) -> tuple[list[SimilarLabels], list[str]]:
    if "assignment_group" not in tickets or tickets["assignment_group"].isna().all():
        return [], []
    groups = tickets["assignment_group"]
    known = [name for name in sorted(groups.dropna().unique()) if not taxonomy.groups or taxonomy.group(name)]
    unknown = sorted(set(groups.dropna().unique()) - set(known))
    if "opened_at" not in tickets:
        return [], unknown
    return renamed_groups(groups, tickets["opened_at"], texts), unknown


def _reassigned(tickets: pd.DataFrame) -> float | None:
    """Share of tickets whose final group is not the first; None where nobody counted."""
    if "reassignment_count" not in tickets or tickets["reassignment_count"].isna().all():
        return None
    return float((tickets["reassignment_count"].dropna() > 0).mean())


def _advice(found: Readiness, settings: Settings) -> list[str]:
    said = []
    if not found.targets:
        said.append(f"No label to learn from: none of {', '.join(settings.train.targets)} is in these tickets.")
    if found.usable < 500:
        said.append(
            f"{found.usable} usable tickets: enough to try, too few to promise a precision. A few thousand help."
        )
    for target in found.targets:
        if target.rare:
            said.append(
                f"{target.name}: {len(target.rare)} of {len(target.classes)} classes have fewer than {_FEW} tickets; "
                "merge them, or expect a person to decide them."
            )
        said.extend(
            f"{target.name}: {row.other!r} ({row.other_tickets}) is probably {row.kept!r} ({row.kept_tickets})."
            for row in target.similar[:5]
        )
        if target.labelled and len(target.doubts) / target.labelled > 0.02:
            share = len(target.doubts) / min(target.labelled, _MOST_TO_FIT)
            said.append(f"{target.name}: {share:.1%} of labels are doubtful; have the surest looked at first.")
        if target.curve is not None and target.curve.gain > 0.01:
            said.append(f"{target.name}: twice the tickets would bring about {100 * target.curve.gain:.1f} points.")
    said.extend(f"Group {row.other!r} seems to be called {row.kept!r} now: add an alias." for row in found.renamed[:10])
    if found.unknown_groups:
        said.append(
            f"{len(found.unknown_groups)} groups are not in the taxonomy: {', '.join(found.unknown_groups[:5])}."
        )
    if found.reassigned is not None and found.reassigned > 0.3:
        said.append(
            f"{found.reassigned:.0%} of tickets changed hands: the first group is a poor label, the last is used."
        )
    if found.template_share > 0.3:
        said.append(f"{found.template_share:.0%} of tickets repeat a template: figures are taken without repeats.")
    return said
