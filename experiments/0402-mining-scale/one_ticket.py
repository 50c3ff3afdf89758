"""What it takes to recognise one ticket among thousands of patterns, beside reading it for the classifier."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from triage_ml.answer import prepare
from triage_ml.features import LexicalFeatures
from triage_ml.patterns import PatternBook, Prototypes, grow, masked_texts
from triage_ml.simulate import simulate_desk
from triage_ml.text import ticket_text
from triage_ml.tickets import read_tickets
from triage_training.gathering import gather

ASKED = 300


def one_ticket(patterns: int) -> dict[str, Any]:
    """Median milliseconds of one ticket at a time, with so many patterns of three prototypes each."""
    with tempfile.TemporaryDirectory() as scratch:
        simulate_desk(Path(scratch, "desk"), tickets=2000, weeks=4, seed=1)
        tickets = read_tickets(Path(scratch, "desk", "tickets.parquet"))
    book = _enlarged(grow(None, gather(tickets).said, week="", min_tickets=10).book, patterns)
    texts = prepare(ticket_text(tickets))
    features = LexicalFeatures().fit(texts)
    texts = texts[:ASKED]
    with threadpool_limits(limits=1):
        recognised = _median(lambda text: book.assign(masked_texts([text], redacted=True), masked=True), texts)
        read = _median(lambda text: features.transform([text]), texts)
        prepared = _median(lambda text: prepare([text]), texts)
    return {
        "patterns": len(book),
        "recognise": recognised,
        "read": read,
        "prepare": prepared,
        "to_reading": round(recognised / read, 2),
    }


def sentence(asked: dict[str, Any]) -> str:
    """What one ticket costs, in words."""
    return (
        f"One ticket over {asked['patterns']:,} patterns, its text cleaned and redacted already as for the classifier: "
        f"{asked['recognise']} ms, {asked['to_reading']} × reading its features for the classifier ({asked['read']} ms); "
        f"cleaning and redacting it once for both: {asked['prepare']} ms (medians of {ASKED}, one thread)."
    )


def _median(work: Callable[[str], Any], texts: Sequence[str]) -> float:
    work(texts[0])
    seconds = []
    for text in texts:
        begun = time.perf_counter()
        work(text)
        seconds.append(time.perf_counter() - begun)
    return round(1000 * float(np.median(seconds)), 3)


def _enlarged(book: PatternBook, patterns: int) -> PatternBook:
    """The book with patterns that lie anywhere and take nothing."""
    random = np.random.default_rng(0)
    more = 3 * (patterns - len(book))
    vectors = random.standard_normal((more, book.space.dimensions)).astype(np.float32)
    ones = np.ones(more, dtype=np.float32)
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    owner = len(book) + np.arange(more) // 3
    filler = [replace(book.patterns[0], pattern_id=f"q{number}") for number in range(more // 3)]
    prototypes = book.prototypes.joined(Prototypes(units, owner, ones, ones, ones.astype(np.int64)))
    return replace(book, patterns=(*book.patterns, *filler), prototypes=prototypes)
