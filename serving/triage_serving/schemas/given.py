"""What the API gives. Fields may be added, never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from triage_ml.answer import REASONS
from triage_ml.store import Source
from triage_serving.schemas.examples import ANSWER, CASE, MODEL, example

__all__ = [
    "Answer",
    "BatchAnswer",
    "ModelInfo",
    "OutcomeReceipt",
    "ProblemBody",
    "SimilarCases",
    "TicketHistory",
]


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

    model_config = example({"ticket_id": "INC0012345", "similar": [CASE]})

    ticket_id: str
    similar: list[SimilarCase]


class Answer(_Given):
    """The answer for one ticket."""

    model_config = example(ANSWER)

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

    model_config = example({"answers": [ANSWER]})

    answers: list[Answer]


class StoredPrediction(_Given):
    """An answer with the moment at which it was stored."""

    stored_at: datetime
    answer: Answer


class OutcomeReceipt(_Given):
    """What is stored, and the prediction that it speaks about."""

    model_config = example(
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

    model_config = example(
        {
            "ticket_id": "INC0012345",
            "predictions": [{"stored_at": "2026-11-22T09:01:02Z", "answer": ANSWER}],
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

    model_config = example(
        {"champion": MODEL, "challenger": MODEL | {"version": "8"}, "refused": {"version": "6", "reason": "KeyError"}}
    )

    champion: LoadedModel | None
    challenger: LoadedModel | None
    refused: dict[str, str] | None = Field(description="The version that was refused last, and why.")


class ProblemBody(_Given):
    """RFC 9457, with a stable `code`."""

    model_config = example(
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
