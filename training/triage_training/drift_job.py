"""`triage drift`: the tickets of the last weeks against those before, from the store or from a file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.answer import PICKED_FOR_AUDIT, prepare, read_model
from triage_ml.errors import NotEnoughDataError
from triage_ml.evaluate import (
    Drift,
    SimilarLabels,
    WeekDrift,
    answer_all,
    answer_table,
    renamed_groups,
    ticket_keys,
    watch,
)
from triage_ml.settings import Settings
from triage_ml.store import (
    ClosedTicket,
    DriftWeek,
    Prediction,
    closed_tickets,
    open_store,
    put_drift,
    scored_tickets,
)
from triage_ml.text import combine, mask, ticket_text
from triage_training.truths import known_labels
from triage_training.weeks import complete_weeks, monday, week_name, weeks_of

__all__ = ["LABELS", "drift_of_store", "drift_of_tickets", "figures_of", "keep_drift"]

#: Label columns that are watched for new, renamed and vanished values, where they are there.
LABELS = ("assignment_group", "subcategory")
_FEWEST_WEEKS = 3
_STORE_WEEKS = 26


def drift_of_tickets(
    tickets: pd.DataFrame,
    bundle: Path,
    settings: Settings,
    *,
    weeks: int,
    seen: Collection[str] | None = None,
    now: datetime | None = None,
) -> Drift:
    """Ask the model in `bundle` the tickets of a table; its labels, where known, count as outcomes.

    Only weeks that the table holds to their end are judged (`triage_training.weeks`).

    `seen` are the keys (`triage_ml.evaluate.ticket_keys`) of the tickets that the model was trained on: they say nothing of its
    confidence and precision. Where they are not known, all tickets before the watched weeks count as trained on.
    """
    dated = _in_complete_weeks(tickets, settings, now or datetime.now(UTC))
    texts = prepare(ticket_text(dated))
    classifier = read_model(bundle).classifier
    answers = answer_table(dated["ticket_id"].tolist(), answer_all(classifier, texts), dated)
    for name in LABELS:
        if name in dated:
            answers[name] = dated[name].to_numpy(dtype=object)
    answers["week"] = _weeks(dated["opened_at"], settings) if len(dated) else []
    trained = None if seen is None else pd.Series(ticket_keys(dated, texts)).isin(set(seen)).to_numpy(dtype=bool)
    return _watched(answers, mask(texts), list(classifier.classes_), settings, weeks, trained=trained, asked_now=True)


def drift_of_store(settings: Settings, *, weeks: int, now: datetime | None = None) -> Drift:
    """What the service answered, with the outcomes that came back. The week that is not over yet is not judged.

    An answer that stood counts as right, whether somebody looked or not: of what was decided `auto` people see little but the
    errors, so those that they saw would make every precision a bad one. It is precision as far as errors were noticed.
    """
    moment = now or datetime.now(UTC)
    since = moment - timedelta(weeks=_STORE_WEEKS)
    store = open_store(settings.store_url)
    try:
        with store.read() as connection:
            closed = {one.outcome.ticket_id: one for one in closed_tickets(connection, since=since)}
            latest = scored_tickets(connection, since=since)
    finally:
        store.close()
    scored = [one for row in latest if (one := _judged(row, closed)).stored_at < _this_monday(moment, settings)]
    targets = sorted({name for one in scored for name in one.answer.get("targets", {})})
    labels = {ticket: known_labels(one) for ticket, one in closed.items()}
    rows = [_row(one, labels.get(one.ticket_id, {}), targets) for one in scored]
    answers = pd.DataFrame(rows)
    if rows:
        answers["week"] = _weeks(pd.Series([one.stored_at for one in scored]), settings)
    texts = [combine(one.ticket.get("title"), one.ticket.get("description")) for one in scored]
    return _watched(answers, mask(texts) if any(texts) else [], targets, settings, weeks)


def keep_drift(settings: Settings, found: Drift, *, now: datetime | None = None) -> None:
    """Leave the weeks in the store, where the service finds the newest and shows it as metrics."""
    moment = now or datetime.now(UTC)
    store = open_store(settings.store_url)
    try:
        with store.begin() as connection:
            put_drift(connection, [DriftWeek(one.week, moment, one.verdict, figures_of(one)) for one in found.weeks])
    finally:
        store.close()


def figures_of(week: WeekDrift) -> dict[str, Any]:
    """Figures of a week as plain JSON values, without any word."""
    return {
        "tickets": week.tickets,
        "new_words": round(week.new_words, 4),
        "changed_words": len(week.words),
        "stability_index": {name: round(value, 4) for name, value in week.psi.items()},
        "confidence": {
            name: {"usual": round(shift.usual, 4), "now": round(shift.now, 4), "p_value": shift.p_value}
            for name, shift in week.confidence.items()
        },
        "precision": {
            name: {"precision": round(share.value, 4), "interval": [round(share.low, 4), round(share.high, 4)]}
            for name, share in week.precision.items()
        },
    }


def _watched(
    answers: pd.DataFrame,
    texts: Sequence[str],
    targets: list[str],
    settings: Settings,
    weeks: int,
    *,
    trained: NDArray[np.bool_] | None = None,
    asked_now: bool = False,
) -> Drift:
    found = sorted(set(answers["week"])) if len(answers) else []
    if len(found) < _FEWEST_WEEKS + 1:
        raise NotEnoughDataError(
            f"At least {_FEWEST_WEEKS + 1} whole weeks of tickets with a date are needed to see what changed, "
            f"found {len(found)}.",
            hint="Wait, or name an export: triage drift --tickets FILE.",
        )
    watched = found[-min(weeks, len(found) - _FEWEST_WEEKS) :]
    reference = (answers["week"] < watched[0]).to_numpy(dtype=bool)
    labels = [name for name in LABELS if name in answers]
    drift = watch(
        answers,
        texts,
        targets=targets,
        reference=reference,
        trained=reference if asked_now and trained is None else trained,
        promise=settings.decision.precision,
        labels=labels,
    )
    return replace(drift, renamed=_renamed(answers, texts, labels, since=watched[0]))


def _renamed(
    answers: pd.DataFrame, texts: Sequence[str], labels: Sequence[str], *, since: str
) -> dict[str, list[SimilarLabels]]:
    """Labels that came up in the watched weeks and do the work of one that ended: probably its new name."""
    if not len(texts):
        return {}
    found = {}
    for name in labels:
        began = answers.groupby(name)["week"].min()
        mondays = pd.to_datetime(answers["week"] + "-1", format="%G-W%V-%u", utc=True)
        rows = [row for row in renamed_groups(answers[name], mondays, texts) if began[row.kept] >= since]
        if rows:
            found[name] = rows
    return found


def _judged(latest: Prediction, closed: Mapping[str, ClosedTicket]) -> Prediction:
    """The prediction that a ticket's outcome speaks about, where there is one: it may have been scored again since."""
    found = closed.get(latest.ticket_id)
    return latest if found is None or found.prediction is None else found.prediction


