"""A small real model, so that a process under test loads and answers as in life."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from triage_ml.answer import write_model
from triage_ml.classify import TriageClassifier
from triage_ml.taxonomy import Taxonomy

__all__ = ["train"]

KINDS = {
    ("L1", "Access"): "password expired locked out of account reset please",
    ("L2", "Network"): "vpn tunnel drops wifi no network connection",
    ("NOC", "Servers"): "disk usage critical on database server alert",
}


def train(path: Path) -> str:
    """A small real model bundle; returns its digest."""
    texts, rows = [], []
    for number in range(60):
        for labels, words in KINDS.items():
            texts.append(f"{words} {number} " + " ".join(words.split()[number % 4 :]))
            rows.append(labels)
    classifier = TriageClassifier().fit(texts, pd.DataFrame(rows, columns=["tier", "category"]))
    return write_model(path, classifier, Taxonomy())
