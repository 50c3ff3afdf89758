"""Whether answers were right, as closed tickets say: by target and decision, week by week, and against the challenger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from triage_ml.store import ClosedTicket, Connection, shadows_of
from triage_ml.weeks import week_name

__all__ = ["load_shadow_figures", "routing_figures", "routing_weeks"]


def routing_figures(closed: Iterable[ClosedTicket]) -> list[dict[str, Any]]:
    """By target and action: tickets whose outcome is known, how many were answered right, and the share.

    `coverage` is the share of a target's closed tickets that were decided in this way.
    """
    right: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for one in closed:
        for name, label in one.outcome.labels.items():
            if one.prediction is not None and (answer := one.prediction.answer["targets"].get(name)) is not None:
                counted = right[name, answer["action"]]
                counted[0] += answer["value"] == label
                counted[1] += 1
    totals: defaultdict[str, int] = defaultdict(int)
    for (name, _), (_, tickets) in right.items():
        totals[name] += tickets
    return [
        {
            "target": name,
            "action": action,
            "tickets": tickets,
            "right": good,
            "precision": good / tickets,
            "coverage": tickets / totals[name],
        }
        for (name, action), (good, tickets) in sorted(right.items())
    ]


def routing_weeks(closed: Iterable[ClosedTicket]) -> list[dict[str, Any]]:
    """By target, week by week (ISO, UTC, when the answer was stored): closed tickets, share decided `auto`, precision there.

    Precision that falls from week to week is drift, whatever its cause; `triage drift` says which.
    """
    counts: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for one in closed:
        if one.prediction is None:
            continue
        week = week_name(one.prediction.stored_at)
        for name, label in one.outcome.labels.items():
            if (answer := one.prediction.answer["targets"].get(name)) is not None:
                counted, auto = counts[name, week], answer["action"] == "auto"
                counted[0] += 1
                counted[1] += auto
                counted[2] += auto and answer["value"] == label
    return [
        {
            "target": name,
            "week": week,
            "tickets": tickets,
            "coverage": auto / tickets,
            "precision": right / auto if auto else None,
        }
        for (name, week), (tickets, auto, right) in sorted(counts.items())
    ]


def load_shadow_figures(connection: Connection, closed: Sequence[ClosedTicket]) -> list[dict[str, Any]]:
    """By challenger version and target, on the tickets that both answered: how often each was right, and agreed."""
    known = {one.prediction.prediction_id: one for one in closed if one.prediction is not None}
    counts: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for shadow in shadows_of(connection, known):
        one = known[shadow.prediction_id]
        answers = one.prediction.answer["targets"] if one.prediction else {}
        for name, label in one.outcome.labels.items():
            if name in shadow.targets and name in answers:
                theirs, ours = shadow.targets[name]["value"], answers[name]["value"]
                counted = counts[shadow.model_version, name]
                for index, hit in enumerate((True, theirs == label, ours == label, theirs == ours)):
                    counted[index] += hit
    return [
        {
            "version": version,
            "target": name,
            "tickets": tickets,
            "challenger": challenger / tickets,
            "champion": champion / tickets,
            "agreed": agreed / tickets,
        }
        for (version, name), (tickets, challenger, champion, agreed) in sorted(counts.items())
    ]
