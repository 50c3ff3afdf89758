"""What the API takes and gives. Strict: nothing is converted, unknown keys are refused.

NUL is removed from text, where it comes from broken exports and means nothing, and refused in ids, where it would be
another id.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from triage_ml.store import Source

__all__ = [
    "Answer",
    "Batch",
    "BatchAnswer",
    "ModelInfo",
    "OutcomeReceipt",
    "OutcomeReport",
    "ProblemBody",
    "SimilarCases",
    "Ticket",
    "TicketHistory",
]

MAX_TICKETS = 1000
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _without_nul(value: Any) -> Any:
    return value.replace("\x00", "") if isinstance(value, str) else value


def _refuse_nul(value: Any) -> Any:
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("must not contain NUL")
    return value


def _moment(value: Any) -> Any:
    """Strict mode takes no text for a time, and the lax one takes numbers and dates without a zone."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError("expected an RFC 3339 time with an offset, like 2026-11-22T09:30:00+01:00")
    try:
        return datetime.fromisoformat(value.upper())
    except ValueError:
        raise ValueError("no such time in the calendar") from None


Title = Annotated[str, StringConstraints(max_length=1_000), BeforeValidator(_without_nul)]
Description = Annotated[str, StringConstraints(max_length=100_000), BeforeValidator(_without_nul)]
Identifier = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    BeforeValidator(_refuse_nul),
    Field(json_schema_extra={"pattern": r"^[^\u0000]+$"}),
]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Ticket(_Strict):
    """One ticket, as it was filed. `title` or `description` must not be blank."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"ticket_id": "INC0012345", "title": "Locked out", "description": "My password expired."}],
            "anyOf": [
                {
                    "required": [name],
                    "properties": {name: {"type": "string", "pattern": r"[^\s\u0000\u001c-\u001f\u0085]"}},
                }
                for name in ("title", "description")
            ],
        }
    )

    ticket_id: Identifier = Field(description="The ticket system's own id.")
    title: Title | None = None
    description: Description | None = None
    opened_at: Moment | None = Field(None, description="RFC 3339, with offset.")
    channel: Identifier | None = None
    priority: Identifier | None = None
    ticket_type: Identifier | None = None
    configuration_item: Identifier | None = None
    requester_id: Identifier | None = None
    previous_groups: list[Identifier] | None = Field(None, max_length=100, description="Oldest first.")

    @model_validator(mode="after")
    def _has_text(self) -> Ticket:
        if not (self.title or "").strip() and not (self.description or "").strip():
            raise ValueError("title or description must not be blank")
        return self


class Batch(_Strict):
    """Up to 1,000 tickets; one that is not valid refuses all."""

    tickets: list[Ticket] = Field(min_length=1, max_length=MAX_TICKETS)


class OutcomeReport(_Strict):
    """What became of a ticket. `labels` says what was right, by target."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "ticket_id": "INC0012345",
                    "labels": {"tier": "L1", "category": "Access"},
                    "resolved_at": "2026-11-22T10:05:00+01:00",
                    "effort_minutes": 6,
                    "source": "person_confirmed",
                }
            ]
        }
    )

    ticket_id: Identifier
    prediction_id: Identifier | None = Field(None, description="Without it: the last prediction before `resolved_at`.")
    labels: dict[Identifier, Identifier] = Field(max_length=50)
    resolved_at: Moment | None = Field(None, description="RFC 3339, with offset; by default when this is received.")
    effort_minutes: float | None = Field(None, ge=0, le=1_000_000, description="Touch time, never open to close.")
    source: Source


class _Given(BaseModel):
    """Something that leaves; fields may be added, never changed."""


class ModelRef(_Given):
    """Which model answered."""

    name: str
    version: str
    digest: str


class Decision(_Given):
    """What to do, and why."""

    action: Literal["auto", "suggest", "human"]
    reason: str


class Alternative(_Given):
    """Another class that it could be."""

    value: str
    probability: float


class Because(_Given):
    """A word or phrase that spoke for the value."""

    term: str
    weight: float


class TargetAnswer(_Given):
    """One target's answer; `value` is always a known class, obey `action`."""

    value: str
    probability: float
    threshold: float | None
    action: Literal["auto", "suggest", "human"]
    reason: str
    alternatives: list[Alternative]
    because: list[Because]


class SimilarCase(_Given):
    """A resolved ticket, redacted; `similarity` is the cosine of the texts, 0 to 1."""

    ticket_id: str
    title: str
    resolution: str
    similarity: float


class SimilarCases(_Given):
    """The nearest resolved tickets, nearest first."""

    ticket_id: str
    similar: list[SimilarCase]


class Answer(_Given):
    """The answer for one ticket."""

    ticket_id: str
    prediction_id: str
    model: ModelRef
    decision: Decision
    targets: dict[str, TargetAnswer]
    pattern: dict[str, Any] | None
    automation: dict[str, Any] | None
    similar: list[SimilarCase] | None = Field(None, description="With `include=similar`; null without a case index.")


class BatchAnswer(_Given):
    """Answers in the order of the tickets."""

    answers: list[Answer]


class StoredPrediction(_Given):
    """An answer with the moment at which it was stored."""

    stored_at: datetime
    answer: Answer


class OutcomeReceipt(_Given):
    """What is stored, and the prediction that it speaks about."""

    outcome_id: str
    ticket_id: str
    prediction_id: str | None


class StoredOutcome(_Given):
    """An outcome as it was reported."""

    outcome_id: str
    prediction_id: str | None
    labels: dict[str, str]
    resolved_at: datetime | None
    effort_minutes: float | None
    source: Source
    received_at: datetime


class TicketHistory(_Given):
    """What is known of a ticket, newest first."""

    ticket_id: str
    predictions: list[StoredPrediction]
    outcomes: list[StoredOutcome]


class LoadedModel(ModelRef):
    """A model in memory."""

    targets: list[str]
    loaded_at: datetime


class ModelInfo(_Given):
    """Who answers, and who is tried in its shadow."""

    champion: LoadedModel | None
    challenger: LoadedModel | None
    refused: dict[str, str] | None = Field(description="The version that was refused last, and why.")


class ProblemBody(_Given):
    """RFC 9457, with a stable `code`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[dict[str, str]] | None = None
