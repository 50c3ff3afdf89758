"""May this model answer? The checks that stand between a trained version and the alias `champion`.

Absolute checks hold a model against what was promised; paired checks hold it against the champion on the same tickets. A
check never says only no: it carries its figure, its bound, and a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta

from triage_ml.evaluate.answers import answered_targets
from triage_ml.evaluate.compare import compare
from triage_ml.evaluate.metrics import calibration_error

__all__ = ["Check", "Cost", "Limits", "absolute_checks", "calibration_bound", "paired_checks"]

_DRAWS = 500
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
    calibration_error: float = 0.015
    milliseconds: float = 10.0
    megabytes: float = 500.0


@dataclass(frozen=True)
class Cost:
    """What a model takes: median milliseconds of one answer, megabytes on disk."""

    milliseconds: float
    megabytes: float


@dataclass(frozen=True)
class Check:
    """One line of the gate's table."""

    name: str
    target: str
    passed: bool
    figure: str
    bound: str
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def absolute_checks(answers: pd.DataFrame, promise: float, cost: Cost, limits: Limits) -> list[Check]:
    """Calibration and promised precision of each target on tickets that the model has not seen; latency and size."""
    checks = []
    for target in answered_targets(answers):
        rows = answers[answers[f"{target}_truth"].notna()]
        if len(rows):
            right = (rows[target] == rows[f"{target}_truth"]).to_numpy(dtype=bool)
            checks.append(_calibration(target, rows[f"{target}_probability"].to_numpy(np.float32), right, limits))
            checks.append(_promise(target, right[rows[f"{target}_auto"].to_numpy(dtype=bool)], promise))
    return [*checks, *_costs(cost, limits)]


def paired_checks(joined: pd.DataFrame, limits: Limits) -> list[Check]:
    """Macro-F1 and recall of each target against the champion; `joined` is what `join_answers` made."""
    checks = []
    for target in answered_targets(joined):
        if f"before.{target}" in joined and joined[f"{target}_truth"].notna().any():
            checks += _against_champion(joined, target, limits)
    lost = [
        name for name in answered_targets(joined.filter(like="before.")) if name.removeprefix("before.") not in joined
    ]
    return checks + [_lost_target(name.removeprefix("before.")) for name in lost]


def calibration_bound(confidence: NDArray[np.float32], *, seed: int = 0) -> float:
    """95th percentile of the calibration error that a perfectly calibrated model shows at these confidences."""
    draw = np.random.default_rng(seed)
    errors = [calibration_error(confidence, draw.random(len(confidence)) < confidence) for _ in range(_DRAWS)]
    return float(np.quantile(errors, 0.95))


def _calibration(target: str, confidence: NDArray[np.float32], right: NDArray[np.bool_], limits: Limits) -> Check:
    error = calibration_error(confidence, right)
    bound = limits.calibration_error
    if error > bound:
        bound = max(bound, calibration_bound(confidence))
    said = "stated probabilities mean what they say" if error <= bound else "stated probabilities can't be relied on"
    return Check("calibration", target, error <= bound, f"{error:.3f}", f"at most {bound:.3f}", said)


def _promise(target: str, right: NDArray[np.bool_], promise: float) -> Check:
    """Broken where even the upper end of the precision's interval lies below the promise (Clopper and Pearson 1934)."""
    bound = f"{promise:.1%}"
    if not len(right):
        return Check("precision", target, True, "no auto", bound, "nothing is decided auto, so nothing is promised")
    hits, total = int(right.sum()), len(right)
    high = 1.0 if hits == total else float(beta.ppf(_CONFIDENCE, hits + 1, total - hits))
    figure = f"{hits / total:.1%} of {total:,}"
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
            f"{100 * difference.value:+.1f} points ({100 * difference.low:+.1f} to {100 * difference.high:+.1f})",
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


def _lost_target(name: str) -> Check:
    return Check("targets", name, False, "not answered", "answered", "the champion answers it, this model does not")
