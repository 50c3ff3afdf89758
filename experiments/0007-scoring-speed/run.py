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

import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run

from triage_ml.answer import BulkJob, prepare, score_file, write_model
from triage_ml.classify import TriageClassifier
from triage_ml.settings import Settings
from triage_ml.taxonomy import Taxonomy

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_peer: Any = None


def read(run: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All tickets that are scored, and those that are learnt from."""
    table = pd.read_csv(run.data / "it_service_v3" / "tickets.csv.gz")
    train = table[table["split_lunalykaya"] == "train"].head(run.config["train_tickets"])
    return table.head(run.config["tickets"]), train


def ours(run: Run, tickets: pd.DataFrame, train: pd.DataFrame, scratch: Path) -> dict[str, Any]:
    """`score_file` with all workers."""
    texts, labels = prepare(train["text"].tolist()), train[["topic_group"]].set_axis(["category"], axis=1)
    cut = round(0.85 * len(texts))
    model = TriageClassifier().fit(
        texts[:cut], labels[:cut].reset_index(drop=True), (texts[cut:], labels[cut:].reset_index(drop=True))
    )
    write_model(scratch / "model", model, Taxonomy())
    source = scratch / "tickets.parquet"
    filed = pd.DataFrame({"ticket_id": tickets.index.astype(str), "description": tickets["text"].to_numpy()})
    filed.to_parquet(source, index=False)
    job = BulkJob(
        source, scratch / "out.parquet", scratch / "model", Settings(), chunk_tickets=run.config["chunk_tickets"]
    )
    rounds = [one_round(job, len(tickets)) for _ in range(run.config["repeats"])]
    return {name: [each[name] for each in rounds] for name in rounds[0]}


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


def plain(run: Run, tickets: pd.DataFrame, train: pd.DataFrame) -> list[float]:
    """The peer's rates on all cores."""
    pipeline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(max_iter=1000))
    pipeline.fit(train["text"], train["topic_group"])
    return [rate_of(pipeline, probabilities, tickets["text"].tolist(), run) for _ in range(run.config["repeats"])]


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


def fasttext_rates(run: Run, tickets: pd.DataFrame, train: pd.DataFrame, scratch: Path) -> list[float] | None:
    """fastText's rates on all cores, where it is installed."""
    if importlib.util.find_spec("fasttext") is None:
        return None
    import fasttext

    labels = train["topic_group"].str.replace(r"\s+", "_", regex=True)
    lines = "__label__" + labels + " " + train["text"].str.replace("\n", " ")
    (scratch / "train.txt").write_text("\n".join(lines), encoding="utf-8")
    model = fasttext.train_supervised(str(scratch / "train.txt"), wordNgrams=2, epoch=10, thread=CORES)
    texts = tickets["text"].str.replace("\n", " ").tolist()
    return [rate_of(model, fasttext_labels, texts, run) for _ in range(run.config["repeats"])]


def fasttext_labels(texts: list[str]) -> int:
    """Ask fastText."""
    return len(_peer.predict(texts)[0])


def table(results: dict[str, Any]) -> str:
    """Rates and stages as Markdown."""
    plainly = results["plain"]
    rows = {
        "triage score, steady": results["ours"]["steady"],
        "triage score, with the start of the workers": results["ours"]["end_to_end"],
        "TF-IDF (1,2) + LogisticRegression": plainly,
    }
    if results["fasttext"]:
        rows["fastText"] = results["fasttext"]
    lines = ["| on all cores | tickets a second | against the plain pipeline |", "|---|---|---|"]
    for name, rates in rows.items():
        ratio = statistics.median(rates) / statistics.median(plainly)
        lines.append(
            f"| {name} | {statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f}) | {ratio:.2f} |"
        )
    stages = results["ours"]["stages"]
    spent = ", ".join(f"{name} {statistics.median(each[name] for each in stages):.2f}" for name in stages[0])
    return "\n".join([*lines, "", f"Seconds per stage, summed over {CORES} workers: {spent}."])


def main() -> None:
    """Measure ours, the plain pipeline, and fastText where there is one."""
    run = Run(__file__, __doc__)
    tickets, train = read(run)
    with tempfile.TemporaryDirectory() as scratch:
        results: dict[str, Any] = {"ours": ours(run, tickets, train, Path(scratch))}
        results["plain"] = plain(run, tickets, train)
        results["fasttext"] = fasttext_rates(run, tickets, train, Path(scratch))
    run.write(results, table(results))


if __name__ == "__main__":
    main()
