"""A search begins with the defaults, never looks at the test part, and leaves its trials under the run."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pandas as pd
import pytest

from triage_ml.classify import TriageClassifier
from triage_ml.errors import NotEnoughDataError, TriageError
from triage_ml.settings import Settings
from triage_ml.taxonomy import Taxonomy
from triage_training import search as search_module
from triage_training.registry import Registry
from triage_training.search import Search, search
from triage_training.train import Trained, train
from triage_training.train_job import Extras, register_model


@pytest.fixture(scope="module")
def found(desk_tickets: pd.DataFrame) -> Search:
    return search(desk_tickets.iloc[:700], Settings(), trials=3, targets=["category"])


def test_the_first_trial_are_the_defaults_and_the_best_is_no_worse(found: Search) -> None:
    assert len(found.trials) == 3
    first = found.trials[0]
    assert first.params == search_module._DEFAULTS
    assert [tickets for tickets, _ in first.points] == sorted(tickets for tickets, _ in first.points)
    complete = [trial for trial in found.trials if trial.state == "complete"]
    best = max(complete, key=lambda trial: trial.value)
    assert best.value >= first.value
    assert found.best == {name: value for name, value in best.params.items() if value != first.params[name]}


def test_what_was_found_can_be_trained_with(found: Search, desk_tickets: pd.DataFrame) -> None:
    chosen = {"penalty": 0.3, "features__piece_weight": 0.5}
    trained = train(desk_tickets.iloc[:700], Settings(), targets=["category"], params=chosen)
    assert trained.classifier.get_params(deep=False)["penalty"] == 0.3
    assert trained.classifier.features_.get_params()["piece_weight"] == 0.5


def test_the_test_part_is_never_looked_at(desk_tickets: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted: set[str] = set()
    asked: set[str] = set()

    class Watched(TriageClassifier):
        def fit(self, X: Any, *others: Any, **named: Any) -> Any:
            fitted.update(X)
            return super().fit(X, *others, **named)

        def read(self, X: Any) -> Any:
            asked.update(X)
            return super().read(X)

    tickets = desk_tickets.iloc[:700]
    trained = train(tickets, Settings(), targets=["category"])
    monkeypatch.setattr(search_module, "TriageClassifier", Watched)
    search(tickets, Settings(), trials=1, targets=["category"])
    assert len(fitted) > 300
    assert len(asked - fitted) > 50
    assert not (fitted | asked) & set(trained.test.texts)


def test_tickets_that_stand_for_none_choose_no_parameters(desk_tickets: pd.DataFrame) -> None:
    """Every other label of the latest tickets is nonsense, as untouched answers may be, and stands for none."""
    tickets = desk_tickets.iloc[:700].copy()
    odd = (np.arange(len(tickets)) % 2 == 1) & (tickets["opened_at"].rank(pct=True) > 0.68).to_numpy()
    tickets.loc[odd, "category"] = tickets.loc[odd, "category"].sample(frac=1, random_state=0).to_numpy()
    weighed, plain = (
        search(given, Settings(), trials=1, targets=["category"]).trials[0].value
        for given in (tickets.assign(label_stands_for=np.where(odd, 0.0, 1.0)), tickets)
    )
    assert weighed > plain + 0.1


def test_a_hopeless_trial_is_given_up(desk_tickets: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def measured(self: Any, rows: Any, params: Any) -> float:
        calls.append(len(rows))
        return 0.8 if len(calls) <= 15 else 0.1  # five trials of three sizes, and then nonsense

    monkeypatch.setattr(search_module._Trials, "_measure", measured)
    found = search(desk_tickets.iloc[:700], Settings(), trials=7, targets=["category"])
    assert [trial.state for trial in found.trials] == ["complete"] * 5 + ["pruned"] * 2
    assert all(len(trial.points) < 3 for trial in found.trials[5:])


def test_trials_are_runs_under_the_run(trained: Trained, taxonomy: Taxonomy, settings: Settings, found: Search) -> None:
    from mlflow import MlflowClient

    registry = Registry(settings)
    version = register_model(trained, taxonomy, settings, registry, extras=Extras(trials=found.trials)).version
    client = MlflowClient(tracking_uri=settings.tracking_uri)
    experiment = client.get_experiment_by_name(settings.mlflow.experiment)
    runs = client.search_runs([experiment.experiment_id], f"tags.`mlflow.parentRunId` = '{version.run_id}'")
    assert {run.info.run_name for run in runs} == {"trial 0", "trial 1", "trial 2"}
    by_name = {run.info.run_name: run for run in runs}
    assert by_name["trial 0"].data.metrics["macro_f1"] == pytest.approx(found.trials[0].value)
    assert len(registry.versions()) == 1


def test_too_few_tickets_are_refused(desk_tickets: pd.DataFrame) -> None:
    with pytest.raises(NotEnoughDataError, match="A search needs at least 50 tickets to fit on and 50 to validate on"):
        search(desk_tickets.iloc[:150], Settings(), trials=1, targets=["category"])


def test_without_optuna_it_says_what_to_install(desk_tickets: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *words: Any, **named: Any) -> Any:
        if name == "optuna":
            raise ImportError(name)
        return real(name, *words, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(TriageError, match=r'optuna is not installed\.\npip install "triage-ml\[search\]"'):
        search(desk_tickets.iloc[:150], Settings(), trials=1)
