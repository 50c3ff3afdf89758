"""One way to group vectors, in a process of its own: `peer.py NAME VECTORS TEXTS`; prints groups and the share covered.

Run by the interpreter that has the peer installed, so it imports nothing of this project but for `ours`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

#: A group with fewer texts is none, for all alike.
SMALLEST = 10
#: Texts that are grouped once before the time is taken: all three compile at their first call.
WARM = 500


def bertopic(vectors: np.ndarray, texts: list[str]) -> np.ndarray:
    """BERTopic's defaults on given embeddings."""
    from bertopic import BERTopic

    topics, _ = BERTopic(min_topic_size=SMALLEST).fit_transform(texts, embeddings=vectors)
    return np.array(topics)


def evoc(vectors: np.ndarray, _texts: list[str]) -> np.ndarray:
    """EVoC's defaults."""
    import evoc

    return np.asarray(evoc.EVoC().fit_predict(vectors))


def ours(vectors: np.ndarray, texts: list[str]) -> np.ndarray:
    """Search and assignment as `triage mine` does them, with these vectors for the texts and nothing beside them."""
    from threadpoolctl import threadpool_limits

    from triage_ml.features import LexicalFeatures
    from triage_ml.patterns import LexicalSpace, PatternBook, Prototypes
    from triage_ml.patterns.cases import LABEL_DIMENSIONS, label_vectors
    from triage_ml.patterns.placing import Placed, recognise
    from triage_ml.patterns.search import search
    from triage_ml.patterns.texts import Rare, Texts

    count, width = vectors.shape
    space = LexicalSpace(LexicalFeatures(), np.zeros((0, width), dtype=np.float16), encoder="given")
    book = PatternBook(space, (), Prototypes.none(width), Prototypes.none(2 * width + LABEL_DIMENSIONS))
    nothing = np.zeros(count, dtype=np.int64)
    placed = Placed(
        Texts.of([Rare(text, text[:80], text[:400], 1, "") for text in texts]),
        vectors,
        np.arange(count),
        np.zeros((1, width), dtype=np.float32),
        nothing,
        label_vectors([""]),
        nothing,
    )
    with threadpool_limits(limits=1):
        return recognise(search(book, placed, "", SMALLEST), placed).pattern


def main() -> None:
    """Group, and say how."""
    name, vector_file, text_file = sys.argv[1:]
    vectors = np.load(vector_file)
    texts = json.loads(Path(text_file).read_text(encoding="utf-8"))
    way = {"ours": ours, "bertopic": bertopic, "evoc": evoc}[name]
    way(vectors[:WARM], texts[:WARM])
    begun = time.perf_counter()
    groups = way(vectors, texts)
    seconds = time.perf_counter() - begun
    size = np.bincount(groups[groups >= 0])
    covered = size[size >= SMALLEST].sum() / len(groups)
    found = {
        "grouping": round(seconds, 1),
        "groups": int((size >= SMALLEST).sum()),
        "covered": round(float(covered), 3),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
