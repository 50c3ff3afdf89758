"""What a model answered to labelled tickets, one row a ticket: ids, labels and probabilities, no text.

Every figure that compares models or looks at a part of the tickets starts from this table. It is logged with a trained
model, so that a gate can judge tickets whose text it never sees.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.classify import TriageClassifier
from triage_ml.errors import InputError

__all__ = [
    "AUDITS_TO_CHOOSE",
    "AUDITS_TO_MEASURE",
    "Answered",
    "answer_all",
    "answer_table",
    "answered_targets",
    "stands_for",
    "ticket_keys",
]

#: So many audits among the tickets in hand stand for all that was up for one: figures carry their intervals, but a threshold
#: that is chosen with a bound on fewer than 200 is often none at all.
AUDITS_TO_MEASURE = 50
AUDITS_TO_CHOOSE = 200
_CHUNK = 4096


@dataclass(frozen=True)
class Answered:
    """The answers of one target: shapes (tickets,).

    `automatic` says for each promise (`"0.90"`) which tickets were decided `auto`, the promise in force first.
    """

    predicted: NDArray[np.object_]
    probability: NDArray[np.float32]
    automatic: dict[str, NDArray[np.bool_]]

    @property
    def auto(self) -> NDArray[np.bool_]:
        """Decided `auto` under the promise in force."""
        return next(iter(self.automatic.values()))


def answer_all(
    classifier: TriageClassifier,
    texts: Sequence[str],
    *,
    prepare: Callable[[Sequence[str]], list[str]] = list,
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, Answered]:
    """The classifier's answers of every target.

    Parameters
    ----------
    texts
        Prepared texts, or raw ones with `prepare`: they are answered in chunks, so only a chunk is ever held twice.
    progress
        Told the number of tickets done after each chunk.
    """
    parts: dict[str, list[Answered]] = {}
    for chunk in _chunks(texts):
        for name, answer in classifier.answers(*classifier.read(prepare(chunk))).items():
            confidence = answer.probabilities[np.arange(len(answer.chosen)), answer.chosen]
            readable = np.array([reason not in ("text_too_short", "unfamiliar_text") for _, reason in answer.decisions])
            automatic = {
                _named(promise): readable & policy.automatic(confidence, answer.chosen)
                for promise, policy in classifier.policies(name).items()
            }
            labels = np.asarray(answer.classes, dtype=object)[answer.chosen]
            parts.setdefault(name, []).append(Answered(labels, confidence, automatic))
        progress(len(chunk))
    return {name: _joined(rows) for name, rows in parts.items()}


def _named(promise: float) -> str:
    """`0.90`, and `0.904` where somebody promises so."""
    short = f"{promise:.2f}"
    return short if float(short) == promise else f"{promise:g}"


def answer_table(
    keys: Sequence[str], answered: dict[str, Answered], labels: pd.DataFrame, *, extra: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Answers beside the truth.

    Columns: `ticket`, those of `extra`, and for each target that the model answers `{target}_truth` (missing where unknown),
    `{target}`, `{target}_probability` and `{target}_auto`.
    """
    columns: dict[str, object] = {"ticket": list(keys)}
    if extra is not None:
        columns |= {str(name): extra[name].to_numpy() for name in extra}
    for name, answer in answered.items():
        truth = labels[name].tolist() if name in labels else [None] * len(keys)
        columns[f"{name}_truth"] = pd.array(truth, dtype="string")
        columns[name] = pd.array(answer.predicted.tolist(), dtype="string")
        columns[f"{name}_probability"] = answer.probability
        columns[f"{name}_auto"] = answer.auto
    return pd.DataFrame(columns)


def answered_targets(table: pd.DataFrame) -> list[str]:
    """The targets of an answer table."""
    return [str(name).removesuffix("_truth") for name in table if str(name).endswith("_truth")]


def stands_for(tickets: pd.DataFrame, *, enough: int = AUDITS_TO_MEASURE) -> NDArray[np.float64]:
    """For how many tickets each one stands where figures are measured: `label_stands_for`, or 1. Shape (tickets,).

    `triage export-outcomes` keeps a share of some kinds of outcomes: one that is kept stands for 1 / share of them, the others
    for none (Horvitz and Thompson 1952). Where at least `enough` of these very tickets were picked for an audit, each of those
    stands for 1 / `label_audit_share`, and what was up for an audit and not picked for none. So call it with the part that is
    measured, not with all tickets.

    Raises
    ------
    InputError
        A value that is negative or no number, or a share that is none.
    """
    found = _numbers(tickets, "label_stands_for", 1.0)
    share = _numbers(tickets, "label_audit_share", 0.0)
    if not (np.isfinite(found) & (found >= 0)).all():
        raise InputError("Column label_stands_for: expected numbers of tickets, 0 and above.")
    if not ((share >= 0) & (share <= 1)).all():
        raise InputError("Column label_audit_share: expected shares from 0 to 1.")
    if "label_source" not in tickets:
        return found
    picked = tickets["label_source"].astype("string").str.startswith("audit_").fillna(False).to_numpy(dtype=bool)
    was_up = share > 0
    if (was_up & picked).sum() < enough:
        return found
    return np.where(was_up, picked / np.where(was_up, share, 1.0), found)


def _numbers(tickets: pd.DataFrame, column: str, default: float) -> NDArray[np.float64]:
    """A column, `default` where it is empty or not there; NaN where it has no number."""
    if column not in tickets:
        return np.full(len(tickets), default)
    given = tickets[column]
    found: NDArray[np.float64] = (
        pd.to_numeric(given, errors="coerce").where(given.notna(), default).to_numpy(dtype=np.float64)
    )
    return found


def ticket_keys(tickets: pd.DataFrame, texts: Sequence[str]) -> list[str]:
    """What a ticket is known by in another file: its id, or a fingerprint of its text where ids are only row numbers.

    Two files both have a `row-1`, and it is not the same ticket.
    """
    numbered = tickets["ticket_id"].str.fullmatch(r"row-\d+").fillna(False)
    return [
        f"text-{hashlib.blake2b(text.encode('utf-8', 'replace'), digest_size=8).hexdigest()}" if is_row else str(key)
        for key, text, is_row in zip(tickets["ticket_id"], texts, numbered, strict=True)
    ]


def _chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(texts), _CHUNK):
        yield texts[begin : begin + _CHUNK]


def _joined(rows: list[Answered]) -> Answered:
    return Answered(
        np.concatenate([row.predicted for row in rows]),
        np.concatenate([row.probability for row in rows]),
        {promise: np.concatenate([row.automatic[promise] for row in rows]) for promise in rows[0].automatic},
    )
