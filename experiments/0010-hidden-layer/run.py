"""A hidden layer beside the linear head: accuracy, log loss and calibration of each alone and of both, on tickets nobody saw."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run
from public_sets import halves, simulated_desk, train_part

from triage_ml.classify.blend import choose_share
from triage_ml.classify.calibrate import fit_calibrator
from triage_ml.classify.heads import choose_penalty, fit_head
from triage_ml.classify.network_fit import fit_network, place_columns, visits_of
from triage_ml.evaluate import GOOD_CALIBRATION, calibration_bound, calibration_error, split_by_time
from triage_ml.features import LexicalFeatures

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Task:
    """One target of one set: rows that fit, that calibrate, that are asked."""

    name: str
    texts: list[str]
    labels: NDArray[Any]
    fit: Rows
    calibrate: Rows
    ask: Rows


def tasks(run: Run) -> Iterator[Task]:
    """Public sets at random, desks in order of time."""
    config = run.config
    for each in config["sets"]:
        part = train_part(run.data, each, config["rows"])
        for fit, rest in halves(part, config["share"], config["seeds"]):
            second = np.random.default_rng(0).random(len(rest)) < 0.5
            yield Task(part.name, part.texts, part.labels, fit, rest[~second], rest[second])
    for seed in config["desks"]:
        table, texts = simulated_desk(config["desk_tickets"], config["desk_weeks"], seed)
        split = split_by_time(table["opened_at"], texts, calibration_share=0.15, test_share=0.2)
        for target in config["desk_targets"]:
            there = table[target].notna().to_numpy()
            parts = [rows[there[rows]] for rows in (split.fit, split.calibration, split.test)]
            yield Task(f"desk {target}", texts, table[target].astype(object).to_numpy(), *parts)


def ways(task: Task) -> dict[str, dict[str, float]]:
    """Both heads fitted on one part, weighed and calibrated on the next, asked of the last."""
    vectors = LexicalFeatures().fit([task.texts[row] for row in task.fit]).transform(task.texts)
    labels = task.labels[task.fit]
    begun = time.process_time()
    penalty = choose_penalty("label", vectors, task.fit, labels, np.arange(len(labels)), seed=0)
    linear = fit_head("label", vectors, task.fit, labels, penalty=penalty, seed=0)
    between = time.process_time()
    codes, count = codes_of(linear.classes, labels), len(linear.classes)
    visits = visits_of(len(codes))
    network = fit_network(vectors, place_columns(vectors[task.fit]), task.fit, codes, count, visits=visits, seed=0)
    seconds = between - begun, time.process_time() - between
    seen, later = (
        (linear.margins(vectors[rows]), network.scores(vectors[rows])) for rows in (task.calibrate, task.ask)
    )
    known, truth = (codes_of(linear.classes, task.labels[rows]) for rows in (task.calibrate, task.ask))
    share = np.float32(choose_share(*seen, known))
    return {
        "linear": figures(seen[0], known, later[0], truth) | {"seconds": seconds[0]},
        "network": figures(seen[1], known, later[1], truth) | {"seconds": seconds[1]},
        "both": figures(seen[0] + share * seen[1], known, later[0] + share * later[1], truth)
        | {"seconds": sum(seconds)},
    }


def codes_of(classes: tuple[str, ...], labels: NDArray[Any]) -> Rows:
    """Index of each label, -1 for one that is none of the classes."""
    place = {label: index for index, label in enumerate(classes)}
    return np.array([place.get(label, -1) for label in labels], dtype=np.int64)


def figures(seen: Floats, known: Rows, later: Floats, truth: Rows) -> dict[str, float]:
    """What counts, on the later tickets, with a calibrator of those that were seen."""
    calibrator, offsets = fit_calibrator(seen, known)
    given = calibrator.probabilities(later + offsets)
    confidence, right = given.max(axis=1), given.argmax(axis=1) == truth
    own = np.where(truth >= 0, given[np.arange(len(truth)), truth], 1e-6)
    return {
        "accuracy": float(right.mean()),
        "log_loss": float(-np.log(np.maximum(own, 1e-6)).mean()),
        "ece": calibration_error(confidence, right),
        "by_chance": calibration_bound(confidence),
    }


def table(found: dict[str, dict[str, list[dict[str, float]]]]) -> str:
    """One row a set."""
    names = list(next(iter(found.values())))
    rows = [f"| | {' | '.join(names)} | both over linear: accuracy in points, log loss, seconds |", "|---" * 5 + "|"]
    for name, runs in found.items():
        mean = {way: {what: np.mean([one[what] for one in each]) for what in each[0]} for way, each in runs.items()}
        cells = []
        for way in names:
            held = sum(one["ece"] <= max(GOOD_CALIBRATION, one["by_chance"]) for one in runs[way])
            figure = mean[way]
            cells.append(
                f"{figure['accuracy']:.3f} / {figure['log_loss']:.3f} / {figure['ece']:.3f} ({held} of {len(runs[way])})"
            )
        linear, both = mean["linear"], mean["both"]
        gain = 100 * (both["accuracy"] - linear["accuracy"])
        less = both["log_loss"] / linear["log_loss"]
        cells.append(f"{gain:+.1f}, × {less:.2f}, × {both['seconds'] / linear['seconds']:.1f}")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> None:
    """All sets and desks."""
    run = Run(__file__, __doc__)
    found: dict[str, dict[str, list[dict[str, float]]]] = {}
    for task in tasks(run):
        for way, figure in ways(task).items():
            rounded = {what: round(value, 4) for what, value in figure.items()}
            found.setdefault(task.name, {}).setdefault(way, []).append(rounded)
        print(
            task.name,
            {way: runs[-1]["accuracy"] for way, runs in found[task.name].items()},
            file=sys.stderr,
            flush=True,
        )
    run.write(found, table(found))


if __name__ == "__main__":
    main()
