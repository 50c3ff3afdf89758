"""`triage check`: can these tickets carry a model, and what should be put right first? Nothing is registered."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from triage_ml.answer import prepare
from triage_ml.errors import NotEnoughDataError
from triage_ml.evaluate import (
    SimilarLabels,
    Split,
    determining_columns,
    guess_language,
    new_and_retired,
    renamed_groups,
    similar_labels,
    split_at_random,
    split_by_time,
)
from triage_ml.settings import Settings
from triage_ml.taxonomy import Taxonomy
from triage_ml.text import mask, ticket_text
from triage_ml.tickets import KNOWN_AFTER_TRIAGE
from triage_training.check_advice import advise
from triage_training.check_target import check_target
from triage_training.handoffs import handoff_figures
from triage_training.readiness import Leaks, Readiness

__all__ = ["check_tickets"]

_TEMPLATE = 10

Step = Callable[[str], None]


def check_tickets(
    tickets: pd.DataFrame,
    settings: Settings,
    taxonomy: Taxonomy,
    *,
    targets: Sequence[str] | None = None,
    handoffs: pd.DataFrame | None = None,
    cleanlab: bool = False,
    curve: bool = True,
    step: Step = lambda _: None,
) -> Readiness:
    """Look at tickets as training would, and say what it would meet.

    Parameters
    ----------
    handoffs
        The hand-off log; without it the first group of a ticket is not known.
    cleanlab
        Let cleanlab choose and rank the doubted labels (extra `hygiene`).
    curve
        Fit on growing parts to see what more tickets would bring; the longest part of it all.
    """
    tickets = tickets.reset_index(drop=True)
    asked = list(dict.fromkeys(targets or settings.train.targets))
    wanted = [name for name in asked if name in tickets and tickets[name].notna().any()]
    step("cleaning and redacting text")
    texts = prepare(ticket_text(tickets))
    notes = mask(prepare(tickets["resolution"].fillna("").tolist())) if "resolution" in tickets else [""] * len(texts)
    step("looking at templates, languages and groups")
    templates = mask(texts)
    counts = pd.Series(templates).map(pd.Series(templates).value_counts())
    split = _split(tickets, texts, settings)
    found = []
    for name in wanted:
        step(f"asking which labels of {name} are doubtful" + (", and what more tickets would bring" if curve else ""))
        part = split if curve else None
        found.append(check_target(name, tickets, texts, templates, notes, part, settings, cleanlab=cleanlab))
    renamed, unknown = _groups(tickets, texts, taxonomy)
    new, retired = _new_and_retired(tickets, taxonomy, renamed)
    readiness = Readiness(
        len(tickets),
        _usable(tickets, texts, wanted),
        found,
        _languages(texts),
        float((counts >= _TEMPLATE).mean()),
        float(pd.Series(templates).duplicated().mean()),
        _leaks(tickets, wanted, split),
        _reassigned(tickets),
        None if handoffs is None else handoff_figures(tickets, handoffs),
        renamed,
        unknown,
        new,
        retired,
        [name for name in asked if name not in wanted],
    )
    readiness.advice.extend(advise(readiness))
    return readiness


def _usable(tickets: pd.DataFrame, texts: Sequence[str], wanted: Sequence[str]) -> int:
    """Tickets with text and at least one label."""
    if not wanted:
        return 0
    with_text = np.array([bool(text.strip()) for text in texts])
    return int((with_text & tickets[list(wanted)].notna().any(axis=1).to_numpy()).sum())


def _languages(texts: Sequence[str]) -> dict[str, float]:
    shares = pd.Series([guess_language(text) for text in texts]).value_counts(normalize=True)
    return {str(name): round(float(share), 4) for name, share in shares.items()}


def _split(tickets: pd.DataFrame, texts: Sequence[str], settings: Settings) -> Split | None:
    """The split that training would make; None where there are too few tickets for one."""
    share = settings.train
    try:
        if "opened_at" in tickets and tickets["opened_at"].notna().mean() > 0.5:
            return split_by_time(
                tickets["opened_at"], texts, calibration_share=share.calibration_share, test_share=share.test_share
            )
        return split_at_random(texts, test_share=share.test_share, seed=share.seed)
    except NotEnoughDataError:
        return None


def _leaks(tickets: pd.DataFrame, wanted: Sequence[str], split: Split | None) -> Leaks:
    later = 0 if split is None else len(split.test) + len(split.repeats)
    return Leaks(
        [name for name in KNOWN_AFTER_TRIAGE if name in tickets and tickets[name].notna().any() and name not in wanted],
        {name: found for name in wanted if (found := determining_columns(tickets, name))},
        later,
        0 if split is None else len(split.repeats),
    )


def _groups(tickets: pd.DataFrame, texts: Sequence[str], taxonomy: Taxonomy) -> tuple[list[SimilarLabels], list[str]]:
    """Groups that are one under two names, and groups that the taxonomy does not know."""
    if "assignment_group" not in tickets or tickets["assignment_group"].isna().all():
        return [], []
    groups = tickets["assignment_group"]
    names = sorted(groups.dropna().unique())
    unknown = [name for name in names if taxonomy.groups and not taxonomy.group(name)]
    twice = similar_labels(groups)
    renamed = renamed_groups(groups, tickets["opened_at"], texts) if "opened_at" in tickets else []
    found = {(row.kept, row.other): row for row in (*renamed, *twice)}
    known = [row for row in found.values() if taxonomy.current_name(row.other) != taxonomy.current_name(row.kept)]
    return known, unknown


def _new_and_retired(
    tickets: pd.DataFrame, taxonomy: Taxonomy, renamed: Sequence[SimilarLabels]
) -> tuple[list[str], list[str]]:
    """Groups that began or ended, by today's names: one that only changed its name did neither."""
    if "assignment_group" not in tickets or "opened_at" not in tickets:
        return [], []
    groups = tickets["assignment_group"]
    today = {row.other: row.kept for row in renamed}
    today = {str(name): taxonomy.current_name(today.get(name, name)) for name in groups.dropna().unique()}
    return new_and_retired(groups.astype(object).map(today), tickets["opened_at"])


def _reassigned(tickets: pd.DataFrame) -> float | None:
    """Share of tickets that changed hands; None where nobody counted."""
    if "reassignment_count" not in tickets or tickets["reassignment_count"].isna().all():
        return None
    return float((tickets["reassignment_count"].dropna() > 0).mean())
