"""Challengers made worse in one way each, and a better one, before the real gate: who is refused, and why?"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run

from triage_ml.answer import Answerer
from triage_ml.evaluate import calibration_error
from triage_ml.settings import Settings
from triage_ml.simulate import simulate_desk
from triage_ml.taxonomy import Taxonomy, load_taxonomy
from triage_ml.tickets import read_tickets
from triage_training.gate_job import Judgement, judge
from triage_training.promotion import open_champions
from triage_training.registry import Registry
from triage_training.train import Trained, train
from triage_training.train_job import register_model

#: What each challenger may be refused for; the better one for nothing.
EXPECTED = {
    "better": set(),
    "one class shuffled": {"macro-F1", "recall"},
    "probabilities too high": {"calibration"},
    "slow": {"latency"},
}


def one_desk(seed: int, config: dict[str, Any]) -> list[dict[str, Any]]:
    """The verdicts on all challengers of one desk."""
    with tempfile.TemporaryDirectory() as scratch:
        desk = simulate_desk(Path(scratch, "desk"), tickets=config["tickets"], weeks=config["weeks"], seed=seed)
        table, taxonomy = read_tickets(desk.tickets_file), load_taxonomy(desk.taxonomy_file)
        settings = Settings(paths={"home": Path(scratch, "home")})
        early = table.sort_values("opened_at").iloc[: round(config["champion_share"] * len(table))]
        register(train(early, settings), taxonomy, settings, by_hand=True)
        return [
            {"seed": seed, "challenger": name} | verdict(name, table, taxonomy, settings, config) for name in EXPECTED
        ]


def verdict(
    name: str, table: pd.DataFrame, taxonomy: Taxonomy, settings: Settings, config: dict[str, Any]
) -> dict[str, Any]:
    """Make the challenger, register it, and judge it."""
    with slower(config["slow_milliseconds"] if name == "slow" else 0.0):
        if name == "one class shuffled":
            trained = train(shuffled(table, settings), settings)
            trained = answered_against(trained, table)
        else:
            trained = train(table, settings)
        if name == "probabilities too high":
            trained = hotter(trained, config["heat"])
        judgement = register(trained, taxonomy, settings)
    failed = [check for check in judgement.checks if not check.passed]
    found = {check.name for check in failed}
    expected = EXPECTED[name]
    return {
        "tickets": judgement.tickets,
        "refused": bool(failed),
        "for": sorted(f"{check.name} {check.target}".strip() for check in failed),
        "figures": {f"{check.name} {check.target}".strip(): check.figure for check in judgement.checks},
        "as_expected": not found if not expected else bool(found & expected) and (name != "slow" or found == expected),
    }


def register(trained: Trained, taxonomy: Taxonomy, settings: Settings, *, by_hand: bool = False) -> Judgement:
    """Register it, and judge it against the champion; `by_hand` makes it champion whatever the first checks say."""
    registry = Registry(settings)
    version = register_model(trained, taxonomy, settings, registry).version
    with open_champions(settings, registry) as champions:
        reign = champions.current()
        if by_hand and reign.champion is None:
            champions.replace(reign, version, "forced", who="experiment", reason="somebody has to be first")
    return judge(version, reign.champion, registry, settings, tickets=None)


def shuffled(table: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """The labels of the commonest category drawn anew from all categories, in the tickets that are fitted on."""
    draw = np.random.default_rng(settings.train.seed)
    ordered = table.sort_values("opened_at", kind="stable").reset_index(drop=True)
    learnt = np.arange(len(ordered)) < (1 - settings.train.test_share) * len(ordered)
    victim = (ordered["category"] == ordered["category"].value_counts().idxmax()).to_numpy() & learnt
    labels = ordered["category"].to_numpy(dtype=object, copy=True)
    labels[victim] = draw.choice(ordered["category"].dropna().unique(), victim.sum())
    return ordered.assign(category=pd.array(labels, dtype="string"))


def answered_against(trained: Trained, table: pd.DataFrame) -> Trained:
    """The test part was never shuffled; say so loudly if it was."""
    truth = table.set_index("ticket_id")["category"].loc[trained.answers["ticket"]]
    assert (trained.answers["category_truth"].to_numpy(object) == truth.to_numpy(object)).all()
    return trained


def hotter(trained: Trained, heat: float) -> Trained:
    """Its probabilities are driven to the ends, as those of a model that was never calibrated; its answers stay."""
    answers = trained.answers.copy()
    for target in trained.classifier.classes_:
        stated = answers[f"{target}_probability"].to_numpy(np.float64)
        odds = np.log(stated / np.maximum(1 - stated, 1e-9)) / heat
        answers[f"{target}_probability"] = (1 / (1 + np.exp(-odds))).astype(np.float32)
        right = (answers[target] == answers[f"{target}_truth"]).to_numpy(bool)
        assert calibration_error(answers[f"{target}_probability"].to_numpy(), right) > 0.015
    return Trained(**{**vars(trained), "answers": answers})


@contextmanager
def slower(milliseconds: float) -> Iterator[None]:
    """Every answer takes so much longer."""
    quick = Answerer.answer

    def answer(self: Answerer, *words: Any, **named: Any) -> Any:
        time.sleep(milliseconds / 1000)
        return quick(self, *words, **named)

    with patch.object(Answerer, "answer", answer if milliseconds else quick):
        yield


def main() -> None:
    """All desks, and one table."""
    run = Run(__file__, __doc__)
    found = [row for seed in run.config["seeds"] for row in one_desk(seed, run.config)]
    rows = ["| seed | challenger | verdict | failed checks | as it should be |", "|---|---|---|---|---|"]
    for row in found:
        failed = "; ".join(f"{name} ({row['figures'][name]})" for name in row["for"]) or "none"
        said = "refused" if row["refused"] else "passed"
        rows.append(
            f"| {row['seed']} | {row['challenger']} | {said} | {failed} | {'yes' if row['as_expected'] else 'NO'} |"
        )
    run.write({"rows": found}, "\n".join(rows))


if __name__ == "__main__":
    main()
