"""Half a year of weekly mining on simulated desks: are patterns pure, complete, and the same from week to week?"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from triage_training.mine import assignments, mine

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run

from triage_ml.patterns import load_book
from triage_ml.settings import Settings
from triage_ml.simulate import simulate_desk
from triage_ml.store import (
    PatternDecision,
    add_decision,
    all_records,
    facts_between,
    latest_book,
    mined_weeks,
    open_store,
    read_week,
)
from triage_ml.tickets import read_tickets
from triage_training.weeks import weeks_of

TOP, TRUE_TOP, RECENT = 50, 30, 4


def main() -> None:
    """Run all desks."""
    run = Run(__file__, __doc__)
    desks = [one_desk(run, seed) for seed in run.config["seeds"]]
    run.write({"desks": desks}, table(desks))


def one_desk(run: Run, seed: int) -> dict[str, Any]:
    """Mine the history at once, then week by week; reject some, refit at the end, and compare with the truth."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        simulate_desk(folder / "desk", tickets=run.config["tickets"], weeks=run.config["weeks"], seed=seed)
        tickets = read_tickets(folder / "desk" / "tickets.parquet")
        truth = pd.read_parquet(folder / "desk" / "truth" / "tickets.parquet").set_index("ticket_id")
        settings = Settings(paths={"home": folder / "home"})
        week = weeks_of(tickets["opened_at"], "UTC")
        kept, rejected = mine_weeks(run, tickets, week, settings)
        facts = facts_of(settings).set_index("ticket_id").join(truth, rsuffix="_true")
        figures = {
            "seed": seed,
            **shown_of(facts, by_text(tickets, settings), listed(settings)),
            **volume_of(facts),
            **hours_of(facts, settings),
            "ids_kept_weekly": round(float(np.mean(kept)), 4),
            "ids_kept_worst": round(float(np.min(kept)), 4),
            **returned(facts, settings, rejected),
        }
        return figures | refit(tickets, settings)


def mine_weeks(run: Run, tickets: pd.DataFrame, week: pd.Series, settings: Settings) -> tuple[list[float], list[str]]:
    """The share of each week's volume that keeps its id in the next week's book, and the patterns that were rejected."""
    weeks = sorted(week.unique())
    history = run.config["history"]
    mine(tickets[week.isin(weeks[:history])], settings, weeks=[weeks[history - 1]])
    kept: list[float] = []
    rejected: list[str] = []
    for number, one in enumerate(weeks[history:]):
        before = tickets[week == weeks[history + number - 1]]
        ids = assignments(before, settings)["pattern_id"]
        mine(tickets[week == one], settings, weeks=[one])
        kept.append(same_ids(ids, assignments(before, settings)["pattern_id"]))
        if number == run.config["reject_after"]:
            rejected = reject(settings, one, run.config["rejected"])
    return kept, rejected


def same_ids(before: pd.Series, after: pd.Series) -> float:
    """Share of the tickets that had a pattern and have the same one now."""
    had = before.notna()
    return float((before[had] == after[had]).mean())


def reject(settings: Settings, week: str, count: int) -> list[str]:
    """Reject the first `count` candidates of a week."""
    store = open_store(settings.store_url)
    with store.begin() as connection:
        listed = read_week(connection, week)
        ids = [one["pattern_id"] for one in (listed.candidates if listed else [])][:count]
        for one in ids:
            details = {"reason": "not worth it"}
            add_decision(connection, PatternDecision(one, 1, "reject", datetime.now(UTC), "ops", details))
    store.close()
    return ids


def read(settings: Settings, query: Callable[..., Any], *arguments: Any) -> Any:
    """What a query of the store finds."""
    store = open_store(settings.store_url)
    with store.read() as connection:
        found = query(connection, *arguments)
    store.close()
    return found


def facts_of(settings: Settings) -> pd.DataFrame:
    """Facts of all tickets that were mined."""
    return pd.DataFrame(read(settings, facts_between, "0000", "9999"))


def shown_of(facts: pd.DataFrame, by_text: pd.Series, listed: Sequence[str]) -> dict[str, Any]:
    """Purity and duplicates of the first `TOP` patterns of the last list, of the largest, and of those by text alone."""
    largest = facts["pattern_id"].value_counts().index[:TOP]
    views = {
        "listed": (facts, listed[:TOP]),
        "largest": (facts, largest),
        "listed_by_text": (facts.assign(pattern_id=by_text), listed[:TOP]),
    }
    figures: dict[str, Any] = {"patterns": int(facts["pattern_id"].nunique())}
    for view, (tickets, patterns) in views.items():
        own = tickets[tickets["pattern_id"].isin(patterns)]
        kinds = purities(own, "pattern_id", ["kind"])
        ways = [way for _, way in purities(own, "pattern_id", ["kind", "resolution"])]
        figures |= {
            f"purity_{view}": round(float(np.mean([share for share, _ in kinds])), 3),
            f"kinds_twice_{view}": len(kinds) - len({kind for _, kind in kinds}),
            f"kind_and_resolution_twice_{view}": len(ways) - len(set(ways)),
        }
    variants = purities(facts[facts["pattern_id"].isin(listed[:TOP])], "variant_id", ["kind", "resolution"])
    return figures | {
        "variants_of_the_listed": len(variants),
        "purity_of_variants": round(float(np.mean([share for share, _ in variants])), 3) if variants else None,
        "variants_twice": len(variants) - len({way for _, way in variants}),
    }


