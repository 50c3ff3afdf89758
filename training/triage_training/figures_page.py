"""Figures of models as lines for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from triage_ml.console import Output
from triage_ml.evaluate import GOOD_CALIBRATION, Check, Comparison, Evaluation, SliceFigures

__all__ = ["print_checks", "print_comparison", "print_evaluation", "print_slices"]

_ROWS = 5


def print_evaluation(out: Output, evaluation: Evaluation) -> None:
    """One line a target."""
    out.say(
        f"{'target':<20} {'tickets':>8} {'accuracy':>9} {'macro-F1':>9} {'ECE':>6} {'good to':>8}   auto at 0.90: share, right"
    )
    for name, figures in evaluation.targets.items():
        row = figures.coverage.get("0.90")
        auto = f"{row.coverage:.1%}, {row.precision:.1%}" if row and row.precision is not None else "none"
        out.say(
            f"{name:<20} {figures.tickets:>8,} {figures.accuracy.value:>9.1%} {figures.macro_f1.value:>9.1%} "
            f"{figures.ece:>6.3f} {max(GOOD_CALIBRATION, figures.ece_by_chance):>8.3f}   {auto}"
        )


def print_checks(out: Output, checks: Sequence[Check]) -> None:
    """The gate's table; nothing where there are no checks."""
    if not checks:
        return
    names = [f"{check.name} {check.target}".strip() for check in checks]
    widths = [max(map(len, column)) for column in (names, [c.figure for c in checks], [c.bound for c in checks])]
    out.say()
    for name, check in zip(names, checks, strict=True):
        mark = "warn" if check.warning else "pass" if check.passed else "FAIL"
        out.say(f"{mark}  {name:<{widths[0]}}  {check.figure:<{widths[1]}}  {check.bound:<{widths[2]}}  {check.reason}")


def print_comparison(out: Output, found: Comparison) -> None:
    """Difference with its interval, then the classes and slices that changed most."""
    out.say(f"\n{found.target}: {found.tickets:,} tickets, {len(found.fixed):,} fixed, {len(found.broken):,} broken")
    for name, figure in (("accuracy", found.accuracy), ("macro-F1", found.macro_f1)):
        points = [100 * value for value in (figure.value, figure.low, figure.high)]
        out.say("  {:<10} {:+.1f} points ({:+.1f} to {:+.1f})".format(name, *points))
    for title, rows in (("class", found.classes), *found.slices.items()):
        changed = [row for row in rows if abs(row.change) >= 0.005]
        shown = changed if len(changed) <= 2 * _ROWS else [*changed[:_ROWS], *changed[-_ROWS:]]
        for row in shown:
            words = f"{row.before:.1%} -> {row.after:.1%} ({100 * row.change:+.1f})"
            out.say(f"  {title.removeprefix('slice.'):<10} {row.name:<28} {row.tickets:>7,}  {words}")


def print_slices(out: Output, slices: Mapping[str, Sequence[SliceFigures]]) -> None:
    """Accuracy with its interval, and what is decided auto, by part of the tickets."""
    for target, rows in slices.items():
        out.say(f"\n{target}")
        for row in rows:
            right = "" if row.precision is None else f", {row.precision:.1%} of those right"
            figure = f"{row.accuracy.value:.1%} ({row.accuracy.low:.1%} to {row.accuracy.high:.1%})"
            out.say(f"  {row.slice:<9} {row.value:<22} {row.tickets:>7,}  {figure}  auto {row.coverage:.1%}{right}")
