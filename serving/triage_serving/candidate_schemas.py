"""What the routes of the weekly list take and give. Strict: each action takes what it needs and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from triage_ml.store import DecisionAction, Status

__all__ = ["CandidateBody", "DecisionRequest", "WeekBody"]


def _clean(value: Any) -> Any:
    """Text of a person: NUL and space around it mean nothing."""
    return value.replace("\x00", "").strip() if isinstance(value, str) else value


def _day(value: Any) -> Any:
    """Strict mode takes no text for a day, and the lax one takes numbers."""
    if not isinstance(value, str) or len(value) != 10:
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("expected a day like 2026-11-22") from None


Line = Annotated[str, StringConstraints(min_length=1, max_length=200), BeforeValidator(_clean)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2_000), BeforeValidator(_clean)]
Day = Annotated[date, BeforeValidator(_day)]
People = Annotated[list[Line], Field(max_length=50)]

#: Action -> what it must have, and what it may have.
_NEEDS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    action: (frozenset(must.split()), frozenset(may.split()))
    for action, must, may in (
        ("accept", "", "reason"),
        ("reject", "reason", "until"),
        ("in_progress", "", "reason"),
        ("automated", "reference", "reason mode since"),
        ("merge", "into", "reason"),
        ("split", "reason", "apart"),
        ("rename", "title", "reason"),
        ("assign", "owner", "reason consulted informed"),
        ("note", "reason", ""),
        ("undo", "", "reason"),
    )
}


class DecisionRequest(BaseModel):
    """What is decided."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {"action": "automated", "reference": "runbook RB-104", "mode": "suggest", "since": "2026-11-23"},
                {"action": "reject", "reason": "The vendor fixes it in March.", "until": "2099-03-31"},
            ]
        },
    )

    action: DecisionAction
    reason: Words | None = Field(None, description="Why; `reject`, `split` and `note` need it.")
    until: Day | None = Field(None, description="reject: the last day on which it stays rejected; for ever without it.")
    reference: Line | None = Field(None, description="automated: what answers these tickets, a runbook or a form.")
    mode: Literal["suggest", "auto"] | None = Field(
        None, description="automated: whether scoring acts on it; `suggest` by default."
    )
    since: Day | None = Field(None, description="automated: the first day on which it is in force; by default today.")
    into: Line | None = Field(None, description="merge: id of the pattern that goes on.")
    apart: list[Words] | None = Field(None, max_length=20, description="split: examples that are something else.")
    title: Line | None = Field(None, description="rename: the new title.")
    owner: Line | None = Field(None, description="assign: who is accountable.")
    consulted: People | None = Field(None, description="assign: whom to consult.")
    informed: People | None = Field(None, description="assign: whom to inform.")

    @model_validator(mode="after")
    def _fits_its_action(self) -> DecisionRequest:
        must, may = _NEEDS[self.action]
        given = {name for name, value in self if value is not None} - {"action"}
        if missing := sorted(must - given):
            raise ValueError(f"`{self.action}` needs `{missing[0]}`")
        if odd := sorted(given - must - may):
            raise ValueError(f"`{self.action}` takes no `{odd[0]}`")
        return self


class _Given(BaseModel):
    """Something that leaves; fields may be added, never changed."""

    model_config = ConfigDict(extra="allow")


class ListedCandidate(_Given):
    """One line of a weekly list: its figures, and where its pattern stands."""

    pattern_id: str
    title: str
    status: Status
    revision: int
    owner: str | None
    volume: int
    kind: str
    hours: dict[str, float]
    trend: dict[str, Any]


class WeekBody(_Given):
    """One week's list."""

    week: str
    tickets: int
    covered: float
    candidates: list[ListedCandidate]


class CandidateBody(_Given):
    """One pattern; the figures are missing where no list has it."""

    pattern_id: str
    title: str
    status: Status
    revision: int
    week: str | None
    listed_in: list[str]
    standing: dict[str, Any]
    decisions: list[dict[str, Any]]
