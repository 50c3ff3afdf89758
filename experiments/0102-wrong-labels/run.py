"""Which share of the desk's wrong labels stands among the doubted ones, ours against cleanlab on the same probabilities."""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run

from triage_ml.answer import prepare
from triage_ml.classify import TriageClassifier
from triage_ml.evaluate import doubted_labels
from triage_ml.simulate import simulate_desk
from triage_ml.text import mask, ticket_text
from triage_ml.tickets import read_tickets

TARGETS = ("tier", "category")


def one_desk(tickets: int, weeks: int, seed: int, folds: int, precision: float) -> list[dict[str, Any]]:
    """For each target: planted wrong labels, and the recall of each method where its precision is still `precision`."""
    with tempfile.TemporaryDirectory() as scratch:
        desk = Path(scratch, "desk")
        simulate_desk(desk, tickets=tickets, weeks=weeks, seed=seed)
        table = read_tickets(desk / "tickets.parquet")
        truth = pd.read_parquet(desk / "truth" / "tickets.parquet").set_index("ticket_id").loc[table["ticket_id"]]
    texts = prepare(ticket_text(table))
    fold = pd.factorize(np.array(mask(texts), dtype=object))[0] % folds
    labels = table[list(TARGETS)].astype(object)
    probabilities = {name: np.zeros((len(table), labels[name].nunique()), dtype=np.float32) for name in TARGETS}
    classes = {name: sorted(labels[name].dropna().unique()) for name in TARGETS}
    for number in range(folds):
        fit, ask = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        model = TriageClassifier().fit([texts[row] for row in fit], labels.iloc[fit])
        for name, found in model.predict_proba([texts[row] for row in ask]).items():
            probabilities[name][np.ix_(ask, [classes[name].index(label) for label in found])] = found.to_numpy()
    return [
        {
            "seed": seed,
            "target": name,
            **judged(probabilities[name], classes[name], labels[name], truth[name], precision),
        }
        for name in TARGETS
    ]


def judged(
    probabilities: np.ndarray, classes: list[str], labels: pd.Series, truth: pd.Series, precision: float
) -> dict[str, Any]:
    """Recall at the asked precision by each method's ranking."""
    present = labels.notna().to_numpy()
    given = labels.to_numpy(object)
    wrong = (given != truth.to_numpy(object)) & present
    ours = [doubt.row for doubt in doubted_labels(probabilities[present], classes, given[present])]
    methods = {"ours": np.flatnonzero(present)[ours]}
    if importlib.util.find_spec("cleanlab"):
        from cleanlab.filter import find_label_issues

        codes = pd.Index(classes).get_indexer(pd.Index(given[present]))
        ranked = find_label_issues(codes, probabilities[present], return_indices_ranked_by="normalized_margin")
        methods["cleanlab"] = np.flatnonzero(present)[ranked]
    return {"wrong": int(wrong.sum()), "tickets": int(present.sum())} | {
        name: recall_at(wrong[order], int(wrong.sum()), precision) for name, order in methods.items()
    }


def recall_at(hits: np.ndarray, wrong: int, precision: float) -> dict[str, float]:
    """The longest beginning of the ranking in which at least `precision` are wrong indeed."""
    right = np.cumsum(hits)
    kept = np.flatnonzero(right / np.arange(1, len(hits) + 1) >= precision)
    longest = int(kept[-1]) + 1 if len(kept) else 0
    return {
        "recall": round(float(right[longest - 1]) / max(wrong, 1), 4) if longest else 0.0,
        "doubted": len(hits),
        "recall_of_all_doubted": round(float(hits.sum()) / max(wrong, 1), 4),
        "precision_of_all_doubted": round(float(hits.mean()), 4) if len(hits) else 0.0,
    }


def main() -> None:
    """All desks, and one table."""
    run = Run(__file__, __doc__)
    size = [run.config[name] for name in ("tickets", "weeks")]
    found = [
        row
        for seed in run.config["seeds"]
        for row in one_desk(*size, seed, run.config["folds"], run.config["precision"])
    ]
    names = [name for name in ("ours", "cleanlab") if name in found[0]]
    head = " | ".join(f"{name}: found at 50 % precision | {name}: all doubted, found / right" for name in names)
    rows = [f"| seed | target | wrong labels | {head} |", "|---|---|---|" + "---|---|" * len(names)]
    for row in found:
        cells = " | ".join(
            f"{row[n]['recall']:.0%} | {row[n]['recall_of_all_doubted']:.0%} / {row[n]['precision_of_all_doubted']:.0%}"
            for n in names
        )
        rows.append(f"| {row['seed']} | {row['target']} | {row['wrong']:,} of {row['tickets']:,} | {cells} |")
    run.write({"rows": found}, "\n".join(rows))


if __name__ == "__main__":
    main()
