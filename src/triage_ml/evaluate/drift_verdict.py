"""Signals of a week -> a plain verdict with its reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from triage_ml.evaluate.drift import WeekDrift

__all__ = ["Verdict", "judge_week"]

Verdict = Literal["nothing to do", "look", "retrain"]

_PSI_LOOK, _PSI_RETRAIN = 0.1, 0.25
_CONFIDENCE_ERROR = 0.001
_UNSEEN_RETRAIN = 0.10
_ORDER: tuple[Verdict, ...] = ("nothing to do", "look", "retrain")


def judge_week(one: WeekDrift, promise: float) -> WeekDrift:
    """The week with its verdict; `promise` is the precision that was promised of what is decided `auto`."""
    said = [*_on_words(one), *_on_classes(one), *_on_precision(one, promise), *_on_labels(one)]
    verdict: Verdict = max((level for level, _ in said), key=_ORDER.index, default="nothing to do")
    reasons = [reason for level, reason in sorted(said, key=lambda row: -_ORDER.index(row[0]))]
    return replace(one, verdict=verdict, reasons=reasons)


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
    for name, shift in one.confidence.items():
        if shift.p_value < _CONFIDENCE_ERROR:
            said.append(("look", f"{name}: mean probability is {shift.now:.3f}, usual {shift.usual:.3f}"))
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
