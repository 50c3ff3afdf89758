"""Which words and pieces of words: accuracy, log loss and terms a ticket, the heads all the same."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run
from public_sets import Part, halves, simulated_desk, train_part

from triage_ml.classify.calibrate import fit_temperature, log_loss
from triage_ml.classify.heads import fit_head
from triage_ml.features import LexicalFeatures

WAYS: dict[str, dict[str, Any]] = {
    "words": {"words": 1, "skip": False, "pieces": None},
    "words, pairs": {"skip": False, "pieces": None},
    "words, pairs, pairs over a word": {"pieces": None},
    "pieces of 3 to 5 alone": {"words": 1, "skip": False, "piece_weight": 100.0},
    "all, pieces of 2 to 5": {"pieces": (2, 5)},
    "all, pieces of 3 to 5": {"pieces": (3, 5)},
    "all, pieces of 3 and 4": {"pieces": (3, 4)},
    "all, pieces of 4": {"pieces": (4, 4)},
    "all but pairs over a word": {"skip": False},
    "all, terms of one ticket too": {"min_texts": 1},
    "all, pieces weigh half": {"piece_weight": 0.5},
    "all, pieces weigh double": {"piece_weight": 2.0},
}


def measured(part: Part, run: Run) -> dict[str, dict[str, float]]:
    """Mean over the seeds, for each way."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    for fit, ask in halves(part, run.config["share"], run.config["seeds"]):
        for way, params in WAYS.items():
            features = LexicalFeatures(**params).fit([part.texts[row] for row in fit])
            vectors = features.transform(part.texts)
            head = fit_head("label", vectors, fit, part.labels[fit], penalty=run.config["penalty"], seed=0)
            known = ask[np.isin(part.labels[ask], head.classes)]
            margins, truth = head.margins(vectors[known]), np.searchsorted(head.classes, part.labels[known])
            right = (margins.argmax(axis=1) == truth).sum() / len(ask)
            loss = log_loss(margins, truth, fit_temperature(margins, truth))
            found.setdefault(way, []).append((right, loss, vectors.nnz / vectors.shape[0]))
    return {
        way: dict(zip(("accuracy", "log_loss", "terms"), np.round(np.mean(runs, axis=0), 4).tolist(), strict=True))
        for way, runs in found.items()
    }


def parts(run: Run) -> Iterator[Part]:
    """Train parts, and desks."""
    for each in run.config["sets"]:
        yield train_part(run.data, each, run.config["rows"])
    for seed in run.config["desks"]:
        table, texts = simulated_desk(run.config["desk_tickets"], run.config["desk_weeks"], seed)
        there = np.flatnonzero(table["category"].notna())
        yield Part("desk category", texts, table["category"].astype(object).to_numpy()).take(there)


def table(found: dict[str, dict[str, dict[str, float]]]) -> str:
    """One row a way: accuracy / log loss / terms a ticket for each set."""
    rows = [f"| | {' | '.join(found)} |", "|---" * (len(found) + 1) + "|"]
    for way in WAYS:
        cells = [
            f"{one[way]['accuracy']:.3f} / {one[way]['log_loss']:.3f} / {one[way]['terms']:.0f}"
            for one in found.values()
        ]
        rows.append(f"| {way} | {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> None:
    """All sets."""
    run = Run(__file__, __doc__)
    found = {}
    for part in parts(run):
        found[part.name] = measured(part, run)
        print(part.name, file=sys.stderr, flush=True)
    run.write(found, table(found))


if __name__ == "__main__":
    main()
