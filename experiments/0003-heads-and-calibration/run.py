"""Heads, calibrators, and fitting again on all: accuracy, log loss and calibration error of each, on tickets nobody saw."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.isotonic import IsotonicRegression
from sklearn.svm import LinearSVC

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run
from public_sets import halves, simulated_desk, train_part

from triage_ml.classify.calibrate import Calibrator, fit_calibrator, fit_temperature, softmax
from triage_ml.classify.heads import LinearHead, fit_head
from triage_ml.evaluate import GOOD_CALIBRATION, calibration_bound, calibration_error, split_by_time
from triage_ml.features import LexicalFeatures

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
#: From margins of tickets that were not fitted on, and the index of their class (-1: unknown), to a function of margins.
Calibrate = Callable[[Floats, Rows], Callable[[Floats], Floats]]


def temperature(margins: Floats, truth: Rows) -> Callable[[Floats], Floats]:
    """One number."""
    chosen = fit_temperature(margins[truth >= 0], truth[truth >= 0])
    return lambda later: softmax(later, chosen)


def temperature_and_isotonic(margins: Floats, truth: Rows) -> Callable[[Floats], Floats]:
    """One number, then isotonic regression of the largest probability."""
    first = temperature(margins, truth)
    given = first(margins)
    steps = IsotonicRegression(y_min=0.001, y_max=0.999, out_of_bounds="clip")
    steps.fit(given.max(axis=1), given.argmax(axis=1) == truth)
    return lambda later: _with_top(first(later), steps.predict)


def temperature_and_offsets(margins: Floats, truth: Rows) -> Callable[[Floats], Floats]:
    """One number and an offset a class."""
    found, offsets = fit_calibrator(margins, truth)
    return lambda later: Calibrator(found.temperature).probabilities(later + offsets)


def all_three(margins: Floats, truth: Rows) -> Callable[[Floats], Floats]:
    """One number, an offset a class, beta calibration of the largest probability."""
    found, offsets = fit_calibrator(margins, truth)
    return lambda later: found.probabilities(later + offsets)


CALIBRATORS: dict[str, Calibrate] = {
    "temperature": temperature,
    "temperature, isotonic": temperature_and_isotonic,
    "temperature, offsets": temperature_and_offsets,
    "temperature, offsets, beta": all_three,
}


def _with_top(given: Floats, change: Callable[[Floats], Any]) -> Floats:
    rows, best = np.arange(len(given)), given.argmax(axis=1)
    before = given[rows, best]
    after = np.asarray(change(before), dtype=np.float32)
    given = given * ((1 - after) / np.maximum(1 - before, 1e-9))[:, None]
    given[rows, best] = after
    return given


def machine(vectors: sparse.csr_matrix, rows: Rows, labels: NDArray[Any], penalty: float) -> LinearHead:
    """A support vector machine as a head."""
    fitted = LinearSVC(C=penalty, tol=1e-2, random_state=0).fit(vectors[rows], labels)
    return LinearHead(tuple(fitted.classes_), fitted.coef_.T.astype(np.float32), fitted.intercept_.astype(np.float32))


def logistic(vectors: sparse.csr_matrix, rows: Rows, labels: NDArray[Any], penalty: float) -> LinearHead:
    """Ours."""
    return fit_head("label", vectors, rows, labels, penalty=penalty, seed=0)


class Task:
    """One target of one set: rows that fit, that calibrate, that are asked."""

    def __init__(
        self, name: str, texts: list[str], labels: NDArray[Any], fit: Rows, calibrate: Rows, ask: Rows
    ) -> None:
        self.name, self.labels, self.fit, self.calibrate, self.ask = name, labels, fit, calibrate, ask
        self.vectors = LexicalFeatures().fit([texts[row] for row in (*fit, *calibrate)]).transform(texts)

    def codes(self, head: LinearHead, rows: Rows) -> Rows:
        """Index of the true class, -1 where the head does not know it."""
        place = {label: index for index, label in enumerate(head.classes)}
        return np.array([place.get(label, -1) for label in self.labels[rows]])

    def figures(self, given: Floats, truth: Rows) -> dict[str, float]:
        """What counts."""
        confidence, right = given.max(axis=1), given.argmax(axis=1) == truth
        own = np.where(truth >= 0, given[np.arange(len(truth)), truth], 1e-6)
        return {
            "accuracy": float(right.mean()),
            "log_loss": float(-np.log(np.maximum(own, 1e-6)).mean()),
            "ece": calibration_error(confidence, right),
            "by_chance": calibration_bound(confidence),
        }


def heads_and_calibrators(task: Task, penalties: dict[str, float]) -> dict[str, dict[str, float]]:
    """Fitted on one part, calibrated on the next, asked of the last."""
    found = {}
    for name, fit in (("LinearSVC", machine), ("logistic", logistic)):
        head = fit(task.vectors, task.fit, task.labels[task.fit], penalties[name])
        seen, later = (head.margins(task.vectors[rows]) for rows in (task.calibrate, task.ask))
        for how, calibrate in CALIBRATORS.items():
            given = calibrate(seen, task.codes(head, task.calibrate))(later)
            found[f"{name}; {how}"] = task.figures(given, task.codes(head, task.ask))
    return found


def fitted_again(task: Task, penalty: float) -> dict[str, dict[str, float]]:
    """The same heads once they learn from the calibration part too, by where their calibration comes from."""
    everything = np.concatenate([task.fit, task.calibrate])
    first = logistic(task.vectors, task.fit, task.labels[task.fit], penalty)
    found = {}
    for how, scale in (("C as it was", 1.0), ("C by tickets", len(task.fit) / len(everything))):
        head = logistic(task.vectors, everything, task.labels[everything], penalty * scale)
        later, truth = head.margins(task.vectors[task.ask]), task.codes(head, task.ask)
        codes = task.codes(head, task.calibrate)
        kept = all_three(_spread(first, head, task.vectors[task.calibrate]), codes)
        found[f"fitted again, {how}; calibrator of the first fit"] = task.figures(kept(later), truth)
        asked = np.empty((len(task.calibrate), len(head.classes)), dtype=np.float32)
        fold = np.random.default_rng(0).integers(0, 3, len(task.calibrate))
        for number in range(3):
            rows = np.concatenate([task.fit, task.calibrate[fold != number]])
            part = logistic(task.vectors, rows, task.labels[rows], penalty * scale * len(everything) / len(rows))
            asked[fold == number] = _spread(part, head, task.vectors[task.calibrate[fold == number]])
        found[f"fitted again, {how}; asked in folds"] = task.figures(all_three(asked, codes)(later), truth)
    return found


def _spread(part: LinearHead, head: LinearHead, vectors: sparse.csr_matrix) -> Floats:
    """Margins of a head with fewer classes in the columns of one with more."""
    given = part.margins(vectors)
    spread = np.repeat(given.min(axis=1, keepdims=True), len(head.classes), axis=1)
    spread[:, [head.classes.index(label) for label in part.classes]] = given
    return spread


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


def table(found: dict[str, dict[str, list[dict[str, float]]]]) -> str:
    """One row a way, one column a set: accuracy, log loss, calibration error and how often it was within the rule."""
    names = list(found)
    rows = [f"| | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for way in found[names[0]]:
        cells = []
        for name in names:
            runs = found[name][way]
            mean = {what: np.mean([one[what] for one in runs]) for what in runs[0]}
            held = sum(one["ece"] <= max(GOOD_CALIBRATION, one["by_chance"]) for one in runs)
            cells.append(f"{mean['accuracy']:.3f} / {mean['log_loss']:.3f} / {mean['ece']:.3f} ({held} of {len(runs)})")
        rows.append(f"| {way} | {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> None:
    """All sets and desks."""
    run = Run(__file__, __doc__)
    found: dict[str, dict[str, list[dict[str, float]]]] = {}
    for task in tasks(run):
        penalties = run.config["penalties"]
        ways = heads_and_calibrators(task, penalties) | fitted_again(task, penalties["logistic"])
        for way, figures in ways.items():
            rounded = {what: round(value, 4) for what, value in figures.items()}
            found.setdefault(task.name, {}).setdefault(way, []).append(rounded)
        print(task.name, file=sys.stderr, flush=True)
    run.write(found, table(found))


if __name__ == "__main__":
    main()
