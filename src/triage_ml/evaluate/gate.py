"""May this model answer? The checks that stand between a trained version and the alias `champion`.

Absolute checks hold a model against what was promised; paired checks hold it against the champion on the same tickets. A
check never says only no: it carries its figure, its bound, and a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta

from triage_ml.evaluate.answers import answered_targets, stands_for
from triage_ml.evaluate.compare import GroupChange, calibration_change, compare, join_answers
from triage_ml.evaluate.metrics import GOOD_CALIBRATION, calibration_bound, calibration_error

__all__ = ["Check", "Cost", "Limits", "absolute_checks", "fair_rows", "paired_checks", "shadow_checks"]

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Limits:
    """What the gate asks. Shares are 0 to 1.

    Attributes
    ----------
    macro_f1_loss
        The lower end of the paired 95 % interval of the difference may not lie below minus this.
    recall_loss, recall_tickets
        No class with at least so many tickets may lose more recall than this.
    calibration_error
        Always good enough; above it the model must be no worse than a perfectly calibrated one could look by chance.
    milliseconds, megabytes
        Median time of one answer in this process, and the size of the bundle.
    """

    macro_f1_loss: float = 0.005
    recall_loss: float = 0.05
    recall_tickets: int = 50
    calibration_error: float = GOOD_CALIBRATION
    milliseconds: float = 10.0
    megabytes: float = 500.0


@dataclass(frozen=True)
class Cost:
    """What a model takes: median milliseconds of one answer, megabytes on disk."""

    milliseconds: float
    megabytes: float


@dataclass(frozen=True)
class Check:
    """One line of the gate's table; a `warning` is beyond its bound, but does not stop the model."""

    name: str
    target: str
    passed: bool
    figure: str
    bound: str
    reason: str
    warning: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def absolute_checks(
    answers: pd.DataFrame, promise: float, cost: Cost, limits: Limits, *, champion: pd.DataFrame | None = None
) -> list[Check]:
    """Calibration and promised precision of each target on tickets that the model has not seen; latency and size.

    A calibration error beyond its bound is a warning for the first version (no `champion`), and for one that is not surely
    worse calibrated than the champion on the same tickets (lower end of the paired interval at most 0): what a model decides
    by itself is held by the promise of precision, and to refuse it would keep nothing, or something no better. A model that
    decides nothing `auto` where the champion does is warned of, too: it breaks no promise, but nobody should learn of it later.
    """
    checks = []
    for target in answered_targets(answers):
        rows = answers[answers[f"{target}_truth"].notna().to_numpy() & (stands_for(answers) > 0)]
        if len(rows):
            right, confidence = _right(rows, target)
            check = _calibration(target, confidence, right, stands_for(rows), limits)
            checks.append(check if check.passed else _excused(check, rows, champion))
            automatic = rows[f"{target}_auto"].to_numpy(dtype=bool)
            promised = _promise(target, right[automatic], stands_for(rows)[automatic], promise)
            checks.append(promised if automatic.any() else _nothing_auto(promised, rows, champion))
    return [*checks, *_costs(cost, limits)]


def paired_checks(joined: pd.DataFrame, limits: Limits) -> list[Check]:
    """Macro-F1 and recall of each target against the champion, on `fair_rows`; `joined` is what `join_answers` made."""
    checks = []
    for target in answered_targets(joined):
        rows = fair_rows(joined, target)
        if f"before.{target}" in joined and len(rows):
            checks += _against_champion(rows, target, limits)
    lost = [
        name for name in answered_targets(joined.filter(like="before.")) if name.removeprefix("before.") not in joined
    ]
    return checks + [_lost_target(name.removeprefix("before.")) for name in lost]


def shadow_checks(joined: pd.DataFrame, limits: Limits, *, fewest: int) -> list[Check]:
    """Macro-F1 and recall on live tickets, for targets with at least `fewest` labels; only what is surely worse is refused.

    Live labels are few, so their intervals are wide: to ask that a loss be excluded, as `paired_checks` does on the test tickets,
    would refuse whoever has little traffic.
    """
    checks = []
    for target in answered_targets(joined):
        rows = fair_rows(joined, target)
        if f"before.{target}" in joined and len(rows) >= fewest:
            checks += _surely_worse(rows, target, limits)
    return checks


