"""Automated candidates answered `L0`, with a trained model and mined patterns; and the value of mined patterns."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from triage_serving.automations import Automations
from triage_training.mine import assignments, mine
from triage_training.train import train
from triage_training.weeks import weeks_of

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run
from spread import spread_table

from triage_ml.answer import Answerer, load_answerer, write_model
from triage_ml.settings import Settings
from triage_ml.simulate import simulate_desk
from triage_ml.store import PatternDecision, Store, add_decision, open_store, read_week
from triage_ml.taxonomy import load_taxonomy
from triage_ml.text import ticket_text
from triage_ml.tickets import read_tickets
from triage_ml.value import ASSUMPTIONS

HORIZON, TOP = 4, 50
#: The model says which tier would have had the ticket, and has no part in what is answered `L0`.
MODEL_TICKETS = 15_000


class Answering:
    """What a service has of its champion: an answerer that automations are put beside."""

    def __init__(self, answerer: Answerer) -> None:
        self.bare = self.dressed = answerer

    def change(self, dress: Any) -> None:
        """Take over what the store says now."""
        self.dressed = dress(self.bare)


def one_desk(tickets: int, weeks: int, seed: int, automations: int) -> dict[str, Any]:
    """All figures of one desk."""
    with tempfile.TemporaryDirectory() as scratch:
        desk, home = Path(scratch, "desk"), Path(scratch, "home")
        simulate_desk(desk, tickets=tickets, weeks=weeks, seed=seed)
        frame = read_tickets(desk / "tickets.parquet")
        truth = {path.stem: pd.read_parquet(path) for path in (desk / "truth").glob("*.parquet")}
        settings = Settings(paths={"home": home}, taxonomy={"file": desk / "taxonomy.toml"})  # type: ignore[arg-type]
        frame = frame.assign(week=weeks_of(frame["opened_at"], "UTC"))
        names = sorted(frame["week"].unique())
        later = frame["week"].isin(names[-HORIZON:])
        early, late = (frame[rows].drop(columns="week").reset_index(drop=True) for rows in (~later, later))
        now = datetime.combine(frame.loc[later, "opened_at"].min().date(), datetime.min.time(), UTC)
        mine(early, settings, weeks=[names[-HORIZON - 1]], now=now)
        trained = train(early.tail(MODEL_TICKETS).reset_index(drop=True), settings)
        folder = Path(scratch, "model")
        write_model(folder, trained.classifier, load_taxonomy(settings.taxonomy.file))
        store = open_store(settings.store_url)
        try:
            with store.read() as connection:
                listed = read_week(connection, names[-HORIZON - 1])
            assert listed is not None
            kinds = truth["tickets"].set_index("ticket_id")["kind"]
            early_of, late_of = (assignments(part, settings)["pattern_id"] for part in (early, late))
            main = main_kinds(early_of, early["ticket_id"].map(kinds))
            answering = Answering(load_answerer(folder, settings))
            chosen = worth_most(listed.candidates, main, automations)
            loop = closed_loop(store, settings, answering, chosen, (late, late["ticket_id"].map(kinds), main))
        finally:
            store.close()
    value = value_figures(listed.candidates, late_of, late["ticket_id"], truth, main)
    return {"seed": seed, **loop, **value}


def main_kinds(patterns: pd.Series, kinds: pd.Series) -> dict[str, str]:
    """Pattern -> the true kind of most of its tickets."""
    table = pd.DataFrame({"pattern": patterns.to_numpy(), "kind": kinds.to_numpy()}).dropna()
    counts = table.groupby(["pattern", "kind"]).size().sort_values(kind="stable")
    return {str(pattern): str(kind) for pattern, kind in counts.index}


def worth_most(candidates: Any, main: Mapping[str, str], most: int) -> list[str]:
    """Patterns that an automation is proposed for, most expected hours first."""
    ordered = sorted(candidates, key=lambda one: -one["savings"]["expected"])
    return [one["pattern_id"] for one in ordered if one["kind"] in ASSUMPTIONS and one["pattern_id"] in main][:most]


def closed_loop(
    store: Store,
    settings: Settings,
    answering: Answering,
    chosen: list[str],
    judged: tuple[pd.DataFrame, pd.Series, Mapping[str, str]],
) -> dict[str, Any]:
    """Precision and recall of `L0` while the automations are in force, and what is left of it afterwards.

    `judged` is the later tickets, their true kinds, and the true kind that each pattern stands for.
    """
    late, kinds, main = judged
    polled = Automations(store, settings.paths.bundles)
    now = datetime.now(UTC)
    details = {"reference": "RB-1", "mode": "auto", "since": now.date().isoformat()}
    with store.begin() as connection:
        for pattern in chosen:
            assert add_decision(connection, PatternDecision(pattern, 1, "automated", now, "ana", details))
    begun = time.perf_counter()
    polled.poll(answering)  # type: ignore[arg-type]
    seconds = time.perf_counter() - begun
    answers = scored(answering.dressed, late)
    said = np.array([answer["automation"] is not None for answer in answers])
    acts = said & np.array([answer["targets"]["tier"]["action"] == "auto" for answer in answers])
    pattern = [answer["automation"]["candidate"] if answer["automation"] else None for answer in answers]
    right = np.array([one is not None and main[one] == kind for one, kind in zip(pattern, kinds, strict=True)])
    wanted = kinds.isin({main[one] for one in chosen}).to_numpy()
    with store.begin() as connection:
        for one in chosen:
            assert add_decision(connection, PatternDecision(one, 2, "undo", now, "ana"))
    polled.poll(answering)  # type: ignore[arg-type]
    after = scored(answering.dressed, late.head(2000))
    return {
        "automated": len(chosen),
        "answered_l0": int(acts.sum()),
        "precision": round(float(right[acts].mean()), 4) if acts.any() else None,
        "recall": round(float((acts & right)[wanted].mean()), 4) if wanted.any() else None,
        "suggested": int((said & ~acts).sum()),
        "precision_with_suggested": round(float(right[said].mean()), 4) if said.any() else None,
        "recall_with_suggested": round(float((said & right)[wanted].mean()), 4) if wanted.any() else None,
        "poll_seconds": round(seconds, 3),
        "l0_after_undo": sum(answer["automation"] is not None for answer in after),
    }


def scored(answerer: Answerer, tickets: pd.DataFrame) -> list[dict[str, Any]]:
    """Answers to all tickets, by their text as filed."""
    texts = ticket_text(tickets)
    asked = [{"ticket_id": key, "description": text} for key, text in zip(tickets["ticket_id"], texts, strict=True)]
    return [answer for start in range(0, len(asked), 1000) for answer in answerer.answer(asked[start : start + 1000])]


def value_figures(
    candidates: Any, late_of: pd.Series, ids: pd.Series, truth: Mapping[str, pd.DataFrame], main: Mapping[str, str]
) -> dict[str, Any]:
    """The mined list against the truth: savable hours a week of the tickets that each pattern takes."""
    automatable = truth["kinds"].set_index("kind")
    per_ticket = automatable["share_covered"] * automatable["success"]
    true = truth["tickets"].set_index("ticket_id").loc[ids]
    hours = true["minutes"].to_numpy() * true["kind"].map(per_ticket).to_numpy(dtype=float) / 60 / HORIZON
    savable = pd.Series(hours).groupby(late_of.to_numpy()).sum()
    rows = [
        (one["pattern_id"], one["kind"], *(one["hours"][name] for name in ("p10", "p50", "p90"))) for one in candidates
    ]
    table = pd.DataFrame(rows, columns=["pattern", "kind", "p10", "p50", "p90"])
    table["true"] = table["pattern"].map(savable).fillna(0.0)
    inside = (table["p10"] <= table["true"]) & (table["true"] <= table["p90"])
    top = table.nlargest(TOP, "true")
    true_kind = top["pattern"].map(main).map(automatable["automation_kind"])
    return {
        "listed": len(table),
        "inside": round(float(inside.mean()), 4),
        "rank_correlation_top": round(float(spearmanr(top["p50"], top["true"])[0]), 4),
        "kind_right_top": round(float((top["kind"].to_numpy() == true_kind.to_numpy()).mean()), 4),
    }


def table(desks: list[dict[str, Any]]) -> str:
    """One row a figure, mean over the desks with the lowest and highest."""
    shown = (
        ("answered `L0` by itself and right (precision)", "precision", "0.95"),
        ("of those kinds answered `L0` by itself (recall)", "recall", "0.80"),
        ("– with what is only suggested: right", "precision_with_suggested", ""),
        ("– with what is only suggested: recall", "recall_with_suggested", ""),
        ("seconds from one poll to the next answer", "poll_seconds", "60, polls every 10"),
        ("answered `L0` after the decisions were undone", "l0_after_undo", "0"),
        ("mined: true savable hours within P10 to P90", "inside", "75 to 90 %"),
        ("mined: rank correlation of P50, true top 50", "rank_correlation_top", "0.90"),
        ("mined: kind right, true top 50", "kind_right_top", "0.80"),
    )
    return spread_table(desks, shown)


def main() -> None:
    """Run all seeds."""
    run = Run(__file__, __doc__)
    config = run.config
    desks = [one_desk(config["tickets"], config["weeks"], seed, config["automations"]) for seed in config["seeds"]]
    run.write({"desks": desks}, table(desks))


if __name__ == "__main__":
    main()
