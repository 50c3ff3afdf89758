"""`triage drift`: the tickets of the last weeks against those before, from the store or from a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from triage_ml.answer import prepare, read_model
from triage_ml.errors import NotEnoughDataError
from triage_ml.evaluate import Drift, answer_all, answer_table, watch
from triage_ml.settings import Settings
from triage_ml.store import Prediction, closed_tickets, open_store, scored_tickets
from triage_ml.text import combine, mask, ticket_text

__all__ = ["LABELS", "drift_of_store", "drift_of_tickets"]

#: Label columns that are watched for new, renamed and vanished values, where they are there.
LABELS = ("assignment_group", "subcategory")
_FEWEST_WEEKS = 3
_STORE_WEEKS = 26


def drift_of_tickets(tickets: pd.DataFrame, bundle: Path, settings: Settings, *, weeks: int) -> Drift:
    """Ask the model in `bundle` the tickets of a table; its labels, where known, count as outcomes."""
    dated = tickets[tickets["opened_at"].notna()].reset_index(drop=True) if "opened_at" in tickets else tickets.iloc[:0]
    texts = prepare(ticket_text(dated))
    classifier = read_model(bundle).classifier
    labelled = dated.reindex(columns=[*dated.columns, *(name for name in classifier.classes_ if name not in dated)])
    answers = answer_table(dated["ticket_id"].tolist(), answer_all(classifier, texts), labelled)
    for name in LABELS:
        if name in dated:
            answers[name] = dated[name].to_numpy(dtype=object)
    answers["week"] = _weeks(dated["opened_at"], settings) if len(dated) else []
    return _watched(answers, mask(texts), list(classifier.classes_), settings, weeks)


def drift_of_store(settings: Settings, *, weeks: int, now: datetime | None = None) -> Drift:
    """What the service answered, with the outcomes that came back."""
    since = (now or datetime.now(UTC)) - timedelta(weeks=_STORE_WEEKS)
    store = open_store(settings.store_url)
    try:
        with store.read() as connection:
            scored = scored_tickets(connection, since=since)
            closed = {one.outcome.ticket_id: one.outcome for one in closed_tickets(connection, since=since)}
    finally:
        store.close()
    targets = sorted({name for one in scored for name in one.answer.get("targets", {})})
    rows = []
    for one in scored:
        outcome = closed.get(one.ticket_id)
        rows.append(_row(one, dict(outcome.labels) if outcome else {}, targets))
    answers = pd.DataFrame(rows)
    if rows:
        answers["week"] = _weeks(pd.Series([one.stored_at for one in scored]), settings)
    texts = [combine(one.ticket.get("title"), one.ticket.get("description")) for one in scored]
    return _watched(answers, mask(texts) if any(texts) else [], targets, settings, weeks)


def _watched(answers: pd.DataFrame, texts: Sequence[str], targets: list[str], settings: Settings, weeks: int) -> Drift:
    found = sorted(set(answers["week"])) if len(answers) else []
    if len(found) < _FEWEST_WEEKS + 1:
        raise NotEnoughDataError(
            f"At least {_FEWEST_WEEKS + 1} weeks of tickets with a date are needed to see what changed, found {len(found)}.",
            hint="Wait, or name an export: triage drift --tickets FILE.",
        )
    watched = found[-min(weeks, len(found) - _FEWEST_WEEKS) :]
    return watch(
        answers,
        texts,
        targets=targets,
        reference=(answers["week"] < watched[0]).to_numpy(dtype=bool),
        promise=settings.decision.precision,
        labels=[name for name in LABELS if name in answers],
    )


def _row(one: Prediction, labels: dict[str, str], targets: Sequence[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"ticket": one.ticket_id, **{name: labels.get(name) for name in LABELS}}
    for name in targets:
        answer = one.answer.get("targets", {}).get(name, {})
        row |= {
            f"{name}_truth": labels.get(name),
            name: answer.get("value"),
            f"{name}_probability": answer.get("probability", float("nan")),
            f"{name}_auto": answer.get("action") == "auto",
        }
    return row


def _weeks(moments: pd.Series, settings: Settings) -> list[str]:
    """ISO weeks in the calendar's zone."""
    local = pd.to_datetime(moments, utc=True).dt.tz_convert(settings.calendar.timezone).dt.isocalendar()
    return [f"{year}-W{week:02d}" for year, week in zip(local["year"], local["week"], strict=True)]
