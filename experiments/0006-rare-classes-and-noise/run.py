"""What wrong labels do to accuracy, calibration and the promise; and what becomes of rare classes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

sys.path.insert(0, str(Path(__file__).parents[1]))
import pandas as pd
from peers import PEERS, run_peer
from provenance import Run
from public_sets import Part, halves, train_part

from triage_ml.classify import TriageClassifier
from triage_ml.evaluate import calibration_error

Rows = NDArray[np.int64]
BANDS = ((1, 9), (10, 29), (30, 99), (100, 10**9))


def spoiled(labels: NDArray[Any], share: float, seed: int) -> NDArray[Any]:
    """So large a share of labels replaced by those of other tickets, drawn at random."""
    draw = np.random.default_rng(seed)
    wrong = draw.random(len(labels)) < share
    return np.where(wrong, draw.permutation(labels), labels)


def ours(part: Part, fit: Rows, labels: NDArray[Any], ask: Rows) -> tuple[pd.DataFrame, TriageClassifier]:
    """What the classifier decides."""
    model = TriageClassifier().fit([part.texts[row] for row in fit], pd.DataFrame({"label": labels}))
    return model.decide([part.texts[row] for row in ask]), model


def with_noise(part: Part, share: float, run: Run) -> dict[str, float | None]:
    """Fitted on spoiled labels, asked with true ones, and with labels that are spoiled as much."""
    found = []
    for seed, (fit, ask) in zip(
        run.config["seeds"], halves(part, run.config["share"], run.config["seeds"]), strict=True
    ):
        labels, recorded = spoiled(part.labels[fit], share, seed), spoiled(part.labels[ask], share, seed + 1000)
        answers, _ = ours(part, fit, labels, ask)
        right, as_recorded = (answers["label"].to_numpy() == truth for truth in (part.labels[ask], recorded))
        automatic = (answers["label_action"] == "auto").to_numpy()
        texts, asked = [part.texts[row] for row in fit], [part.texts[row] for row in ask]
        peer = run_peer(PEERS["words, LinearSVC"], texts, labels, asked).predicted
        found.append(
            {
                "accuracy": right.mean(),
                "peer": (peer == part.labels[ask]).mean(),
                "ece": calibration_error(answers["label_probability"].to_numpy(np.float32), as_recorded),
                "coverage": automatic.mean(),
                "kept_as_recorded": as_recorded[automatic].mean() if automatic.any() else None,
                "kept_in_truth": right[automatic].mean() if automatic.any() else None,
            }
        )
    return {what: _mean([one[what] for one in found]) for what in found[0]}


def _mean(values: list[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return round(float(np.mean(there)), 4) if there else None


def balanced(part: Part, fit: Rows, ask: Rows) -> NDArray[Any]:
    """A support vector machine whose classes weigh the same, however rare."""
    terms = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32)
    machine = make_pipeline(terms, LinearSVC(class_weight="balanced"))
    machine.fit([part.texts[row] for row in fit], part.labels[fit])
    given: NDArray[Any] = machine.predict([part.texts[row] for row in ask])
    return given


def by_rarity(part: Part, run: Run) -> dict[str, dict[str, Any]]:
    """Recall and precision of classes by how many tickets they were fitted on."""
    rows = []
    for fit, ask in halves(part, run.config["share"], run.config["seeds"]):
        answers, _ = ours(part, fit, part.labels[fit], ask)
        counts = pd.Series(part.labels[fit]).value_counts()
        texts, asked = [part.texts[row] for row in fit], [part.texts[row] for row in ask]
        rows.append(
            pd.DataFrame(
                {
                    "truth": part.labels[ask],
                    "ours": answers["label"].to_numpy(),
                    "automatic": (answers["label_action"] == "auto").to_numpy(),
                    "LinearSVC": run_peer(PEERS["words, LinearSVC"], texts, part.labels[fit], asked).predicted,
                    "balanced": balanced(part, fit, ask),
                    "fitted": counts.reindex(part.labels[ask]).fillna(0).to_numpy(),
                }
            )
        )
    every = pd.concat(rows)
    found = {}
    for low, high in BANDS:
        of_band = every[every["fitted"].between(low, high)]
        names = set(of_band["truth"])
        row: dict[str, Any] = {"tickets": len(of_band), "classes": len(names)}
        for who in ("ours", "LinearSVC", "balanced"):
            answered = every[every[who].isin(names)]
            row[who] = {
                "recall": round(float((of_band[who] == of_band["truth"]).mean()), 4) if len(of_band) else None,
                "precision": round(float((answered[who] == answered["truth"]).mean()), 4) if len(answered) else None,
            }
        automatic = every[every["ours"].isin(names) & every["automatic"]]
        row["automatic"] = len(automatic)
        row["automatic_right"] = (
            round(float((automatic["ours"] == automatic["truth"]).mean()), 4) if len(automatic) else None
        )
        found[f"{low} to {high}" if high < 10**9 else f"{low} or more"] = row
    return found


def table(noise: dict[str, dict[str, Any]], rare: dict[str, dict[str, Any]]) -> str:
    """Both, one after the other."""
    lines = [
        "| set | labels redrawn | accuracy in truth | LinearSVC | ECE as recorded | auto | right as recorded | right in truth |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, levels in noise.items():
        for share, row in levels.items():
            lines.append(
                f"| {name} | {share} | {row['accuracy']:.3f} | {row['peer']:.3f} | {row['ece']:.3f} | {row['coverage']:.3f} "
                f"| {_three(row['kept_as_recorded'])} | {_three(row['kept_in_truth'])} |"
            )
    lines += [
        "",
        "| set | tickets fitted on, a class | classes | asked | recall / precision, ours | LinearSVC | balanced | auto, right |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, bands in rare.items():
        for band, row in bands.items():
            pairs = [
                f"{_two(row[who]['recall'])} / {_two(row[who]['precision'])}"
                for who in ("ours", "LinearSVC", "balanced")
            ]
            lines.append(
                f"| {name} | {band} | {row['classes']} | {row['tickets']:,} | {' | '.join(pairs)} "
                f"| {row['automatic']:,}, {_two(row['automatic_right'])} |"
            )
    return "\n".join(lines)


def _three(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _two(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def main() -> None:
    """Noise first, then rarity."""
    run = Run(__file__, __doc__)
    noise, rare = {}, {}
    for each in run.config["noisy"]:
        part = train_part(run.data, each, run.config["rows"])
        noise[part.name] = {f"{share:.0%}": with_noise(part, share, run) for share in run.config["noise"]}
        print(part.name, file=sys.stderr, flush=True)
    for each in run.config["rare"]:
        part = train_part(run.data, each, run.config["rows"])
        rare[part.name] = by_rarity(part, run)
        print(part.name, file=sys.stderr, flush=True)
    run.write({"noise": noise, "rare": rare}, table(noise, rare))


if __name__ == "__main__":
    main()
