"""What the API takes. Unknown keys are refused."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from triage_ml.store import Source
from triage_serving.schemas.examples import OUTCOME, TICKET, example
from triage_serving.schemas.fields import Description, Identifier, Moment, Title

__all__ = ["Batch", "OutcomeReport", "Ticket"]

MAX_TICKETS = 1000


def _named(schema: dict[str, Any]) -> None:
    """Every key is an id and every value another; pydantic says nothing of keys that its pattern does not fit."""
    ((pattern, value),) = schema.pop("patternProperties").items()
    schema["propertyNames"] = schema["propertyNames"] | {"pattern": pattern}
    schema["additionalProperties"] = value


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Ticket(_Strict):
    """One ticket, as it was filed. `title` or `description` must not be blank."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [TICKET],
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

    model_config = example({"tickets": [TICKET, TICKET | {"ticket_id": "INC0012346"}]})

    tickets: list[Ticket] = Field(min_length=1, max_length=MAX_TICKETS)


class OutcomeReport(_Strict):
    """What became of a ticket. `labels` says what was right, by target."""

    model_config = example(OUTCOME)

    ticket_id: Identifier
    prediction_id: Identifier | None = Field(None, description="Without it: the last prediction before `resolved_at`.")
    labels: dict[Identifier, Identifier] = Field(max_length=50, json_schema_extra=_named)
    resolved_at: Moment | None = Field(None, description="RFC 3339, with offset; by default when this is received.")
    effort_minutes: float | None = Field(None, ge=0, le=1_000_000, description="Touch time, never open to close.")
    source: Source
