"""Twelve weeks in which a model decides, its answers come back as outcomes, and the next model learns from them."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run

from triage_ml.answer import PICKED_FOR_AUDIT, is_picked, prepare
from triage_ml.classify import TriageClassifier
from triage_ml.evaluate import answer_all
from triage_ml.settings import Settings
from triage_ml.simulate import simulate_desk
from triage_ml.store import Outcome, Prediction, Store, add_outcome, add_predictions, new_id, open_store
from triage_ml.text import ticket_text
from triage_ml.tickets import read_tickets
from triage_training.outcomes_job import export_outcomes
from triage_training.retrain_job import join_history
from triage_training.train import train

TARGETS = ("tier", "category")


@dataclass(frozen=True)
class Way:
    """Which share of the tickets that were decided by the model alone and never looked at counts, and which is audited."""

    untouched: float
    audit_share: float = 0.0


#: None: people look at all.
WAYS: dict[str, Way | None] = {
    "one in four (ours)": Way(0.25),
    "one in four, a tenth audited": Way(0.25, audit_share=0.1),
    "all as truth": Way(1.0),
    "none": Way(0.0),
    "people look at all": None,
}


class Desk:
    """A simulated desk, week by week."""

    def __init__(self, folder: Path, config: dict[str, Any], seed: int) -> None:
        made = simulate_desk(folder, tickets=config["tickets"], weeks=config["weeks"], seed=seed)
        self.table = read_tickets(made.tickets_file)
        truth = pd.read_parquet(made.truth / "tickets.parquet").set_index("ticket_id")
        self.truth = truth.loc[self.table["ticket_id"], list(TARGETS)].reset_index(drop=True)
        self.texts = prepare(ticket_text(self.table))
        start = self.table["opened_at"].min().normalize()
        self.week = ((self.table["opened_at"] - start).dt.days // 7).to_numpy()


@dataclass(frozen=True)
class Audit:
    """What picks tickets for an audit."""

    digest: str
    share: float


def one_way(desk: Desk, config: dict[str, Any], way: Way | None, home: Path, seed: int) -> list[dict[str, Any]]:
    """Figures against the truth, a row a week of the loop."""
    settings = Settings(paths={"home": home})
    store = open_store(settings.store_url)
    history = desk.table[desk.week < config["history_weeks"]]
    model = train(history, settings).classifier
    draw = np.random.default_rng([config["draw"], seed])
    rows = []
    for number in range(config["loop_weeks"]):
        week = config["history_weeks"] + number
        here = np.flatnonzero(desk.week == week)
        if number and number % config["retrain_every"] == 0:
            model = again(desk, history, store, way, week, settings)
        audit = Audit(f"week {week}", way.audit_share if way else 0.0)
        rows.append({"week": number + 1} | one_week(desk, here, model, store, audit, config, draw))
    store.close()
    return rows


def again(
    desk: Desk, history: pd.DataFrame, store: Store, way: Way | None, week: int, settings: Settings
) -> TriageClassifier:
    """The next model: history and what came back; or what people wrote on every ticket."""
    if way is None:
        return train(desk.table[desk.week < week], settings).classifier
    return train(join_history(export_outcomes(store, untouched=way.untouched), history), settings).classifier


def one_week(
    desk: Desk,
    here: np.ndarray,
    model: TriageClassifier,
    store: Store,
    audit: Audit,
    config: dict[str, Any],
    draw: np.random.Generator,
) -> dict[str, Any]:
    """Answer the week's tickets, let the desk work on them, store what comes back; figures against the truth."""
    answered = answer_all(model, [desk.texts[row] for row in here])
    predictions, outcomes = [], []
    for place, row in enumerate(here):
        answers = {name: (one.predicted[place], bool(one.auto[place])) for name, one in answered.items()}
        predictions.append(prediction(desk, row, answers, audit))
        outcomes.append(outcome(desk, row, predictions[-1], config, draw))
    with store.begin() as connection:
        add_predictions(connection, predictions)
        for one in outcomes:
            add_outcome(connection, one)
    figures: dict[str, Any] = {"tickets": len(here)}
    for name, one in answered.items():
        right = one.predicted == desk.truth[name].to_numpy(object)[here]
        figures[name] = {
            "accuracy": float(right.mean()),
            "auto": int(one.auto.sum()),
            "auto_right": int(right[one.auto].sum()),
        }
    return figures


