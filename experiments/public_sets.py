"""What experiments on the classifier fit and ask: train parts of public sets, and simulated desks in order of time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.answer import prepare
from triage_ml.simulate import simulate_desk
from triage_ml.text import ticket_text
from triage_ml.tickets import read_tickets

__all__ = ["Part", "halves", "simulated_desk", "train_part"]

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Prepared texts and the labels of one target: strings, none missing."""

    name: str
    texts: list[str]
    labels: NDArray[Any]

    def take(self, rows: Rows) -> Part:
        """Some of the rows."""
        return Part(self.name, [self.texts[row] for row in rows], self.labels[rows])


def train_part(data: Path, each: dict[str, Any], rows: int = 0) -> Part:
    """The train part of a public set (all of it where there is no split); its test part is never read."""
    table = pd.read_csv(data / each["name"] / "tickets.csv.gz", dtype=str, keep_default_na=False)
    if each.get("split"):
        table = table[table[each["split"]] == "train"]
    table = table[table[each["label"]] != each.get("out_of_scope", "")]
    if rows:
        table = table.sample(min(rows, len(table)), random_state=0)
    name = each["name"] if each["label"] in ("intent", "topic_group") else f"{each['name']} {each['label']}"
    return Part(name, prepare(table["text"].tolist()), table[each["label"]].to_numpy(dtype=object))


def halves(part: Part, share: float, seeds: list[int]) -> Iterator[tuple[Rows, Rows]]:
    """(rows to fit on, rows to ask), for each seed a new draw."""
    for seed in seeds:
        asked = np.random.default_rng(seed).random(len(part.texts)) < share
        yield np.flatnonzero(~asked), np.flatnonzero(asked)


def simulated_desk(tickets: int, weeks: int, seed: int) -> tuple[pd.DataFrame, list[str]]:
    """A desk's tickets in order of time, and their prepared texts."""
    with tempfile.TemporaryDirectory() as scratch:
        desk = Path(scratch, "desk")
        simulate_desk(desk, tickets=tickets, weeks=weeks, seed=seed)
        table = read_tickets(desk / "tickets.parquet").sort_values("opened_at", kind="stable").reset_index(drop=True)
    return table, prepare(ticket_text(table))
