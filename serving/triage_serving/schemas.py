"""What the API takes and gives. Strict: nothing is converted, unknown keys are refused.

NUL is removed from text, where it comes from broken exports and means nothing, and refused in ids, where it would be
another id.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from triage_ml.answer import REASONS
from triage_ml.store import Source

__all__ = [
    "Answer",
    "Batch",
    "BatchAnswer",
    "Identifier",
    "ModelInfo",
    "OutcomeReceipt",
    "OutcomeReport",
    "ProblemBody",
    "SimilarCases",
    "Ticket",
    "TicketHistory",
]

MAX_TICKETS = 1000
#: A day from the ends of the calendar: beyond them a moment has no date in some time zone.
FIRST_MOMENT = datetime(1, 1, 2, tzinfo=UTC)
LAST_MOMENT = datetime(9999, 12, 30, tzinfo=UTC)
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
        moment = datetime.fromisoformat(value.upper())
    except ValueError:
        raise ValueError("no such time in the calendar") from None
    if not FIRST_MOMENT <= moment <= LAST_MOMENT:
        raise ValueError("no such time in the calendar of every time zone")
    return moment


Title = Annotated[str, StringConstraints(max_length=1_000), BeforeValidator(_without_nul)]
Description = Annotated[str, StringConstraints(max_length=100_000), BeforeValidator(_without_nul)]
Identifier = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    BeforeValidator(_refuse_nul),
    Field(json_schema_extra={"pattern": r"^[^\u0000]+$"}),
]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]


# Examples have no null: FastAPI leaves out of its document whatever is one.
_TICKET: dict[str, Any] = {"ticket_id": "INC0012345", "title": "Locked out", "description": "My password expired."}
_ANSWER: dict[str, Any] = {
    "ticket_id": "INC0012345",
    "prediction_id": "01a201ae-4c66-7e3d-a4fa-20f25e44d8c9",
    "model": {"name": "triage", "version": "7", "digest": "sha256:8f5be3e4"},
    "decision": {"action": "suggest", "reason": "below_threshold"},
    "targets": {
        "tier": {
            "value": "L1",
            "probability": 0.94,
            "threshold": 0.81,
            "action": "auto",
            "reason": "confident",
            "alternatives": [{"value": "L2-EUC", "probability": 0.04}],
            "because": [{"term": "password", "weight": 1.31}],
        },
        "category": {
            "value": "Access",
            "probability": 0.66,
            "threshold": 0.74,
            "action": "suggest",
            "reason": "below_threshold",
            "alternatives": [{"value": "Hardware", "probability": 0.21}],
            "because": [{"term": "password", "weight": 0.92}],
        },
    },
    "pattern": {"pattern_id": "pd4ab1e6eee17", "title": "Reset AD password", "similarity": 0.83},
    "automation": {"pattern_id": "pd4ab1e6eee17", "mode": "suggest", "reference": "runbook RB-104"},
}
_OUTCOME: dict[str, Any] = {
    "ticket_id": "INC0012345",
    "labels": {"tier": "L1", "category": "Access"},
    "resolved_at": "2026-11-22T10:05:00+01:00",
    "effort_minutes": 6,
    "source": "person_confirmed",
}
_CASE: dict[str, Any] = {
    "ticket_id": "INC0009876",
    "title": "AD account locked",
    "resolution": "Unlocked the account; the phone still sent the old password.",
    "similarity": 0.71,
}
_MODEL: dict[str, Any] = {
    "name": "triage",
    "version": "7",
    "digest": "sha256:8f5be3e4",
    "targets": ["tier", "category"],
    "loaded_at": "2026-11-22T09:00:00Z",
    "measured": {"tier.accuracy": 0.86, "tier.ece": 0.012},
}


def _example(*examples: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": list(examples)})


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Ticket(_Strict):
    """One ticket, as it was filed. `title` or `description` must not be blank."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [_TICKET],
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

    model_config = _example({"tickets": [_TICKET, _TICKET | {"ticket_id": "INC0012346"}]})

    tickets: list[Ticket] = Field(min_length=1, max_length=MAX_TICKETS)


class OutcomeReport(_Strict):
    """What became of a ticket. `labels` says what was right, by target."""

    model_config = _example(_OUTCOME)

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
    """What to do, and why; `audit_share` is there where tickets like this one are picked for an audit."""

    action: Literal["auto", "suggest", "human"]
    reason: str = Field(description=f"One of {', '.join(REASONS)}.")
    audit_share: float | None = Field(
        None, description="Share of the tickets that would be `auto` which people are shown, `[decision] audit_share`."
    )


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

    model_config = _example({"ticket_id": "INC0012345", "similar": [_CASE]})

    ticket_id: str
    similar: list[SimilarCase]


class Answer(_Given):
    """The answer for one ticket."""

    model_config = _example(_ANSWER)

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

    model_config = _example({"answers": [_ANSWER]})

    answers: list[Answer]


class StoredPrediction(_Given):
    """An answer with the moment at which it was stored."""

    stored_at: datetime
    answer: Answer


class OutcomeReceipt(_Given):
    """What is stored, and the prediction that it speaks about."""

    model_config = _example(
        {
            "outcome_id": "01a201b0-1111-7e3d-a4fa-20f25e44d8c9",
            "ticket_id": "INC0012345",
            "prediction_id": "01a201ae-4c66-7e3d-a4fa-20f25e44d8c9",
        }
    )

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

    model_config = _example(
        {
            "ticket_id": "INC0012345",
            "predictions": [{"stored_at": "2026-11-22T09:01:02Z", "answer": _ANSWER}],
            "outcomes": [
                {
                    "outcome_id": "01a201b0-1111-7e3d-a4fa-20f25e44d8c9",
                    "prediction_id": "01a201ae-4c66-7e3d-a4fa-20f25e44d8c9",
                    "labels": {"tier": "L1", "category": "Access"},
                    "resolved_at": "2026-11-22T09:05:00Z",
                    "effort_minutes": 6.0,
                    "source": "person_confirmed",
                    "received_at": "2026-11-22T09:05:01Z",
                }
            ],
        }
    )

    ticket_id: str
    predictions: list[StoredPrediction]
    outcomes: list[StoredOutcome]


class LoadedModel(ModelRef):
    """A model in memory."""

    targets: list[str]
    loaded_at: datetime
    measured: dict[str, float] = Field(
        description="What training measured on later tickets, such as `tier.accuracy`, by the names that MLflow shows."
    )


class ModelInfo(_Given):
    """Who answers, and who is tried in its shadow."""

    model_config = _example(
        {"champion": _MODEL, "challenger": _MODEL | {"version": "8"}, "refused": {"version": "6", "reason": "KeyError"}}
    )

    champion: LoadedModel | None
    challenger: LoadedModel | None
    refused: dict[str, str] | None = Field(description="The version that was refused last, and why.")


class ProblemBody(_Given):
    """RFC 9457, with a stable `code`."""

    model_config = _example(
        {
            "type": "urn:triage-ml:problem:invalid_request",
            "title": "Unprocessable Content",
            "status": 422,
            "detail": "1 value(s) are not what the API takes.",
            "code": "invalid_request",
            "request_id": "5f2a9c0d1e3b4a68",
            "errors": [{"location": "title", "message": "String should have at most 1000 characters"}],
        }
    )

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[dict[str, str]] | None = None
