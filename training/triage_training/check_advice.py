"""What to do about what `triage check` found: sentences, the most pressing first."""

from __future__ import annotations

from triage_training.check_target import FEW
from triage_training.readiness import Readiness, TargetReadiness

__all__ = ["advise"]

_FEW_TICKETS = 500
_MANY_DOUBTS = 0.02
_MANY_MOVED = 0.3
_MANY_REPEATS = 0.3
_WORTH_MORE = 0.01


def advise(found: Readiness) -> list[str]:
    """Sentences for a reader who decides what to put right before training."""
    said = [
        f"{name}: no label to learn from, the tickets have no such column or nothing in it." for name in found.missing
    ]
    if found.usable < _FEW_TICKETS:
        said.append(
            f"{found.usable} usable tickets: enough to try, too few to promise a precision. A few thousand help."
        )
    for target in found.targets:
        said += _on_target(target)
    said += _on_groups(found)
    return said + _on_figures(found)


def _on_target(target: TargetReadiness) -> list[str]:
    said = []
    if target.rare:
        said.append(
            f"{target.name}: {len(target.rare)} of {len(target.classes)} classes have fewer than {FEW} tickets; "
            "merge them, or expect a person to decide them."
        )
    said += [
        f"{target.name}: {row.other!r} ({row.other_tickets}) is probably {row.kept!r} ({row.kept_tickets})."
        for row in target.similar[:5]
    ]
    if target.judged and len(target.doubts) / target.judged > _MANY_DOUBTS:
        share = len(target.doubts) / target.judged
        said.append(f"{target.name}: {share:.1%} of labels are doubtful; have the surest looked at first.")
    if target.curve is not None and target.curve.gain > _WORTH_MORE:
        said.append(f"{target.name}: twice the tickets would bring about {100 * target.curve.gain:.1f} points.")
    return said


def _on_groups(found: Readiness) -> list[str]:
    said = [f"Group {row.other!r} seems to be called {row.kept!r} now: add an alias." for row in found.renamed[:10]]
    if found.unknown_groups:
        said.append(f"{_some(found.unknown_groups, 'not in the taxonomy')}")
    if found.new_groups:
        said.append(_some(found.new_groups, "new within these tickets: older tickets could not go there"))
    if found.retired_groups:
        said.append(_some(found.retired_groups, "seen no more: their old tickets still teach that they exist"))
    return said


def _some(names: list[str], what: str) -> str:
    one = "group is" if len(names) == 1 else "groups are"
    return f"{len(names)} {one} {what}: {', '.join(names[:5])}{', …' if len(names) > 5 else ''}."


def _on_figures(found: Readiness) -> list[str]:
    said = []
    moved = found.handoffs.moved if found.handoffs else found.reassigned
    if moved is not None and moved > _MANY_MOVED:
        said.append(f"{moved:.0%} of tickets changed hands: the first group is a poor label, the last is used.")
    if found.leaks.later and found.leaks.repeats / found.leaks.later > _MANY_REPEATS:
        share = found.leaks.repeats / found.leaks.later
        said.append(
            f"{share:.0%} of the later tickets repeat a template that training sees: figures are taken without them."
        )
    return said
