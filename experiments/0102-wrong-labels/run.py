"""Which share of the desk's wrong labels stands at the top of the doubted ones, with and without what a closed ticket tells."""

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
from triage_ml.evaluate import doubted_labels, label_doubt, label_evidence
from triage_ml.simulate import simulate_desk
from triage_ml.text import mask, ticket_text
from triage_ml.tickets import read_tickets

TARGETS = ("tier", "category")


def one_desk(tickets: int, weeks: int, seed: int, precision: float) -> list[dict[str, Any]]:
    """For each target and evidence: planted wrong labels, and what each method finds of them."""
    with tempfile.TemporaryDirectory() as scratch:
        desk = Path(scratch, "desk")
        simulate_desk(desk, tickets=tickets, weeks=weeks, seed=seed)
        table = read_tickets(desk / "tickets.parquet")
        truth = pd.read_parquet(desk / "truth" / "tickets.parquet").set_index("ticket_id").loc[table["ticket_id"]]
    texts = mask(prepare(ticket_text(table)))
    notes = mask(prepare(table["resolution"].fillna("").tolist()))
    rows = []
    for target in TARGETS:
        labelled = np.flatnonzero(table[target].notna().to_numpy())
        here, words = table.iloc[labelled], [texts[row] for row in labelled]
        closed = label_evidence(here, target, texts=words, notes=[notes[row] for row in labelled])
        alone = label_evidence(here[[target]], target, texts=words)
        wrong = here[target].to_numpy(object) != truth[target].to_numpy(object)[labelled]
        for name, found in (("closed ticket", closed), ("text as filed", alone)):
            row = {"seed": seed, "target": target, "evidence": name}
            rows.append(row | judged(found.probabilities, found.classes, here[target], wrong, precision))
    return rows


def judged(
    probabilities: np.ndarray, classes: tuple[str, ...], labels: pd.Series, wrong: np.ndarray, precision: float
) -> dict[str, Any]:
    """Recall at the asked precision by each method's ranking, and how good our list is."""
    codes = pd.Index(classes).get_indexer(pd.Index(labels))
    rankings = {"ours": np.argsort(-label_doubt(probabilities, codes).doubt, kind="stable")}
    if importlib.util.find_spec("cleanlab"):
        from cleanlab.filter import find_label_issues

        rankings["cleanlab"] = find_label_issues(codes, probabilities, return_indices_ranked_by="normalized_margin")
    listed = [doubt.row for doubt in doubted_labels(probabilities, classes, labels.to_numpy(object))]
    return {
        "wrong": int(wrong.sum()),
        "tickets": len(wrong),
        "listed": len(listed),
        "listed_right": round(float(wrong[listed].mean()), 4) if listed else None,
        "listed_found": round(float(wrong[listed].sum() / max(wrong.sum(), 1)), 4),
    } | {name: recall_at(wrong[order], int(wrong.sum()), precision) for name, order in rankings.items()}


def recall_at(hits: np.ndarray, wrong: int, precision: float) -> float:
    """Share of the wrong labels in the longest beginning of the ranking in which at least `precision` are wrong indeed."""
    kept = np.flatnonzero(np.cumsum(hits) / np.arange(1, len(hits) + 1) >= precision)
    return round(float(hits[: kept[-1] + 1].sum()) / max(wrong, 1), 4) if len(kept) else 0.0


def main() -> None:
    """All desks, and one table."""
    run = Run(__file__, __doc__)
    size = [run.config[name] for name in ("tickets", "weeks")]
    found = [row for seed in run.config["seeds"] for row in one_desk(*size, seed, run.config["precision"])]
    methods = [name for name in ("ours", "cleanlab") if name in found[0]]
    head = " | ".join(f"{name}: found at 50 % precision" for name in methods)
    rows = [f"| seed | target | read | wrong labels | {head} | listed: right, found |"]
    rows.append("|---|---|---|---|" + "---|" * (len(methods) + 1))
    for row in found:
        cells = " | ".join(f"{row[name]:.0%}" for name in methods)
        listed = "none" if row["listed_right"] is None else f"{row['listed_right']:.0%}, {row['listed_found']:.0%}"
        what = f"{row['seed']} | {row['target']} | {row['evidence']} | {row['wrong']:,} of {row['tickets']:,}"
        rows.append(f"| {what} | {cells} | {listed} |")
    run.write({"rows": found}, "\n".join(rows))


if __name__ == "__main__":
    main()
