"""How many tickets does it take? `triage train` and TF-IDF + LinearSVC at growing sizes, the asked tickets all the same."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from triage_training.train import train

sys.path.insert(0, str(Path(__file__).parents[1]))
from peers import PEERS, run_peer
from provenance import Run
from public_sets import Part, halves, simulated_desk, train_part

from triage_ml.errors import TriageError
from triage_ml.evaluate import learning_curve
from triage_ml.settings import Settings


def parts(run: Run) -> Iterator[tuple[Part, np.ndarray, np.ndarray]]:
    """A set, the rows to learn from in the order in which they are taken, the rows that are asked."""
    for each in run.config["sets"]:
        part = train_part(run.data, each, run.config["rows"])
        fit, ask = next(halves(part, run.config["share"], [run.config["seed"]]))
        yield part, np.random.default_rng(run.config["seed"]).permutation(fit), ask
    table, texts = simulated_desk(run.config["desk_tickets"], run.config["desk_weeks"], run.config["desk_seed"])
    there = np.flatnonzero(table["category"].notna())
    cut = round(len(there) * (1 - run.config["share"]))
    rows = np.arange(len(there))
    latest_first = rows[:cut][::-1]  # a desk that has n tickets has the latest n
    yield (
        Part("desk category", texts, table["category"].astype(object).to_numpy()).take(there),
        latest_first,
        rows[cut:],
    )


def at_size(part: Part, fit: np.ndarray, ask: np.ndarray) -> dict[str, Any]:
    """Both on the same tickets."""
    rows = np.concatenate([fit, ask])
    tickets = pd.DataFrame(
        {
            "ticket_id": [f"row-{row}" for row in rows],
            "title": "",
            "description": [part.texts[row] for row in rows],
            "label": part.labels[rows],
            "part": ["train"] * len(fit) + ["test"] * len(ask),
        }
    )
    row: dict[str, Any] = {"tickets": len(fit), "classes": len(set(part.labels[fit].tolist()))}
    try:
        figures = train(tickets, Settings(train={"targets": ("label",)}), split_column="part").evaluation.targets[
            "label"
        ]
        row |= {what: value for what, value in figures.to_dict().items() if what != "tickets"}
    except TriageError as error:
        row["refused"] = str(error)
    texts = [part.texts[one] for one in fit]
    peer = run_peer(PEERS["words, LinearSVC"], texts, part.labels[fit], [part.texts[one] for one in ask])
    return row | {"peer_accuracy": round(float((peer.predicted == part.labels[ask]).mean()), 4)}


def table(found: dict[str, list[dict[str, Any]]]) -> str:
    """One row a size."""
    rows = [
        "| set | tickets | classes | accuracy | macro-F1 | ECE | auto at 0.90: share, right | TF-IDF + LinearSVC |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, runs in found.items():
        for run in runs:
            auto = run["coverage"]["0.90"]
            right = "–" if auto["precision"] is None else f"{100 * auto['precision']:.1f} %"
            rows.append(
                f"| {name} | {run['tickets']:,} | {run['classes']} | {run['accuracy']:.3f} | {run['macro_f1']:.3f} "
                f"| {run['ece']:.3f} | {100 * auto['coverage']:.1f} %, {right} | {run['peer_accuracy']:.3f} |"
            )
        curve = learning_curve(name, [(run["tickets"], run["macro_f1"]) for run in runs])
        rows.append(f"| {name} | twice as many, estimated | | | {curve.doubled:.3f} | | | |")
    return "\n".join(rows)


def main() -> None:
    """All sets and sizes."""
    run = Run(__file__, __doc__)
    found: dict[str, list[dict[str, Any]]] = {}
    for part, fit, ask in parts(run):
        sizes = sorted({min(size or len(fit), len(fit)) for size in run.config["sizes"]})
        found[part.name] = [at_size(part, np.sort(fit[:size]), ask) for size in sizes]
        print(part.name, file=sys.stderr, flush=True)
    run.write(found, table(found))


if __name__ == "__main__":
    main()
