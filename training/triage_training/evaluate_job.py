"""Measure models on any labelled tickets, a chunk at a time: only ids, labels and probabilities are kept of a chunk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from triage_ml.answer import Model, prepare, read_model
from triage_ml.errors import InputError
from triage_ml.evaluate import (
    Answered,
    Comparison,
    Evaluation,
    SliceFigures,
    answer_all,
    answer_table,
    answered_targets,
    compare,
    evaluate_answers,
    join_answers,
    slice_columns,
    slice_figures,
    stands_for,
)
from triage_ml.settings import Settings
from triage_ml.text import ticket_text

__all__ = ["Measured", "compare_models", "evaluate_tickets", "flipped"]


@dataclass(frozen=True)
class Measured:
    """Figures of all targets, and of each by slice."""

    evaluation: Evaluation
    slices: dict[str, list[SliceFigures]]


def evaluate_tickets(
    model: Model,
    tickets: pd.DataFrame,
    settings: Settings,
    *,
    source: str = "the tickets",
    progress: Callable[[int], None] = lambda _: None,
) -> Measured:
    """Figures of a model on labelled tickets; InputError where none of its targets is labelled."""
    labelled = [target for target in model.targets if target in tickets and tickets[target].notna().any()]
    if not labelled:
        raise InputError(f"{source}: expected labels in a column {' or '.join(model.targets)}, found none.")
    texts = ticket_text(tickets)
    answered = _known(answer_all(model.classifier, texts, prepare=prepare, progress=progress), labelled)
    evaluation = evaluate_answers(answered, tickets, routing=settings.decision.routing, stands_for=stands_for(tickets))
    rows = tickets["ticket_id"].tolist()
    answers = answer_table(rows, answered, tickets, extra=slice_columns(tickets, texts))
    return Measured(evaluation, {target: slice_figures(answers, target) for target in labelled})


def compare_models(first: Path, second: Path, tickets: pd.DataFrame) -> list[Comparison]:
    """Every target that both bundles answer and the tickets label; the second against the first."""
    texts = ticket_text(tickets)
    extra = slice_columns(tickets, texts)
    keys = [str(number) for number in range(len(tickets))]  # the same rows for both: they need no id
    tables = []
    for folder in (first, second):
        answered = answer_all(read_model(folder).classifier, texts, prepare=prepare)
        tables.append(answer_table(keys, answered, tickets, extra=extra))
    joined = join_answers(tables[0], tables[1])
    joined["ticket"] = tickets["ticket_id"].to_numpy(dtype=object)[joined["ticket"].astype(int)]
    slices = [str(column) for column in extra if str(column).startswith("slice.")]
    shared = [
        name for name in answered_targets(tables[1]) if name in tables[0] and tables[1][f"{name}_truth"].notna().any()
    ]
    if not shared:
        raise InputError("The two models share no target that these tickets have labels of.")
    return [compare(joined, target, slices=slices) for target in shared]


def flipped(found: Sequence[Comparison]) -> pd.DataFrame:
    """Ids of the tickets that only one of the two answered right: `target`, `ticket_id`, `flip` (fixed or broken)."""
    rows = [
        (each.target, ticket, flip)
        for each in found
        for flip, tickets in (("fixed", each.fixed), ("broken", each.broken))
        for ticket in tickets
    ]
    return pd.DataFrame(rows, columns=["target", "ticket_id", "flip"])


def _known(answered: dict[str, Answered], targets: Sequence[str]) -> dict[str, Answered]:
    return {name: answered[name] for name in targets}