def _row(one: Prediction, labels: Mapping[str, Any], targets: Sequence[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"ticket": one.ticket_id, **{name: labels.get(name) for name in LABELS}}
    for name in targets:
        answer = one.answer.get("targets", {}).get(name, {})
        row |= {
            f"{name}_truth": labels.get(name),
            name: answer.get("value"),
            f"{name}_probability": answer.get("probability", float("nan")),
            f"{name}_auto": answer.get("action") == "auto" or answer.get("reason") == PICKED_FOR_AUDIT,
        }
    return row


def _in_complete_weeks(tickets: pd.DataFrame, settings: Settings, now: datetime) -> pd.DataFrame:
    if "opened_at" not in tickets:
        return tickets.iloc[:0]
    whole = complete_weeks(tickets, settings.calendar.timezone, now)
    return tickets[weeks_of(tickets["opened_at"], settings.calendar.timezone).isin(whole)].reset_index(drop=True)


def _weeks(moments: pd.Series, settings: Settings) -> list[str]:
    return weeks_of(pd.to_datetime(moments, utc=True), settings.calendar.timezone).tolist()


def _this_monday(moment: datetime, settings: Settings) -> datetime:
    """When the week of this moment began, in the calendar's zone."""
    zone = ZoneInfo(settings.calendar.timezone)
    return datetime.combine(monday(week_name(moment.astimezone(zone).date())), time(), zone)
