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


#: What `_clean` leaves something of, as JSON Schema says it.
_NOT_BLANK = Field(json_schema_extra={"pattern": r"[^\s\u0000\u001c-\u001f\u0085]"})
Line = Annotated[str, StringConstraints(min_length=1, max_length=200), BeforeValidator(_clean), _NOT_BLANK]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2_000), BeforeValidator(_clean), _NOT_BLANK]
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


def _forms() -> list[Any]:
    """`_NEEDS` as JSON Schema: for each action what must be text, and what must not be there (null is nothing)."""
    every = frozenset().union(*(must | may for must, may in _NEEDS.values()))
    return [
        {
            "properties": {
                "action": {"const": action},
                **{name: {"type": "string"} for name in sorted(must)},
                **{name: {"type": "null"} for name in sorted(every - must - may)},
            },
            "required": ["action", *sorted(must)],
        }
        for action, (must, may) in _NEEDS.items()
    ]


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
            ],
            "oneOf": _forms(),
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
    week: str | None = Field(
        None,
        pattern=r"^\d{4}-W\d{2}$",
        description="The week whose figures were read; they stay beside the decision. By default those of the latest list.",
    )
    figures_digest: str | None = Field(
        None,
        max_length=64,
        description="`figures_digest` of the candidate that was read: 412 `listed_anew` where its figures are others now.",
    )

    @model_validator(mode="after")
    def _fits_its_action(self) -> DecisionRequest:
        must, may = _NEEDS[self.action]
        given = {name for name, value in self if value is not None} - {"action", "week", "figures_digest"}
        if missing := sorted(must - given):
            raise ValueError(f"`{self.action}` needs `{missing[0]}`")
        if odd := sorted(given - must - may):
            raise ValueError(f"`{self.action}` takes no `{odd[0]}`")
        return self


class _Given(BaseModel):
    """Something that leaves; fields may be added, never changed."""

    model_config = ConfigDict(extra="allow")


_LISTED: dict[str, Any] = {
    "pattern_id": "pd4ab1e6eee17",
    "title": "Reset AD password",
    "status": "new",
    "revision": 0,
    "owner": "ana",
    "volume": 41,
    "kind": "self_service_form",
    "hours": {"p10": 4.0, "p50": 6.5, "p90": 9.0},
    "trend": {"direction": "growing", "ratio": 1.4, "low": 1.1, "high": 1.7},
}


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

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"week": "2026-W46", "tickets": 1667, "covered": 0.92, "candidates": [_LISTED]}]
        }
    )

    week: str
    tickets: int
    covered: float
    candidates: list[ListedCandidate]


class CandidateBody(_Given):
    """One pattern; the figures are missing where no list has it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _LISTED
                | {
                    "week": "2026-W46",
                    "figures_digest": "9f86d081884c7d65",
                    "listed_in": ["2026-W46"],
                    "standing": {"status": "new"},
                    "decisions": [],
                }
            ]
        }
    )

    pattern_id: str
    title: str
    status: Status
    revision: int
    week: str | None
    figures_digest: str | None
    listed_in: list[str]
    standing: dict[str, Any]
    decisions: list[dict[str, Any]]
