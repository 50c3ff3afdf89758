"""Tickets a second from file to file, beside TF-IDF (1,2) + LogisticRegression on the same cores."""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run

from triage_ml.answer import BulkJob, load_answerer, prepare, score_file, write_model
from triage_ml.classify import TriageClassifier
from triage_ml.features import LexicalFeatures
from triage_ml.settings import Settings
from triage_ml.taxonomy import Taxonomy

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_peer: Any = None


def read(run: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All tickets that are scored, some times over, and those that are learnt from."""
    table = pd.read_csv(run.data / "it_service_v3" / "tickets.csv.gz")
    train = table[table["split_lunalykaya"] == "train"].head(run.config["train_tickets"])
    return pd.concat([table.head(run.config["tickets"])] * run.config["passes"], ignore_index=True), train


def fit_ours(run: Run, tickets: pd.DataFrame, train: pd.DataFrame, scratch: Path) -> BulkJob:
    """A trained model, and the tickets in a file."""
    texts, labels = prepare(train["text"].tolist()), train[["topic_group"]].set_axis(["category"], axis=1)
    cut = round(0.85 * len(texts))
    model = TriageClassifier().fit(
        texts[:cut], labels[:cut].reset_index(drop=True), (texts[cut:], labels[cut:].reset_index(drop=True))
    )
    write_model(scratch / "model", model, Taxonomy())
    source = scratch / "tickets.parquet"
    filed = pd.DataFrame({"ticket_id": tickets.index.astype(str), "description": tickets["text"].to_numpy()})
    filed.to_parquet(source, index=False)
    return BulkJob(
        source, scratch / "out.parquet", scratch / "model", Settings(), chunk_tickets=run.config["chunk_tickets"]
    )


def one_round(job: BulkJob, tickets: int) -> dict[str, Any]:
    """Rates of one run, and seconds by stage."""
    seen: list[tuple[float, int]] = []
    begun = time.perf_counter()
    scored = score_file(
        job, workers=CORES, resume=False, progress=lambda done, _: seen.append((time.perf_counter(), done))
    )
    seconds = time.perf_counter() - begun
    (first, before), (last, after) = seen[0], seen[-1]
    stages = {stage: round(spent, 3) for stage, spent in scored.seconds.items()}
    return {"end_to_end": tickets / seconds, "steady": (after - before) / max(last - first, 1e-9), "stages": stages}


def fit_plain(train: pd.DataFrame) -> Pipeline:
    """The peer."""
    pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(max_iter=1000))
    return pipeline.fit(train["text"], train["topic_group"])


def one_ticket(run: Run, tickets: pd.DataFrame, peer: Pipeline, scratch: Path) -> dict[str, float]:
    """Median microseconds of one ticket in this process, in turns: ours with decision and reasons, and a vectoriser and
    one product with weights in the order that suits it."""
    answerer = load_answerer(scratch / "model", Settings())
    vectoriser, weights = peer[0], np.ascontiguousarray(peer[-1].coef_.T)
    spent: dict[str, list[float]] = {"ours": [], "bare": []}
    for text in tickets["text"].head(run.config["one_by_one"]).tolist():
        begun = time.perf_counter()
        answerer.answer([{"ticket_id": "1", "description": text}])
        between = time.perf_counter()
        vectoriser.transform([text]) @ weights
        spent["ours"].append(between - begun)
        spent["bare"].append(time.perf_counter() - between)
    return {name: 1e6 * statistics.median(seconds) for name, seconds in spent.items()}


def load_seconds(run: Run, scratch: Path) -> dict[str, float]:
    """Median seconds to read, check and be ready with a bundle of some 200,000 terms and 60 classes, of made-up words."""
    draw = np.random.default_rng(0)
    words = ["".join(letters) for letters in draw.choice(list("abcdefghijklmnopqrstuvwxyz"), (run.config["words"], 7))]
    texts = [" ".join(draw.choice(words, 40)) for _ in range(run.config["words"] // 10)]
    labels = pd.DataFrame({"category": [f"class {index % 60}" for index in range(len(texts))]})
    model = TriageClassifier(LexicalFeatures(min_texts=1, max_columns=100_000), penalty=1.0).fit(texts, labels)
    write_model(scratch / "large", model, Taxonomy())
    spent = []
    for _ in range(run.config["loads"]):
        begun = time.perf_counter()
        load_answerer(scratch / "large", Settings())
        spent.append(time.perf_counter() - begun)
    return {"terms": model.features_.n_columns_, "classes": 60, "seconds": statistics.median(spent)}


def rate_of(peer: Any, work: Callable[[list[str]], int], texts: list[str], run: Run) -> float:
    """Texts a second with one process a core; they are forked, so that the peer costs nothing to hand over."""
    global _peer
    _peer = peer
    size = run.config["chunk_tickets"]
    chunks = [texts[begin : begin + size] for begin in range(0, len(texts), size)]
    with multiprocessing.get_context("fork").Pool(CORES) as pool:
        pool.map(work, [texts[:8]] * CORES, chunksize=1)
        begun = time.perf_counter()
        done = sum(pool.imap(work, chunks))
        return done / (time.perf_counter() - begun)


def probabilities(texts: list[str]) -> int:
    """Ask the plain pipeline."""
    pipeline: Pipeline = _peer
    return len(pipeline.predict_proba(texts))


def fit_fasttext(train: pd.DataFrame, scratch: Path) -> Any:
    """fastText, where it is installed; else None."""
    if importlib.util.find_spec("fasttext") is None:
        return None
    import fasttext

    labels = train["topic_group"].str.replace(r"\s+", "_", regex=True)
    lines = "__label__" + labels + " " + train["text"].str.replace("\n", " ")
    (scratch / "train.txt").write_text("\n".join(lines), encoding="utf-8")
    return fasttext.train_supervised(str(scratch / "train.txt"), wordNgrams=2, epoch=10, thread=CORES)


def fasttext_labels(texts: list[str]) -> int:
    """Ask fastText."""
    return len(_peer.predict(texts)[0])


def table(results: dict[str, Any]) -> str:
    """Rates and stages as Markdown."""
    rounds, names = results["rounds"], {"steady": "triage score, steady", "plain": "TF-IDF (1,2) + LogisticRegression"}
    names |= {"end_to_end": "triage score, with the start of the workers", "fasttext": "fastText"}
    lines = ["| on all cores | tickets a second | against the plain pipeline, round by round |", "|---|---|---|"]
    for name, title in names.items():
        if name in rounds[0]:
            rates, ratios = ([row[name] for row in rounds], [row[name] / row["plain"] for row in rounds])
            rate = f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"
            ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            lines.append(f"| {title} | {rate} | {ratio} |")
    stages = [row["stages"] for row in rounds]
    spent = ", ".join(f"{name} {statistics.median(each[name] for each in stages):.2f}" for name in stages[0])
    one, load = results["one_ticket"], results["load"]
    return "\n".join(
        [
            *lines,
            "",
            f"Seconds per stage, summed over {CORES} workers: {spent}.",
            "",
            f"One ticket in process, median: {one['ours']:.0f} µs with decision and reasons, {one['bare']:.0f} µs for the bare "
            f"vectoriser and one product: {one['ours'] / one['bare']:.2f} ×.",
            "",
            f"To read and check a bundle of {load['terms']:,} terms and {load['classes']} classes: {load['seconds']:.2f} s.",
        ]
    )


def main() -> None:
    """Measure ours, the plain pipeline, and fastText where there is one."""
    run = Run(__file__, __doc__)
    tickets, train = read(run)
    with tempfile.TemporaryDirectory() as scratch:
        job, peer = fit_ours(run, tickets, train, Path(scratch)), fit_plain(train)
        fasttext = fit_fasttext(train, Path(scratch))
        texts = tickets["text"].tolist()
        lines = tickets["text"].str.replace("\n", " ").tolist()
        rounds = []
        for _ in range(run.config["repeats"]):
            row = one_round(job, len(tickets)) | {"plain": rate_of(peer, probabilities, texts, run)}
            rounds.append(row | ({"fasttext": rate_of(fasttext, fasttext_labels, lines, run)} if fasttext else {}))
        results: dict[str, Any] = {"rounds": rounds}
        results["one_ticket"] = one_ticket(run, tickets, peer, Path(scratch))
        results["load"] = load_seconds(run, Path(scratch))
    run.write(results, table(results))


if __name__ == "__main__":
    main()
