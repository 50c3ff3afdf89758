"""How often a promised precision is kept, and at what coverage: over resamples of public sets, and over time on desks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from triage_training.train import train

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run
from public_sets import Part, halves, simulated_desk, train_part

from triage_ml.classify import Policy, choose_policy, lower_bound
from triage_ml.classify.calibrate import cross_calibrate, fit_calibrator
from triage_ml.classify.heads import fit_head
from triage_ml.features import LexicalFeatures
from triage_ml.settings import Settings

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


def plain(probabilities: Floats, truth: Rows, promise: float) -> Policy:
    """The lowest threshold at which the calibration tickets reach the promise, without a bound."""
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    return Policy(promise, _reaching(confidence, right, promise)[0], np.ones(probabilities.shape[1], dtype=bool))


def one_for_each(probabilities: Floats, truth: Rows, promise: float) -> Policy:
    """A bounded threshold for every class of its own, from its own tickets alone."""
    predicted = probabilities.argmax(axis=1)
    own = []
    for index in range(probabilities.shape[1]):
        mine = predicted == index
        given = choose_policy(probabilities[mine], truth[mine], promise) if mine.any() else None
        own.append((index, given.threshold if given else 2.0))
    return Policy(promise, 0.0, np.ones(probabilities.shape[1], dtype=bool), own=tuple(own))


WAYS: dict[str, Callable[[Floats, Rows, float], Policy]] = {
    "no bound": plain,
    "a bounded threshold for each class": one_for_each,
    "shared and bounded, own where broken (ours)": choose_policy,
}


def _reaching(confidence: Floats, right: NDArray[np.bool_], promise: float) -> tuple[float, float]:
    """Lowest threshold whose set is right as often as promised, and its coverage: what the ranking could reach."""
    order = np.argsort(-confidence, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    reached = np.flatnonzero(share >= promise)
    if not len(reached):
        return 2.0, 0.0
    return float(confidence[order[reached[-1]]]), (reached[-1] + 1) / len(order)


def resampled(part: Part, run: Run) -> dict[str, list[dict[str, Any]]]:
    """One head; its held-out tickets are split anew in each resample."""
    fit, held_out = next(halves(part, run.config["share"], [0]))
    features = LexicalFeatures().fit([part.texts[row] for row in fit])
    head = fit_head(
        "label", features.transform(part.texts), fit, part.labels[fit], penalty=run.config["penalty"], seed=0
    )
    margins = head.margins(features.transform([part.texts[row] for row in held_out]))
    place = {label: index for index, label in enumerate(head.classes)}
    truth = np.array([place.get(label, -1) for label in part.labels[held_out]])
    found: dict[str, list[dict[str, Any]]] = {}
    for seed in range(run.config["resamples"]):
        asked = np.random.default_rng(seed).random(len(held_out)) < 0.5
        calibrator, offsets = fit_calibrator(margins[~asked], truth[~asked])
        seen = cross_calibrate(margins[~asked], truth[~asked], seed=seed)
        given = calibrator.probabilities(margins[asked] + offsets)
        for promise in run.config["promises"]:
            for way, choose in WAYS.items():
                policy = choose(seen, truth[~asked], promise)
                found.setdefault(f"{promise:.2f} {way}", []).append(kept(policy, given, truth[asked]))
    return found


def kept(policy: Policy, given: Floats, truth: Rows) -> dict[str, Any]:
    """Coverage, precision, what the ranking could reach, and the worst class that has 30 tickets decided auto."""
    chosen, confidence = given.argmax(axis=1), given.max(axis=1)
    right, automatic = chosen == truth, policy.automatic(confidence, chosen)
    worst = [right[automatic & (chosen == k)].mean() for k in np.flatnonzero(np.bincount(chosen[automatic]) >= 30)]
    return {
        "coverage": float(automatic.mean()),
        "precision": float(right[automatic].mean()) if automatic.any() else None,
        "reachable": _reaching(confidence, right, policy.precision)[1],
        "worst_class": float(min(worst)) if worst else None,
    }


def over_time(run: Run) -> dict[str, list[dict[str, Any]]]:
    """`triage train` as it is; asked are the latest fifth of the tickets, repeats of known templates not among them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for seed in run.config["desks"]:
        table, _ = simulated_desk(run.config["desk_tickets"], run.config["desk_weeks"], seed)
        trained = train(table, Settings())
        answers = trained.answers
        for target, figures in trained.evaluation.targets.items():
            rows = answers[answers[f"{target}_truth"].notna()]
            right = (rows[target] == rows[f"{target}_truth"]).to_numpy(dtype=bool)
            for promise, row in figures.coverage.items():
                confidence = rows[f"{target}_probability"].to_numpy()
                found.setdefault(f"{target} {promise}", []).append(
                    {
                        "coverage": row.coverage,
                        "precision": row.precision,
                        "tickets": row.tickets,
                        "reachable": _reaching(confidence, right, float(promise))[1],
                    }
                )
        print(f"desk {seed}", file=sys.stderr, flush=True)
    return found


def summary(runs: list[dict[str, Any]], promise: float) -> dict[str, Any]:
    """How often it was kept (nothing decided keeps it), the mean coverage, and how far below what could be reached."""
    kept_runs = [run for run in runs if run["precision"] is None or run["precision"] >= promise]
    precision = [run["precision"] for run in runs if run["precision"] is not None]
    worst = [run["worst_class"] for run in runs if run.get("worst_class") is not None]
    return {
        "runs": len(runs),
        "kept": len(kept_runs),
        "kept_at_least": round(lower_bound(len(kept_runs), len(runs)), 3),
        "precision": round(float(np.mean(precision)), 4) if precision else None,
        "coverage": round(float(np.mean([run["coverage"] for run in runs])), 4),
        "reachable": round(float(np.mean([run["reachable"] for run in runs])), 4),
        "worst_class": round(float(np.mean(worst)), 3) if worst else None,
    }


def line(title: str, row: dict[str, Any]) -> str:
    """One row of the table."""
    precision = "–" if row["precision"] is None else f"{100 * row['precision']:.1f} %"
    worst = "–" if row["worst_class"] is None else f"{100 * row['worst_class']:.0f} %"
    gap = 100 * (row["reachable"] - row["coverage"])
    return (
        f"| {title} | {row['kept']} of {row['runs']} | {precision} | {100 * row['coverage']:.1f} % "
        f"| {100 * row['reachable']:.1f} % | {gap:.1f} | {worst} |"
    )


def main() -> None:
    """Resamples, then desks."""
    run = Run(__file__, __doc__)
    found: dict[str, dict[str, Any]] = {}
    for each in run.config["sets"]:
        part = train_part(run.data, each, run.config["rows"])
        for way, runs in resampled(part, run).items():
            found[f"{part.name}, {way}"] = summary(runs, float(way[:4]))
        print(part.name, file=sys.stderr, flush=True)
    for what, runs in over_time(run).items():
        found[f"desks, {what}"] = summary(runs, float(what[-4:]))
    rows = [
        "| | kept | precision | coverage | could be reached | points below | worst class |",
        "|---|---|---|---|---|---|---|",
        *(line(title, row) for title, row in found.items()),
    ]
    run.write(found, "\n".join(rows))


if __name__ == "__main__":
    main()
