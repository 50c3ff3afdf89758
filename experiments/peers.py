"""What people use instead, as functions of raw texts and labels: shared by the experiments that measure against it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

__all__ = ["PEERS", "Peer", "fast_text", "run_peer", "with_vectors"]

Labels = NDArray[Any]
#: Fitted on (texts, labels), it answers texts.
Fit = Callable[[Sequence[str], Labels], Callable[[Sequence[str]], Labels]]


@dataclass(frozen=True)
class Peer:
    """The answers of a peer to the test texts, and the seconds that it took to fit and to answer."""

    predicted: Labels
    fit_seconds: float
    answer_seconds: float


def run_peer(fit: Fit, texts: Sequence[str], labels: Labels, test: Sequence[str]) -> Peer:
    """Fit and answer, timed."""
    begun = time.perf_counter()
    answer = fit(texts, labels)
    fitted = time.perf_counter()
    predicted = answer(test)
    return Peer(predicted, fitted - begun, time.perf_counter() - fitted)


def words() -> TfidfVectorizer:
    """Words and pairs of words."""
    return TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32)


def pieces() -> TfidfVectorizer:
    """Pieces of words of 2 to 5 characters."""
    return TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, dtype=np.float32)


def _pipeline(*steps: Callable[[], Any]) -> Fit:
    def fit(texts: Sequence[str], labels: Labels) -> Callable[[Sequence[str]], Labels]:
        return make_pipeline(*(step() for step in steps)).fit(texts, labels).predict

    return fit


def _regression() -> LogisticRegression:
    return LogisticRegression(C=10, max_iter=1000)


def _neighbours(texts: Sequence[str], labels: Labels) -> Callable[[Sequence[str]], Labels]:
    """The vote of the 10 nearest by TF-IDF cosine, each counted by its cosine."""
    terms = words().fit(texts)
    classes, codes = np.unique(labels, return_inverse=True)
    index = NearestNeighbors(n_neighbors=10, metric="cosine").fit(terms.transform(texts))

    def answer(test: Sequence[str]) -> Labels:
        distance, near = index.kneighbors(terms.transform(test))
        votes = np.zeros((len(test), len(classes)))
        np.add.at(votes, (np.arange(len(test))[:, None], codes[near]), 1 - distance)
        return classes[votes.argmax(axis=1)]

    return answer


def fast_text(texts: Sequence[str], labels: Labels) -> Callable[[Sequence[str]], Labels]:
    """fastText with pairs of words, 10 epochs, on one thread a core; needs one of its packages."""
    import tempfile
    from pathlib import Path

    import fasttext

    fasttext.FastText.eprint = lambda *_: None
    classes, codes = np.unique(labels, return_inverse=True)
    lines = [" ".join(text.split()) for text in texts]
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "train.txt")
        file.write_text("".join(f"__label__{code} {line}\n" for code, line in zip(codes, lines, strict=True)))
        model = fasttext.train_supervised(str(file), wordNgrams=2, epoch=10, lr=0.5, thread=1, verbose=0)

    def answer(test: Sequence[str]) -> Labels:
        given, _ = model.predict([" ".join(text.split()) for text in test])
        return classes[[int(labels[0].removeprefix("__label__")) for labels in given]]

    return answer


def with_vectors(encode: Callable[[Sequence[str]], NDArray[np.float32]], *, lexical: bool) -> Fit:
    """Vectors of a sentence encoder, alone with LogisticRegression, or beside words and pieces with LinearSVC."""

    def fit(texts: Sequence[str], labels: Labels) -> Callable[[Sequence[str]], Labels]:
        terms = make_union(words(), pieces()).fit(texts) if lexical else None

        def vectors(some: Sequence[str]) -> Any:
            meaning = encode(some)
            return (
                meaning if terms is None else sparse.hstack([terms.transform(some), sparse.csr_matrix(meaning)]).tocsr()
            )

        machine = LinearSVC() if lexical else _regression()
        machine.fit(vectors(texts), labels)
        return lambda test: machine.predict(vectors(test))

    return fit


PEERS: dict[str, Fit] = {
    "words, LinearSVC": _pipeline(words, LinearSVC),
    "words, LogisticRegression": _pipeline(words, _regression),
    "words and pieces, LinearSVC": _pipeline(lambda: make_union(words(), pieces()), LinearSVC),
    "words and pieces, LogisticRegression": _pipeline(lambda: make_union(words(), pieces()), _regression),
    "vote of 10 neighbours": _neighbours,
}