def fair_rows(joined: pd.DataFrame, target: str) -> pd.DataFrame:
    """Labelled tickets whose labels favour neither model; `joined` is what `join_answers` made.

    Where a label came back from the service (`label_source`), an answer that nobody looked at is the champion's own. Of what
    the champion decides `auto` people see little but its errors, so those tickets don't count either, right or wrong; but those
    that were picked for an audit do (`audit_…`): whether they were picked has nothing to do with what they are. A comparison
    takes each as one ticket: differences within the few audits should not be multiplied.
    """
    rows = joined[joined[f"{target}_truth"].notna()]
    if "label_source" not in rows or f"before.{target}_auto" not in rows:
        return rows
    source = rows["label_source"].astype("string")
    silent = source.str.endswith("_untouched").fillna(False) | rows[f"before.{target}_auto"].astype(bool)
    audited = source.str.startswith("audit_").fillna(False) & ~source.str.endswith("_untouched").fillna(False)
    return rows[(source.isna() | audited | ~silent).to_numpy(dtype=bool)]


def _calibration(
    target: str,
    confidence: NDArray[np.float32],
    right: NDArray[np.bool_],
    weights: NDArray[np.float64],
    limits: Limits,
) -> Check:
    error = calibration_error(confidence, right, weights)
    by_chance = calibration_bound(confidence, weights)
    held = error <= max(limits.calibration_error, by_chance)
    said = "stated probabilities mean what they say" if held else "stated probabilities can't be relied on"
    bound = f"at most {limits.calibration_error:g}, or {by_chance:.3f} as a perfect model by chance"
    return Check("calibration", target, held, f"{error:.3f}", bound, said)


def _excused(check: Check, rows: pd.DataFrame, champion: pd.DataFrame | None) -> Check:
    """A calibration beyond the bound is only warned of where there is no champion, or one that is not surely better."""
    if champion is None:
        return replace(check, passed=True, warning=True)
    if f"{check.target}_truth" not in champion:
        return check
    both = join_answers(champion, rows)
    change = calibration_change(both, check.target)
    low, high = (f"{end:+.3f}" for end in (change.low, change.high))
    if change.low > 0:
        return replace(check, reason=f"{check.reason}, and worse than the champion's ({low} to {high})")
    return replace(
        check, passed=True, warning=True, reason=f"{check.reason}, as little as the champion's ({low} to {high})"
    )


def _nothing_auto(check: Check, rows: pd.DataFrame, champion: pd.DataFrame | None) -> Check:
    """A warning where the champion decides some of these tickets `auto`."""
    if champion is None or f"{check.target}_auto" not in champion:
        return check
    both = champion[champion["ticket"].isin(rows["ticket"])]
    if not (automatic := both[f"{check.target}_auto"].astype(bool)).any():
        return check
    lost = f"nothing is decided auto any more; the champion decides {automatic.sum():,} of these {len(both):,} tickets"
    return replace(check, warning=True, reason=lost)


