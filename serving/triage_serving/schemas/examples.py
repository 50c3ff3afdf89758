"""What the OpenAPI document shows: one example of each thing that comes or goes, all about the same ticket."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

__all__ = ["ANSWER", "CASE", "MODEL", "OUTCOME", "TICKET", "example"]

# Examples have no null: FastAPI leaves out of its document whatever is one.
TICKET: dict[str, Any] = {"ticket_id": "INC0012345", "title": "Locked out", "description": "My password expired."}
ANSWER: dict[str, Any] = {
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
OUTCOME: dict[str, Any] = {
    "ticket_id": "INC0012345",
    "labels": {"tier": "L1", "category": "Access"},
    "resolved_at": "2026-11-22T10:05:00+01:00",
    "effort_minutes": 6,
    "source": "person_confirmed",
}
CASE: dict[str, Any] = {
    "ticket_id": "INC0009876",
    "title": "AD account locked",
    "resolution": "Unlocked the account; the phone still sent the old password.",
    "similarity": 0.71,
}
MODEL: dict[str, Any] = {
    "name": "triage",
    "version": "7",
    "digest": "sha256:8f5be3e4",
    "targets": ["tier", "category"],
    "loaded_at": "2026-11-22T09:00:00Z",
    "measured": {"tier.accuracy": 0.86, "tier.ece": 0.012},
}


def example(*examples: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": list(examples)})
