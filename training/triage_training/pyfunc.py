"""The bundle for MLflow's own tools: `mlflow.pyfunc.load_model("models:/triage@champion")` and `mlflow models serve`.

Our own service does not come through here: loading a pyfunc executes what its folder names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from triage_ml.answer import Answerer, read_model, score_table
from triage_ml.errors import InputError
from triage_ml.settings import Decision
from triage_ml.tickets import TEXT_COLUMNS

__all__ = ["TriagePyfunc"]


class TriagePyfunc:
    """Answers a DataFrame with `title` or `description` (and `ticket_id`, if it likes), a row a ticket."""

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """The same columns as `triage score`."""
        if not isinstance(model_input, pd.DataFrame) or not {*TEXT_COLUMNS} & {*model_input.columns}:
            raise InputError("Expected a table with a column `title` or `description`.")
        tickets = model_input.reset_index(drop=True)
        if "ticket_id" not in tickets:
            tickets = tickets.assign(ticket_id=[f"row-{number}" for number in range(1, len(tickets) + 1)])
        return score_table(self._answerer, tickets)


def _load_pyfunc(path: str) -> TriagePyfunc:
    """What MLflow calls with the folder of the bundle."""
    return TriagePyfunc(Answerer(read_model(Path(path)), Decision()))