def prediction(desk: Desk, row: int, answers: dict[str, tuple[str, bool]], audit: Audit) -> Prediction:
    """What the service would have stored."""
    ticket = desk.table.iloc[row]
    asked = {name: None if pd.isna(ticket[name]) else ticket[name] for name in ("title", "description")}
    asked["opened_at"] = ticket["opened_at"].isoformat()
    targets = {
        name: {"value": value, "action": "auto" if sure else "suggest"} for name, (value, sure) in answers.items()
    }
    auto = all(sure for _, sure in answers.values())
    picked = auto and is_picked(ticket["ticket_id"], audit.digest, audit.share)
    action, reason = ("auto" if auto and not picked else "suggest"), (PICKED_FOR_AUDIT if picked else "confident")
    decision = {"action": action, "reason": reason, "audit_share": audit.share if auto else None}
    at = ticket["opened_at"].to_pydatetime()
    answer = {"decision": decision, "targets": targets}
    return Prediction(new_id(at), ticket["ticket_id"], at, "1", audit.digest, action, reason, asked, answer)


def outcome(desk: Desk, row: int, made: Prediction, config: dict[str, Any], draw: np.random.Generator) -> Outcome:
    """What becomes of it. A person who looks writes what the desk recorded, or follows the suggestion.

    Decided by the model alone: a wrong label is noticed by whoever gets the ticket, more often a tier than a category, and
    only then does a person look.
    """
    said = {name: each["value"] for name, each in made.answer["targets"].items()}
    truth, recorded = desk.truth.iloc[row], desk.table.iloc[row]
    auto = made.action == "auto"
    wrong = [name for name in TARGETS if said[name] != truth[name]]
    if auto and not any(draw.random() < config["noticed"][name] for name in wrong):
        labels, source = said, "closed_untouched"
    else:
        follows = not auto and draw.random() < config["followed"]
        labels = said if follows else {name: recorded[name] for name in TARGETS if pd.notna(recorded[name])}
        source = "person_confirmed" if labels == said else "person_corrected"
    at = made.stored_at + timedelta(days=1)
    return Outcome(new_id(at), made.ticket_id, labels, source, at, resolved_at=at)


def main() -> None:
    """All desks and ways; a table of the first and last weeks."""
    run = Run(__file__, __doc__)
    found: dict[str, list[list[dict[str, Any]]]] = {name: [] for name in WAYS}
    for seed in run.config["seeds"]:
        with tempfile.TemporaryDirectory() as scratch:
            desk = Desk(Path(scratch, "desk"), run.config, seed)
            for number, (name, way) in enumerate(WAYS.items()):
                home = Path(scratch, f"home-{number}")
                found[name].append(one_way(desk, run.config, way, home, seed))
    run.write({"ways": found}, table(found, run.config["retrain_every"]))


def table(found: dict[str, list[list[dict[str, Any]]]], every: int) -> str:
    """Accuracy, coverage and precision before the first retraining and after the last, by way and target."""
    rows = [
        "| untouched answers count | target | accuracy: first, last weeks | auto | right of those |",
        "|---|---|---|---|---|",
    ]
    for name, desks in found.items():
        first, last = ([week for weeks in part for week in weeks] for part in ends(desks, every))
        for target in TARGETS:
            parts = [pooled(weeks, target) for weeks in (first, last)]
            cells = [", ".join(f"{figures[what]:.1%}" for figures in parts) for what in ("accuracy", "auto", "right")]
            rows.append(f"| {name} | {target} | {' | '.join(cells)} |")
    return "\n".join(rows)


def ends(
    desks: list[list[dict[str, Any]]], every: int
) -> tuple[list[list[dict[str, Any]]], list[list[dict[str, Any]]]]:
    """The weeks before the first retraining, and those after the last."""
    return [weeks[:every] for weeks in desks], [weeks[-every:] for weeks in desks]


def pooled(weeks: list[dict[str, Any]], target: str) -> dict[str, float]:
    """Figures of several weeks together."""
    tickets = sum(week["tickets"] for week in weeks)
    auto, right = (sum(week[target][what] for week in weeks) for what in ("auto", "auto_right"))
    accuracy = sum(week[target]["accuracy"] * week["tickets"] for week in weeks) / tickets
    return {"accuracy": accuracy, "auto": auto / tickets, "right": right / max(auto, 1)}


if __name__ == "__main__":
    main()