def purities(tickets: pd.DataFrame, group: str, truth: list[str]) -> list[tuple[float, tuple[str, ...]]]:
    """Of each group: the share of its tickets that are of its commonest truth, and that truth."""
    counts = tickets.dropna(subset=group).groupby([group, *truth]).size()
    of_group = counts.groupby(level=0)
    most = of_group.idxmax()
    shares = of_group.max() / of_group.sum()
    return [(float(shares[one]), tuple(place[1:])) for one, place in most.items()]


def by_text(tickets: pd.DataFrame, settings: Settings) -> pd.Series:
    """The pattern of each ticket by its text alone, by ticket id."""
    return assignments(tickets, settings).set_index("ticket_id")["pattern_id"]


def listed(settings: Settings) -> list[str]:
    """The patterns of the last list, in its order."""
    week = read(settings, read_week, read(settings, mined_weeks)[-1])
    return [] if week is None else [one["pattern_id"] for one in week.candidates]


def volume_of(facts: pd.DataFrame) -> dict[str, Any]:
    """Coverage by patterns with 10 tickets against the truth; error of the weekly volume of the largest patterns.

    `mape` is the mean over patterns and weeks, `wape` the sum of errors over the sum of volumes.
    """
    large = facts["pattern_id"].map(facts["pattern_id"].value_counts()) >= 10
    kinds = facts["kind"].map(facts["kind"].value_counts()) >= 10
    top = facts["pattern_id"].value_counts().index[:TOP]
    main = (
        facts[facts["pattern_id"].isin(top)]
        .groupby("pattern_id")["kind"]
        .agg(lambda kind: kind.value_counts().index[0])
    )
    found = facts.assign(shown=facts["pattern_id"].map(main)).groupby(["shown", "week"]).size()
    true = facts.groupby(["kind", "week"]).size()
    true = true[true.index.get_level_values(0).isin(main.unique())]
    error = (found.reindex(true.index, fill_value=0) - true).abs()
    return {
        "covered": round(float(large.mean()), 4),
        "covered_true": round(float(kinds.mean()), 4),
        "mape": round(float((error / true).mean()), 3),
        "wape": round(float(error.sum() / true.sum()), 3),
    }


def hours_of(facts: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    """Share of the true top kinds by hours, over the last weeks, that the last list's first candidates show."""
    weeks = read(settings, mined_weeks)
    recent = facts[facts["week"].isin(weeks[-RECENT:])]
    true = recent.groupby("kind")["minutes"].sum().nlargest(TRUE_TOP).index
    main = recent.groupby("pattern_id")["kind"].agg(lambda kind: kind.value_counts().index[0])
    effort = recent.groupby("pattern_id")["effort_minutes"]
    work = (effort.mean() * effort.size()).nlargest(TOP).index  # effort is logged for some tickets only
    return {"recall": round(float(true.isin(main[main.index.isin(work)]).mean()), 3)}


def returned(facts: pd.DataFrame, settings: Settings, rejected: list[str]) -> dict[str, Any]:
    """Patterns born after the rejection that show the kind of a rejected one, and are listed."""
    records = read(settings, all_records)
    main = facts.groupby("pattern_id")["kind"].agg(lambda kind: kind.value_counts().index[0])
    kinds = {main[one] for one in rejected if one in main}
    since = max((records[one].born for one in rejected), default="")
    again = [one for one in main.index if records[one].born > since and main[one] in kinds and one not in rejected]
    return {"rejected": len(rejected), "rejected_returned": len(again)}


def refit(tickets: pd.DataFrame, settings: Settings) -> dict[str, Any]:
    """The share of the volume that keeps its id when the space is fitted anew on half of the tickets."""
    before = assignments(tickets, settings)["pattern_id"]
    version = load_book(settings.paths.bundles, read(settings, latest_book)).space.version
    mine(tickets.sample(frac=0.5, random_state=0).sort_index(), settings, refit=True, weeks=[])
    after = assignments(tickets, settings)["pattern_id"]
    again = load_book(settings.paths.bundles, read(settings, latest_book)).space.version
    return {"ids_kept_refit": round(same_ids(before, after), 4), "space_changed": version != again}


def table(desks: list[dict[str, Any]]) -> str:
    """One row a figure, one column a desk."""
    rows = ["| figure | " + " | ".join(f"seed {one['seed']}" for one in desks) + " |", "|---" * (len(desks) + 1) + "|"]
    for name in desks[0]:
        if name != "seed":
            rows.append(f"| {name.replace('_', ' ')} | " + " | ".join(str(one[name]) for one in desks) + " |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
