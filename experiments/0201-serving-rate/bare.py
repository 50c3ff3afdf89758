"""The peer: a FastAPI app that calls `predict_proba` in an `async def` handler and does nothing else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import joblib
from fastapi import FastAPI
from pydantic import BaseModel


class Ticket(BaseModel):
    """What the load sends."""

    ticket_id: str
    description: str


def app() -> FastAPI:
    """The app around the model that the environment names: ours, or a scikit-learn pipeline."""
    kind, folder = os.environ["BARE_MODEL"], Path(os.environ["BARE_FOLDER"])
    model: Any
    if kind == "same":
        from triage_ml.answer import read_model

        model = read_model(folder / "bundle").classifier
    else:
        model = joblib.load(folder / "pipeline.joblib")
    bare = FastAPI()

    @bare.post("/score")
    async def score(ticket: Ticket) -> dict[str, Any]:
        given = model.predict_proba([ticket.description])
        if kind == "same":
            row = given["category"].iloc[0]
            return {"ticket_id": ticket.ticket_id, "value": row.idxmax(), "probability": float(row.max())}
        best = int(given[0].argmax())
        return {"ticket_id": ticket.ticket_id, "value": model.classes_[best], "probability": float(given[0][best])}

    return bare
