"""Groups found against groups known: public texts with the defaults, and simulated desks."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score, confusion_matrix, normalized_mutual_info_score
from threadpoolctl import threadpool_limits

from triage_training.gathering import gather

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run

from triage_ml.patterns import ALIKE, ALIKE_IN_MEANING, LexicalSpace, collapse, discover, grow, masked_texts
from triage_ml.simulate import simulate_desk
from triage_ml.tickets import read_tickets

TOP, TRUE_TOP = 50, 30


def main() -> None:
    """Run all sets and desks."""
    run = Run(
        __file__,
        __doc__,
        lambda parser: parser.add_argument("--train-parts", action="store_true", help="choose: train parts, no desks"),
    )
    with threadpool_limits(limits=1):
        encoders = {name: f"{kind}:{run.data / folder}" for name, (kind, folder) in run.config["encoders"].items()}
        spaces = {"lexical": None, **encoders}
        public = [
            {"space": space, **row}
            for space, encoder in spaces.items()
            for name in run.config["sets"]
            for row in public_set(run, name, encoder)
        ]
        desks = [] if run.arguments.train_parts else [desk(run, seed) for seed in run.config["seeds"]]
    run.write({"public": public, "desks": desks}, table(public, desks), keep=not run.arguments.train_parts)


def public_set(run: Run, name: str, encoder: str | None) -> list[dict[str, Any]]:
    """Figures of a public set: whole, half, twice as large (with texts of its train part), thinned; dstc11 by domain."""
    texts = pd.read_csv(run.data / name / "tickets.csv.gz")
    texts = texts[texts["intent"] != "oos"]
    if "domain" in texts and name == "dstc11":
        if run.arguments.train_parts:
            return []  # it has no split, so it is only looked at
        return [{"set": f"{name} {domain}", **grouped(part, encoder)} for domain, part in texts.groupby("domain")]
    train = texts[texts["split"] == "train"]
    whole, more = texts[texts["split"] == "test"], train
    if run.arguments.train_parts:
        train = train.sample(frac=1, random_state=0)
        number = train.groupby("intent").cumcount()
        size = len(whole) // train["intent"].nunique()
        whole, more = train[number < size], train[number >= size]
    counts = whole["intent"].value_counts()
    twice = [part.sample(min(len(part), counts[intent]), random_state=0) for intent, part in more.groupby("intent")]
    return [
        {"set": name, **grouped(whole, encoder)},
        {"set": f"{name}, half", **grouped(whole.groupby("intent").sample(frac=0.5, random_state=0), encoder)},
        {"set": f"{name}, twice", **grouped(pd.concat([whole, *twice]), encoder)},
        {"set": f"{name}, Zipf", **grouped(zipf(whole, run.config["zipf_texts"]), encoder)},
    ]


def zipf(texts: pd.DataFrame, size: int) -> pd.DataFrame:
    """About `size` texts whose intents have sizes that fall as 1 / rank, as far as there are texts."""
    intents = np.random.default_rng(0).permutation(sorted(texts["intent"].unique()))
    share = 1 / np.arange(1, len(intents) + 1)
    wanted = dict(zip(intents, np.maximum(1, (size * share / share.sum())).astype(int), strict=True))
    parts = [part.sample(min(len(part), wanted[intent]), random_state=0) for intent, part in texts.groupby("intent")]
    return pd.concat(parts)


def grouped(texts: pd.DataFrame, encoder: str | None) -> dict[str, Any]:
    """NMI, ARI and accuracy (one group an intent, by the best matching) over all texts, in percent."""
    uniques = collapse(masked_texts(texts["text"].tolist()))
    vectors = LexicalSpace.fit(uniques.texts, encoder=encoder).encode(uniques.texts)
    alike = ALIKE_IN_MEANING if encoder else ALIKE
    labels = discover(vectors, uniques.weights, alike=alike).labels
    found = np.where(uniques.of_row >= 0, labels[uniques.of_row], labels.max() + 1)
    true = pd.factorize(texts["intent"])[0]
    counts = confusion_matrix(true, found)
    matched = counts[linear_sum_assignment(-counts)].sum()
    return {
        "texts": len(true),
        "intents": int(true.max()) + 1,
        "groups": len(np.unique(found)),
        "nmi": round(100 * normalized_mutual_info_score(true, found), 1),
        "ari": round(100 * adjusted_rand_score(true, found), 1),
        "acc": round(100 * matched / len(true), 1),
    }


def desk(run: Run, seed: int) -> dict[str, Any]:
    """Figures of one desk, by case (as mining sees a closed ticket) and by text (as it was filed)."""
    with tempfile.TemporaryDirectory() as scratch:
        simulate_desk(Path(scratch, "desk"), tickets=run.config["tickets"], weeks=run.config["weeks"], seed=seed)
        tickets = read_tickets(Path(scratch, "desk", "tickets.parquet"))
        truth = pd.read_parquet(Path(scratch, "desk", "truth", "tickets.parquet")).set_index("ticket_id")
    kinds = pd.factorize(truth.loc[tickets["ticket_id"], "kind"])[0]
    found = gather(tickets)
    grown = grow(None, found.said, week="", min_tickets=10)
    by_text, _ = grown.book.assign_masked(found.said.text)
    figures = {"by case": grown.pattern, "by text": by_text}
    return {"seed": seed} | {
        view: largest(np.where(found.of_row >= 0, pattern[found.of_row], -1), kinds)
        for view, pattern in figures.items()
    }


def largest(pattern: np.ndarray, kinds: np.ndarray) -> dict[str, Any]:
    """Purity and duplicates of the largest patterns, recall of the largest kinds, and the volume in patterns."""
    volume = np.bincount(pattern[pattern >= 0])
    counts = [np.bincount(kinds[pattern == one]) for one in np.argsort(-volume, kind="stable")[:TOP]]
    shown = [int(count.argmax()) for count in counts]
    true_top = np.argsort(-np.bincount(kinds), kind="stable")[:TRUE_TOP]
    return {
        "patterns": len(volume),
        "purity": round(float(np.mean([count.max() / count.sum() for count in counts])), 3),
        "shown_twice": len(shown) - len(set(shown)),
        "recall": round(float(np.isin(true_top, shown).mean()), 3),
        "covered": round(float((pattern >= 0).mean()), 3),
    }


def table(public: list[dict[str, Any]], desks: list[dict[str, Any]]) -> str:
    """Both tables as Markdown."""
    rows = ["| space | texts | n | intents | groups | NMI | ARI | ACC |", "|---" * 8 + "|"]
    rows += [
        "| {space} | {set} | {texts} | {intents} | {groups} | {nmi} | {ari} | {acc} |".format(**row) for row in public
    ]
    rows += ["", "| desk | patterns | purity of the top 50 | shown twice | recall of the top 30 | covered |"]
    rows += ["|---|---|---|---|---|---|"]
    for one in desks:
        for view in ("by case", "by text"):
            cells = " | ".join(str(one[view][name]) for name in one[view])
            rows.append(f"| seed {one['seed']}, {view} | {cells} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
