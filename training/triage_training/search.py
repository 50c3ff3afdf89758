"""A search for better parameters (extra `search`, optuna): each trial on growing parts, given up early where it is behind.

The validation part is the latest of the training tickets (or the published `tune` and `val` parts); the test part is never
looked at, so the figures of the model that comes of it are as honest as without a search. The defaults are the first trial, so
that a search ends no worse on the validation part than it began.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from triage_ml.answer import prepare
from triage_ml.classify import TriageClassifier
from triage_ml.errors import NotEnoughDataError, TriageError
from triage_ml.evaluate import Split, evaluate, stands_for
from triage_ml.settings import Settings
from triage_ml.text import ticket_text
from triage_training.train import text_features
from triage_training.train_tickets import split_tickets, usable_tickets
from triage_training.trials import Trial

if TYPE_CHECKING:
    import optuna

__all__ = ["Search", "search"]

_SHARES = (0.25, 0.5, 1.0)
_MOST = 12_000
_VALIDATION_SHARE = 0.2
_FEWEST = 50
_SELECTING = ("tune", "val")
_DEFAULTS: dict[str, Any] = {
    "penalty": None,
    "features__words": 2,
    "features__skip": True,
    "features__min_texts": 2,
    "features__piece_weight": 1.0,
}

Step = Callable[[str], None]


@dataclass(frozen=True)
class Search:
    """All trials, and the parameters of the best one that differ from the defaults."""

    trials: tuple[Trial, ...]
    best: dict[str, Any]


def search(
    tickets: pd.DataFrame,
    settings: Settings,
    *,
    trials: int,
    targets: Sequence[str] | None = None,
    split_column: str | None = None,
    split_map: Mapping[str, str] | None = None,
    encoder: str | None = None,
    at_random: bool = False,
    step: Step = lambda _: None,
) -> Search:
    """Try `trials` sets of parameters; the arguments are those of `train`.

    Raises
    ------
    TriageError
        optuna is not installed.
    NotEnoughDataError
        There are too few tickets to hold some back for validation.
    """
    optuna = _optuna()
    tickets, labels, _ = usable_tickets(tickets, tuple(targets or settings.train.targets))
    texts = prepare(ticket_text(tickets))
    split, _ = split_tickets(tickets, texts, settings, split_column, split_map, at_random)
    chosen = tickets[split_column].astype("string").replace(dict(split_map or {})) if split_column else None
    fit, validation = _parts(split, chosen, settings.train.seed)
    stands = stands_for(tickets.iloc[validation])
    runner = _Trials(texts, labels, stands, fit, validation, settings, encoder or settings.train.encoder)
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=settings.train.seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
    )
    study.enqueue_trial(_DEFAULTS)
    for number in range(trials):
        best = max((trial.value for trial in runner.done if trial.state == "complete"), default=None)
        step(f"search: trial {number + 1} of {trials}" + ("" if best is None else f", best macro-F1 so far {best:.1%}"))
        study.optimize(runner, n_trials=1)
    found = max((trial for trial in runner.done if trial.state == "complete"), key=lambda trial: trial.value)
    return Search(tuple(runner.done), {name: value for name, value in found.params.items() if value != _DEFAULTS[name]})


class _Trials:
    """What optuna calls with each trial."""

    def __init__(
        self,
        texts: Sequence[str],
        labels: pd.DataFrame,
        stands: NDArray[np.float64],
        fit: NDArray[np.int64],
        validation: NDArray[np.int64],
        settings: Settings,
        encoder: str | None,
    ) -> None:
        self._texts = texts
        self._labels = labels
        self._fit = fit
        self._asked = [texts[row] for row in validation]
        self._truth = labels.iloc[validation]
        self._stands = stands
        self._settings = settings
        self._encoder = encoder
        self.done: list[Trial] = []

    def __call__(self, trial: optuna.Trial) -> float:
        optuna = _optuna()
        begun, points, params = time.perf_counter(), [], _suggest(trial)
        state = "complete"
        for share in _SHARES:
            rows = self._fit[: max(round(share * len(self._fit)), _FEWEST)]
            points.append((len(rows), self._measure(rows, params)))
            trial.report(points[-1][1], len(points))
            if share < 1 and trial.should_prune():
                state = "pruned"
                break
        seconds = round(time.perf_counter() - begun, 2)
        self.done.append(
            Trial(trial.number, params, "pruned" if state == "pruned" else "complete", tuple(points), seconds)
        )
        if state == "pruned":
            raise optuna.TrialPruned
        return points[-1][1]

    def _measure(self, rows: NDArray[np.int64], params: Mapping[str, Any]) -> float:
        """Mean macro-F1 over the targets."""
        features = text_features(self._encoder, self._settings)
        model = TriageClassifier(features, seed=self._settings.train.seed).set_params(**params)
        model.fit([self._texts[row] for row in rows], self._labels.iloc[rows])
        figures = evaluate(model, self._asked, self._truth, stands_for=self._stands)
        return float(np.mean([target.macro_f1.value for target in figures.targets.values()]))


def _suggest(trial: optuna.Trial) -> dict[str, Any]:
    return {
        "penalty": trial.suggest_categorical("penalty", [None, 0.1, 0.3, 1.0, 3.0, 10.0]),
        "features__words": trial.suggest_int("features__words", 1, 2),
        "features__skip": trial.suggest_categorical("features__skip", [True, False]),
        "features__min_texts": trial.suggest_int("features__min_texts", 1, 4),
        "features__piece_weight": trial.suggest_float("features__piece_weight", 0.3, 1.7),
    }


def _parts(split: Split, chosen: pd.Series | None, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to fit on, in an order whose every beginning is a fair sample, and rows to validate on."""
    draw = np.random.default_rng(seed)
    published = np.array([], dtype=np.int64)
    if chosen is not None:
        published = np.flatnonzero(chosen.isin(_SELECTING).fillna(False).to_numpy(dtype=bool))
    if len(published):
        fit, validation = split.fit, published
    elif len(split.calibration):
        fit, validation = split.fit, split.calibration
    else:
        held = draw.random(split.templates.max(initial=0) + 1)[split.templates[split.fit]] < _VALIDATION_SHARE
        fit, validation = split.fit[~held], split.fit[held]
    if min(len(fit), len(validation)) < _FEWEST:
        raise NotEnoughDataError(
            f"A search needs at least {_FEWEST} tickets to fit on and {_FEWEST} to validate on, found {len(fit)} and "
            f"{len(validation)}.",
            hint="Train without --search.",
        )
    return draw.permutation(fit)[:_MOST], validation


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise TriageError("optuna is not installed.", hint='pip install "triage-ml[search]"') from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
