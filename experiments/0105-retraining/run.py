"""A model of weeks 1 to 12 that is never touched against one that is trained again every four weeks, by week."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run

from triage_ml.answer import prepare
from triage_ml.evaluate import answer_all, measure
from triage_ml.settings import Settings
from triage_ml.simulate import simulate_desk
from triage_ml.text import ticket_text
from triage_ml.tickets import read_tickets
from triage_training.train import train

TARGETS = ("tier", "category")
WAYS = ("never touched", "every 4 weeks")


def one_desk(config: dict[str, Any], seed: int) -> list[dict[str, Any]]:
    """A row for each later week, way and target."""
    with tempfile.TemporaryDirectory() as scratch:
        desk = simulate_desk(Path(scratch, "desk"), tickets=config["tickets"], weeks=config["weeks"], seed=seed)
        table = read_tickets(desk.tickets_file)
        truth = pd.read_parquet(desk.truth / "tickets.parquet").set_index("ticket_id").loc[table["ticket_id"]]
    week = ((table["opened_at"] - table["opened_at"].min().normalize()).dt.days // 7).to_numpy()
    texts, settings, rows = prepare(ticket_text(table)), Settings(), []
    models = dict.fromkeys(WAYS, train(table[week < config["first_weeks"]], settings).classifier)
    for number in range(config["first_weeks"], config["weeks"]):
        here = np.flatnonzero(week == number)
        since = number - config["first_weeks"]
        if since and since % config["retrain_every"] == 0:
            models["every 4 weeks"] = train(table[week < number], settings).classifier
        for way, model in models.items():
            for name, one in answer_all(model, [texts[row] for row in here]).items():
                known = truth[name].to_numpy(object)[here]
                figures = measure(known, one.predicted, one.probability, automatic=one.automatic)
                right = one.predicted == known
                rows.append(
                    {
                        "seed": seed,
                        "week": number + 1,
                        "way": way,
                        "target": name,
                        "tickets": len(here),
                        "macro_f1": figures.macro_f1.value,
                        "accuracy": figures.accuracy.value,
                        "auto": int(one.auto.sum()),
                        "auto_right": int(right[one.auto].sum()),
                    }
                )
    return rows


def by_week(rows: pd.DataFrame) -> pd.DataFrame:
    """Counts pooled over desks, macro-F1 as their mean."""
    sums = rows.groupby(["target", "way", "week"]).agg(
        tickets=("tickets", "sum"), auto=("auto", "sum"), right=("auto_right", "sum"), macro_f1=("macro_f1", "mean")
    )
    return sums.assign(precision=sums["right"] / sums["auto"].clip(lower=1), coverage=sums["auto"] / sums["tickets"])


def plot(figures: pd.DataFrame, path: Path) -> None:
    """Three rows of lines, a column a target."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "triage-ml"
    figure = Figure(figsize=(9, 7.5), layout="tight")
    axes = figure.subplots(3, 2, sharex=True, sharey="row")
    names = (("precision", "right of what is decided auto"), ("coverage", "decided auto"), ("macro_f1", "macro-F1"))
    for column, target in enumerate(TARGETS):
        for row, (what, label) in enumerate(names):
            for way, colour in zip(WAYS, ("#c4543a", "#2a6fbb"), strict=True):
                line = figures.loc[(target, way)]
                axes[row, column].plot(line.index, line[what], marker="o", markersize=3, color=colour, label=way)
            axes[row, column].grid(color="0.92")
            axes[row, 0].set_ylabel(label)
        axes[0, column].axhline(0.9, color="0.5", linestyle=":", linewidth=1)
        axes[0, column].set_title(target)
        axes[2, column].set_xlabel("week")
    axes[0, 0].legend(frameon=False)
    figure.savefig(path, format="svg", metadata={"Date": None})


def table(figures: pd.DataFrame) -> str:
    """A row a week; each cell has the untouched model first."""
    head = " | ".join(f"{target}: auto right | auto | macro-F1" for target in TARGETS)
    rows = [f"| week | {head} |", "|---|" + "---|" * 6]
    for week in sorted(figures.index.get_level_values("week").unique()):
        cells = [
            " → ".join(f"{figures.loc[(target, way, week), what]:.1%}" for way in WAYS)
            for target in TARGETS
            for what in ("precision", "coverage", "macro_f1")
        ]
        rows.append(f"| {week} | {' | '.join(cells)} |")
    return "\n".join(rows)


def main() -> None:
    """All desks, one table, one plot."""
    run = Run(__file__, __doc__)
    rows = [row for seed in run.config["seeds"] for row in one_desk(run.config, seed)]
    figures = by_week(pd.DataFrame(rows))
    if not run.smoke:
        plot(figures, run.folder / "by-week.svg")
    run.write({"rows": rows}, "Never touched → trained again every four weeks.\n\n" + table(figures))


if __name__ == "__main__":
    main()
