"""What came back, as tickets to learn from: predictions and outcomes of the store, joined and weighed.

A ticket that was routed by itself and never looked at proves little: its label is the model's own answer. Learnt as truth,
such labels would confirm whatever the model believes. They can't simply be dropped either: what a model decides by itself
are its easy tickets, and without them the next model would see hard tickets only and forget what is common.

So each row says what it is (`label_source`) and what it weighs (`label_weight`), and the default is:

corrected, 3.0
    A person changed the answer: seen by a person, and exactly where the model was wrong.
confirmed, 1.0
    A person saw the answer and kept it, or the ticket was decided by a person.
suggested_untouched, 0.5
    It was only suggested and closed without a change: shown to somebody who could have changed it.
audit_corrected, audit_confirmed, audit_untouched: as the three above
    The ticket would have been `auto` and was picked, at random, to be shown to a person (`[decision] audit_share`).
auto_untouched, 1.0 for one in four, else 0.0
    Nobody looked, or it is no longer known what was decided (predictions are forgotten by age). One in four, by a hash of the
    id, keeps common kinds in the data; the others don't vote, so that the model's own voice stays far below that of people.
    Any share can be had with `--untouched`.
automation, 1.0
    Its tier is the one that would have solved it, where the sender says so; else no tier (decision 15 of DESIGN.md).

Figures are measured, and thresholds chosen, on the same rows, but as if none were missing: each stands for `label_stands_for`
tickets (inverse of the share of its kind that was kept; Horvitz and Thompson 1952). One in four untouched tickets stands for
four, the other three for none. That still takes an error that nobody noticed for right. Audits tell: who is picked has nothing
to do with who is right. So a ticket that was up for an audit says with which share (`label_audit_share`). Where enough of the
tickets in hand were picked (`triage_ml.evaluate.stands_for`), each of them stands for 1 / share tickets and those that were up
and not picked for none, untouched or corrected: of these people saw little but the errors. With fewer, one ticket that stands
for fifty would be the figure, so the untouched ones go on standing for themselves, and a picked one for itself.

Experiment 0104 closes the loop for twelve weeks.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from triage_ml.answer import PICKED_FOR_AUDIT
from triage_ml.errors import InputError
from triage_ml.store import ClosedTicket, Store, closed_tickets
from triage_training.truths import given_answers, known_labels

__all__ = ["WEIGHTS", "Exported", "export_outcomes"]

WEIGHTS = {
    "corrected": 3.0,
    "confirmed": 1.0,
    "suggested_untouched": 0.5,
    "audit_corrected": 3.0,
    "audit_confirmed": 1.0,
    "audit_untouched": 0.5,
    "auto_untouched": 1.0,
    "automation": 1.0,
}
_UNTOUCHED = 0.25
_TEXT = ("title", "description")
_COPIED = ("channel", "priority", "ticket_type", "configuration_item", "requester_id")


@dataclass(frozen=True)
class Exported:
    """The labelled set, how many rows of each source it has, and how many outcomes had no text to learn from."""

    tickets: pd.DataFrame
    sources: dict[str, int]
    without_text: int


def export_outcomes(
    store: Store, *, since: datetime | None = None, tickets: pd.DataFrame | None = None, untouched: float = _UNTOUCHED
) -> Exported:
    """Outcomes of the store as a ticket table with `predicted_{target}` and four columns of the label.

    `label_source` says what kind of outcome it is, `label_weight` how often it is learnt from, `label_stands_for` for how many
    tickets it stands where figures are measured and thresholds chosen without audits, `label_audit_share` with which share it
    was up for one (missing where it was not).

    Parameters
    ----------
    since
        Only outcomes received at or after this moment.
    tickets
        A ticket table to take text and times from, where the store keeps no text, or for tickets that were never scored.
    untouched
        Share of the `auto` tickets that nobody touched which keep a weight of 1.

    Raises
    ------
    InputError
        There is no outcome, or none of them has text.
    """
    with store.read() as connection:
        closed = closed_tickets(connection, since=since)
    if not closed:
        when = f"since {since:%Y-%m-%d}" if since else "yet"
        raise InputError(f"No outcome has come back {when}.", hint="Outcomes are reported to POST /v1/outcomes.")
    frame = pd.DataFrame([_row(one, untouched) for one in closed])
    frame = _with_text_from(frame, tickets)
    blank = frame[list(_TEXT)].fillna("").apply(lambda column: column.str.strip() == "").all(axis=1)
    if blank.all():
        raise InputError(
            f"None of {len(frame):,} outcomes has text: the store keeps none, or they were never scored.",
            hint="Name an export to take it from: --tickets FILE.",
        )
    kept = frame[~blank].reset_index(drop=True)
    return Exported(kept, {str(k): int(n) for k, n in kept["label_source"].value_counts().items()}, int(blank.sum()))


def _row(closed: ClosedTicket, untouched: float) -> dict[str, Any]:
    outcome, prediction = closed.outcome, closed.prediction
    asked = dict(prediction.ticket) if prediction else {}
    source = _source(closed)
    thinned = source == "auto_untouched"
    kept = not thinned or _in_sample(outcome.ticket_id, untouched)
    row: dict[str, Any] = {
        "ticket_id": outcome.ticket_id,
        "opened_at": asked.get("opened_at") or (prediction.stored_at if prediction else outcome.closed_at),
        "resolved_at": outcome.resolved_at,
        "effort_minutes": outcome.effort_minutes,
        "label_source": source,
        "label_weight": WEIGHTS[source] if kept else 0.0,
        "label_stands_for": (1.0 / untouched if thinned else 1.0) if kept else 0.0,
        "label_audit_share": _audit_share(closed),
    }
    row |= {name: asked.get(name) for name in (*_TEXT, *_COPIED)}
    row |= {f"predicted_{name}": answer.get("value") for name, answer in given_answers(closed).items()}
    row |= known_labels(closed)
    if outcome.source == "automation" and row.get("tier") == "L0":
        row["tier"] = None  # it ran by itself; who would have solved it is not known
    return row


def _audit_share(closed: ClosedTicket) -> float | None:
    """With which share the ticket was up for an audit; None for none."""
    decision = closed.prediction.answer.get("decision", {}) if closed.prediction else {}
    return float(decision.get("audit_share") or 0.0) or None


def _is_picked(closed: ClosedTicket) -> bool:
    return closed.prediction is not None and closed.prediction.reason == PICKED_FOR_AUDIT


def _source(closed: ClosedTicket) -> str:
    outcome, prediction = closed.outcome, closed.prediction
    if outcome.source == "automation":
        return "automation"
    if _is_picked(closed):
        return {"person_corrected": "audit_corrected", "person_confirmed": "audit_confirmed"}.get(
            outcome.source, "audit_untouched"
        )
    if outcome.source == "person_corrected":
        return "corrected"
    if outcome.source == "person_confirmed":
        return "confirmed"
    if prediction is None:  # forgotten by age, or never scored: it may have been decided auto
        return "auto_untouched"
    return "auto_untouched" if prediction.action == "auto" else "suggested_untouched"


def _in_sample(ticket_id: str, share: float) -> bool:
    """The same tickets each time, whatever else is in the store."""
    digest = hashlib.blake2b(ticket_id.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") < share * 2**32


def _with_text_from(frame: pd.DataFrame, tickets: pd.DataFrame | None) -> pd.DataFrame:
    frame["opened_at"] = pd.to_datetime(frame["opened_at"], utc=True, format="ISO8601")
    if tickets is None:
        return frame
    known = tickets.drop_duplicates("ticket_id").set_index("ticket_id")
    frame = frame.set_index("ticket_id")
    for name in (*_TEXT, "opened_at"):
        if name in known:
            frame[name] = known[name].reindex(frame.index).combine_first(frame[name])
    return frame.reset_index()