def _right(rows: pd.DataFrame, target: str) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Which answers were right, and their probabilities."""
    right = (rows[target] == rows[f"{target}_truth"]).to_numpy(dtype=bool)
    return right, rows[f"{target}_probability"].to_numpy(np.float32)


def _promise(target: str, right: NDArray[np.bool_], weights: NDArray[np.float64], promise: float) -> Check:
    """Broken where even the upper end of the precision's interval lies below the promise (Clopper and Pearson 1934).

    Rows that stand for several tickets count so often, and for the interval the tickets are as many as weigh as much evenly
    (Kish 1965).
    """
    bound = f"{promise:.1%}"
    if not len(right):
        return Check("precision", target, True, "no auto", bound, "nothing is decided auto, so nothing is promised")
    precision = float(np.average(right, weights=weights))
    total = float(weights.sum() ** 2 / (weights**2).sum())
    hits = precision * total
    high = 1.0 if right.all() else float(beta.ppf(_CONFIDENCE, hits + 1, total - hits))
    figure = f"{precision:.1%} of {round(weights.sum()):,}"
    if high < promise:
        return Check("precision", target, False, figure, bound, f"the promise is broken: at most {high:.1%} is likely")
    return Check("precision", target, True, figure, bound, "the promise holds, as far as these tickets can tell")


def _costs(cost: Cost, limits: Limits) -> Sequence[Check]:
    fast, small = cost.milliseconds <= limits.milliseconds, cost.megabytes <= limits.megabytes
    return (
        Check(
            "latency",
            "",
            fast,
            f"{cost.milliseconds:.1f} ms",
            f"at most {limits.milliseconds:g} ms",
            "fast enough" if fast else "too slow for the service",
        ),
        Check(
            "size",
            "",
            small,
            f"{cost.megabytes:.1f} MB",
            f"at most {limits.megabytes:g} MB",
            "small enough" if small else "too big for the service",
        ),
    )


def _against_champion(joined: pd.DataFrame, target: str, limits: Limits) -> list[Check]:
    found = compare(joined, target)
    difference = found.macro_f1
    held = difference.low > -limits.macro_f1_loss
    checks = [
        Check(
            "macro-F1",
            target,
            held,
            f"{100 * difference.value:+.1f} points ({100 * difference.low:+.2f} to {100 * difference.high:+.2f})",
            f"lower end above {-100 * limits.macro_f1_loss:+.1f}",
            "not worse than the champion" if held else "may be worse than the champion",
        )
    ]
    counted = [row for row in found.classes if row.tickets >= limits.recall_tickets]
    losers = [row for row in counted if row.change < -limits.recall_loss]
    if not counted:
        why = f"no class has {limits.recall_tickets} tickets, so nothing can be said"
        return [*checks, Check("recall", target, True, "none", "–", why)]
    worst = counted[0]
    said = (
        "no class loses"
        if not losers
        else f"lost: {', '.join(f'{row.name} ({100 * row.change:+.1f})' for row in losers[:5])}"
    )
    bound = f"no class below {-100 * limits.recall_loss:+.1f}"
    figure = f"{worst.name} {100 * worst.change:+.1f} points"
    return [*checks, Check("recall", target, not losers, figure, bound, said)]


def _surely_worse(rows: pd.DataFrame, target: str, limits: Limits) -> list[Check]:
    found = compare(rows, target)
    low, value, high = (100 * end for end in (found.macro_f1.low, found.macro_f1.value, found.macro_f1.high))
    held = high >= 0
    said = "not surely worse than the champion" if held else "surely worse than the champion"
    figure = f"{value:+.1f} points ({low:+.1f} to {high:+.1f})"
    checks = [Check("macro-F1", target, held, figure, "upper end at least +0.0", said)]
    losers = [row for row in found.classes if row.tickets >= limits.recall_tickets and _most_change(row) < 0]
    losers = [row for row in losers if row.change < -limits.recall_loss]
    if losers:
        said = f"surely lost: {', '.join(f'{row.name} ({100 * row.change:+.1f})' for row in losers[:5])}"
        figure = f"{losers[0].name} {100 * losers[0].change:+.1f} points"
        checks.append(
            Check("recall", target, False, figure, f"no class surely below {-100 * limits.recall_loss:+.1f}", said)
        )
    return checks


def _most_change(row: GroupChange) -> float:
    """Upper end of the change of a class's recall, as if its two shares were independent: paired ones vary less."""
    spread = sum(share * (1 - share) for share in (row.before, row.after)) / row.tickets
    return row.change + 1.96 * float(np.sqrt(spread))


def _lost_target(name: str) -> Check:
    return Check("targets", name, False, "not answered", "answered", "the champion answers it, this model does not")
