"""The model card: what a model is for, what it was trained on, what it measured, and where not to trust it."""

from __future__ import annotations

from triage_ml import __version__
from triage_ml.evaluate import GOOD_CALIBRATION, TargetFigures, slice_figures
from triage_training.train import Trained

__all__ = ["model_card"]

_WEAKEST = 5
_FEWEST_IN_CLASS = 20


def model_card(trained: Trained, digest: str) -> str:
    """Markdown, without any ticket's text (Mitchell et al. 2019, "Model Cards for Model Reporting")."""
    return "\n\n".join(
        [f"# Model {digest[7:19]}", _purpose(trained), _data(trained), _figures(trained), _limits(trained)]
    )


def _purpose(trained: Trained) -> str:
    targets = ", ".join(trained.classifier.classes_)
    return (
        "## What it is for\n\n"
        f"Answers {targets} of IT support tickets from their text as filed, with a calibrated probability, and decides by "
        "itself only where the promised precision holds. Linear heads and a small network on lexical features; triage-ml "
        f"{__version__}. Not for judging the people who file or solve tickets, and not for text other than tickets."
    )


def _data(trained: Trained) -> str:
    profile, split = trained.profile, trained.split
    span = f", opened {profile['first'][:10]} to {profile['last'][:10]}" if "first" in profile else ""
    return (
        "## What it learnt from\n\n"
        f"{profile['tickets']:,} labelled tickets{span} (sha256 {profile['sha256'][:16]}); split by {split.how}: "
        f"learnt from {len(split.fit) + len(split.calibration):,}, {_calibrated_on(trained)}, tested on {len(split.test):,}. "
        "Text was cleaned and redacted first; nothing that is known only after triage was a feature."
    )


def _calibrated_on(trained: Trained) -> str:
    latest = len(trained.split.calibration)
    return f"calibrated on the latest {latest:,} of them" if latest else "calibrated by cross-fitting"


def _figures(trained: Trained) -> str:
    rows = [
        "## What it measured\n",
        "| target | accuracy | macro-F1 | calibration error | auto at 0.90 | right of those |",
        "|---|---|---|---|---|---|",
    ]
    for name, figures in trained.evaluation.targets.items():
        auto = figures.coverage.get("0.90")
        share = f"{auto.coverage:.1%}" if auto else "–"
        right = f"{auto.precision:.1%}" if auto and auto.precision is not None else "–"
        accuracy, f1 = (
            f"{each.value:.1%} ({each.low:.1%} to {each.high:.1%})" for each in (figures.accuracy, figures.macro_f1)
        )
        rows.append(f"| {name} | {accuracy} | {f1} | {_calibration(figures)} | {share} | {right} |")
    return "\n".join(rows)


def _calibration(figures: TargetFigures) -> str:
    bound = max(GOOD_CALIBRATION, figures.ece_by_chance)
    return f"{figures.ece:.3f} ({'within' if figures.calibrated else 'above'} {bound:.3f})"


def _limits(trained: Trained) -> str:
    lines = ["## Where not to trust it\n", *(f"- {note}" for note in trained.notes)]
    for name, figures in trained.evaluation.targets.items():
        tested = [row for row in figures.classes if row.tickets >= _FEWEST_IN_CLASS]
        weak = sorted(tested, key=lambda row: row.f1)[:_WEAKEST]
        if weak:
            said = ", ".join(f"{row.label} (F1 {row.f1:.2f}, {row.tickets} tickets)" for row in weak)
            lines.append(f"- {name}, weakest classes: {said}.")
        slices = sorted(slice_figures(trained.answers, name), key=lambda row: row.accuracy.value)[:2]
        lines.extend(
            f"- {name}, {row.slice} {row.value}: {row.accuracy.value:.1%} right on {row.tickets:,} tickets."
            for row in slices
        )
    return "\n".join(lines)
