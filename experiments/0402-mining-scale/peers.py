"""BERTopic, EVoC and our own search on the same vectors of the same texts, each in a process of its own."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from measuring import measured

from triage_ml.features import load_encoder
from triage_ml.patterns import masked_texts
from triage_ml.text import ticket_text
from triage_ml.tickets import read_tickets

#: Names the Python that has `bertopic` and `evoc` installed.
PEERS = "TRIAGE_PEERS_PYTHON"
SET, ENCODER = "it_service_v3/tickets.csv.gz", "models/minilm-static-256"


def compare(data: Path, count: int) -> list[dict[str, Any]] | str:
    """A row for each way to group the texts, or why there is none."""
    file, encoder = data / SET, data.parent / ENCODER
    if not file.exists() or not encoder.exists():
        return f"Not compared with peers: {SET} or {ENCODER} is not there."
    tickets = read_tickets(file, mapping={"description": "text", "category": "topic_group"}).head(count)
    texts = masked_texts(ticket_text(tickets))
    python = os.environ.get(PEERS)
    ways = [("ours", sys.executable)] + ([(name, python) for name in ("evoc", "bertopic")] if python else [])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        vectors = np.asarray(load_encoder(f"model2vec:{encoder}")(texts), dtype=np.float32)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        np.save(folder / "vectors.npy", vectors)
        (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
        return [_row(name, python, folder) for name, python in ways]


def _row(name: str, python: str, folder: Path) -> dict[str, Any]:
    script = str(Path(__file__).with_name("peer.py"))
    out = folder / f"{name}.json"
    whole = measured([python, script, name, "vectors.npy", "texts.json"], folder, out)
    return {"name": name, **json.loads(out.read_text().splitlines()[-1]), **whole}


def table(rows: list[dict[str, Any]] | str) -> str:
    """The rows as Markdown; `grouping` is without imports and reading, `seconds` the whole process."""
    if isinstance(rows, str):
        return rows
    head = [
        "| on the same vectors | groups | covered | grouping s | whole process s | MB |",
        "|---|---|---|---|---|---|",
    ]
    lines = ["| {name} | {groups} | {covered} | {grouping} | {seconds} | {megabytes:,} |".format(**row) for row in rows]
    missing = "" if len(rows) > 1 else f"\n\nBERTopic and EVoC were not run: {PEERS} names no Python that has them."
    return "\n".join(head + lines) + missing
