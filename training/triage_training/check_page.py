"""What `triage check` found, for a terminal and as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence

import jinja2

from triage_ml import __version__
from triage_ml.console import Output
from triage_training.plots import curve_plot
from triage_training.readiness import Readiness

__all__ = ["print_readiness", "render_readiness"]

_DOUBTS = 100


def render_readiness(found: Readiness, ticket_ids: Sequence[str]) -> str:
    """The page as a string. It shows a few doubted tickets with their redacted text: it stays on this machine."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("triage_training"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    targets = [
        {
            "found": target,
            "curve": "" if target.curve is None else curve_plot(target.curve),
            "doubts": [
                {"ticket_id": ticket_ids[doubt.row], "doubt": doubt, "text": text}
                for doubt, text in zip(
                    target.doubts[:_DOUBTS],
                    [*target.examples, *[""] * _DOUBTS],
                    strict=False,
                )
            ],
        }
        for target in found.targets
    ]
    return environment.get_template("check.html").render(found=found, targets=targets, version=__version__)


def print_readiness(out: Output, found: Readiness) -> None:
    """What can be learnt, what can't, and what to do."""
    languages = ", ".join(f"{name} {share:.0%}" for name, share in found.languages.items() if share >= 0.005)
    out.say(f"{found.tickets:,} tickets, {found.usable:,} usable. Languages: {languages}.")
    out.say(f"{found.template_share:.0%} repeat a template, {found.repeats_share:.0%} have their exact like.")
    _print_leaks(out, found)
    for target in found.targets:
        out.say(
            f"\n{target.name}: {target.labelled:,} labelled, {len(target.classes)} classes, {len(target.rare)} rare, "
            f"{len(target.doubts):,} labels doubtful (judged by {', '.join(('text', *target.read))})"
        )
        if target.curve is not None:
            points = ", ".join(f"{tickets:,}: {figure:.1%}" for tickets, figure in target.curve.points)
            out.say(f"  macro-F1 by tickets fitted on: {points}; at twice as many about {target.curve.doubled:.1%}")
    if found.handoffs is not None:
        out.say(f"\nFirst against final group: {found.handoffs.moved:.0%} of tickets were closed by another.")
        for first, final, count in found.handoffs.ways[:5]:
            out.say(f"  {count:>7,}  {first} -> {final}")
    _print_lines(out, "\nFor taxonomy.toml:", found.aliases, "  ")
    _print_lines(out, "\nWhat to do:", found.advice, "  - ")


def _print_leaks(out: Output, found: Readiness) -> None:
    if found.leaks.after_triage:
        out.say(f"Known only after triage, never a feature: {', '.join(found.leaks.after_triage)}.")
    for target, columns in found.leaks.determines.items():
        out.say(f"{', '.join(columns)} all but gives the {target}: a model that reads it would only repeat it.")
    if found.leaks.later:
        share = found.leaks.repeats / found.leaks.later
        out.say(f"{share:.0%} of the later tickets repeat a template of an earlier part: not in the figures.")


def _print_lines(out: Output, title: str, lines: Sequence[str], mark: str) -> None:
    if lines:
        out.say(title)
        for line in lines:
            out.say(f"{mark}{line}")
