"""The steps of training from Python: what the commands do, with tables as results. For notebooks and scripts.

    from triage_ml.tickets import read_tickets
    from triage_training.notebook import Triage

    tickets, later = read_tickets("tickets.parquet"), read_tickets("later.parquet")
    triage = Triage(taxonomy="taxonomy.toml")
    triage.check(tickets).advice
    triage.train(tickets)
    triage.evaluate(later)
    triage.predict(later)
    triage.drift(later).verdict

Settings, registry and store are those of the commands: what is trained here is seen by `triage models` and by the service.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from triage_ml.answer import Answerer, read_model, score_table
from triage_ml.evaluate import Comparison, Drift, Evaluation
from triage_ml.settings import Settings, load_settings
from triage_ml.store import open_store
from triage_ml.taxonomy import load_taxonomy
from triage_training.check_job import check_tickets
from triage_training.curves import training_curves
from triage_training.drift_job import drift_of_store, drift_of_tickets
from triage_training.evaluate_job import compare_models, evaluate_tickets
from triage_training.models_page import model_rows
from triage_training.outcomes_job import export_outcomes
from triage_training.promote_job import Promoted, promote
from triage_training.promotion import open_champions, user_name
from triage_training.readiness import Readiness
from triage_training.registry import Registry
from triage_training.retrain_job import Retrained, retrain
from triage_training.search import search
from triage_training.shared_options import bundle_of, seen_by
from triage_training.train import train
from triage_training.train_job import Extras, Registered, check_ready, register_model

__all__ = ["Triage", "figures_table"]


class Triage:
    """Check, train, evaluate, compare, promote, watch.

    Parameters
    ----------
    settings
        A settings file, or settings; by default `triage.toml` in this folder, if there is one.
    taxonomy
        taxonomy.toml; by default the one of the settings.
    """

    def __init__(self, settings: Settings | Path | str | None = None, *, taxonomy: Path | str | None = None) -> None:
        self.settings = (
            settings if isinstance(settings, Settings) else load_settings(Path(settings) if settings else None)
        )
        self.taxonomy = load_taxonomy(Path(taxonomy) if taxonomy else self.settings.taxonomy.file)

    def check(self, tickets: pd.DataFrame, **options: Any) -> Readiness:
        """Label hygiene and readiness (`triage check`); options are those of `check_tickets`."""
        return check_tickets(tickets, self.settings, self.taxonomy, **options)

    def train(self, tickets: pd.DataFrame, *, trials: int = 0, curve: bool = False, **options: Any) -> Registered:
        """Fit, calibrate, evaluate and register (`triage train`); options are those of `train_job.train`."""
        registry = Registry(self.settings)
        check_ready(self.settings, registry)
        found = search(tickets, self.settings, trials=trials, **options) if trials else None
        trained = train(tickets, self.settings, params=found.best if found else None, **options)
        extras = Extras(
            curves=training_curves(trained, seed=self.settings.train.seed) if curve else {},
            trials=found.trials if found else (),
        )
        return register_model(trained, self.taxonomy, self.settings, registry, extras=extras)

    def evaluate(self, tickets: pd.DataFrame, model: str = "champion") -> pd.DataFrame:
        """Figures of a model on labelled tickets, a row a target (`triage evaluate`)."""
        found = evaluate_tickets(read_model(bundle_of(model, self.settings)), tickets, self.settings)
        return figures_table(found.evaluation)

    def compare(
        self, tickets: pd.DataFrame, first: str = "champion", second: str = "challenger"
    ) -> dict[str, Comparison]:
        """The second model against the first on the same tickets, by target (`triage compare`)."""
        bundles = [bundle_of(model, self.settings) for model in (first, second)]
        return {one.target: one for one in compare_models(bundles[0], bundles[1], tickets)}

    def predict(self, tickets: pd.DataFrame, model: str = "champion") -> pd.DataFrame:
        """The answers, a row a ticket (`triage score`)."""
        answerer = Answerer(read_model(bundle_of(model, self.settings)), self.settings.decision)
        return score_table(answerer, tickets.reset_index(drop=True))

    def promote(self, version: str = "challenger", *, by: str | None = None, **options: Any) -> Promoted:
        """Through the gate (`triage promote`); options are those of `promote_job.promote`."""
        return promote(version, self.settings, by=by or user_name(), **options)

    def roll_back(self, reason: str, *, by: str | None = None) -> str:
        """The champion before this one again (`triage rollback`); returns its version."""
        with open_champions(self.settings, Registry(self.settings)) as champions:
            return champions.roll_back(who=by or user_name(), reason=reason).version

    def models(self, most: int = 20) -> pd.DataFrame:
        """Registered versions, newest first, with the macro-F1 of each target (`triage models`)."""
        rows = model_rows(Registry(self.settings), most=most)
        plain = [
            {name: row[name] for name in ("version", "role", "created", "digest")}
            | {f"{target}.macro_f1": each["macro_f1"] for target, each in row["targets"].items()}
            for row in rows
        ]
        return pd.DataFrame(plain)

    def outcomes(self, **options: Any) -> pd.DataFrame:
        """What came back, as tickets to learn from (`triage export-outcomes`)."""
        store = open_store(self.settings.store_url)
        try:
            return export_outcomes(store, **options).tickets
        finally:
            store.close()

    def retrain(self, history: pd.DataFrame | None = None, **options: Any) -> Retrained:
        """The whole round (`triage retrain`)."""
        return retrain(self.settings, self.taxonomy, history=history, **options)

    def drift(self, tickets: pd.DataFrame | None = None, *, model: str = "champion", weeks: int = 4) -> Drift:
        """What changed (`triage drift`): in these tickets, or in what the service answered."""
        if tickets is None:
            return drift_of_store(self.settings, weeks=weeks)
        seen = seen_by(model, self.settings)
        return drift_of_tickets(tickets, bundle_of(model, self.settings), self.settings, weeks=weeks, seen=seen)


def figures_table(evaluation: Evaluation, promises: Sequence[str] = ("0.90", "0.95")) -> pd.DataFrame:
    """A row a target: accuracy, macro-F1 and their intervals, calibration error, coverage, precision (NaN where none is auto)."""
    rows = {}
    for name, figures in evaluation.targets.items():
        row: dict[str, Any] = {"tickets": figures.tickets, "calibration_error": figures.ece}
        for what, interval in (("accuracy", figures.accuracy), ("macro_f1", figures.macro_f1)):
            row |= {what: interval.value, f"{what}_low": interval.low, f"{what}_high": interval.high}
        for promise in promises:
            covered = figures.coverage.get(promise)
            row[f"auto_at_{promise}"] = covered.coverage if covered else math.nan
            row[f"right_at_{promise}"] = math.nan if covered is None or covered.precision is None else covered.precision
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index")
