"""The value of a pattern against the simulated desk's truth: hours to save, kind, lowest tier, and what was really saved."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from triage_training.weeks import weeks_of

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run
from spread import spread_table

from triage_ml.patterns import masked_texts
from triage_ml.simulate import simulate_desk
from triage_ml.store import FACT_COLUMNS
from triage_ml.taxonomy import Taxonomy, load_taxonomy
from triage_ml.text import ticket_text
from triage_ml.tickets import read_tickets
from triage_ml.value import Candidate, WeekOfWork, hours_a_week, list_candidates, lowest_capable_tier, realised

HORIZON, HISTORY, NOTES = 4, 16, 4
TOP = 50


def one_desk(tickets: int, weeks: int, seed: int) -> dict[str, Any]:
    """All figures of one desk."""
    with tempfile.TemporaryDirectory() as scratch:
        desk = Path(scratch, "desk")
        simulate_desk(desk, tickets=tickets, weeks=weeks, seed=seed)
        frame = read_tickets(desk / "tickets.parquet")
        truth = {path.stem: pd.read_parquet(path) for path in (desk / "truth").glob("*.parquet")}
        taxonomy = load_taxonomy(desk / "taxonomy.toml")
    facts = facts_of(frame, truth["tickets"])
    names = sorted(facts["week"].unique())
    window, later = names[-HISTORY - HORIZON : -HORIZON], names[-HORIZON:]
    seen = facts[facts["week"].isin(window)]
    recent = seen[seen["week"].isin(window[-NOTES:]) & seen["resolution"].notna()]
    notes = recent.groupby("pattern_id")["resolution"].apply(list).to_dict()
    asked = seen[seen["week"].isin(window[-NOTES:])]
    texts = asked.assign(said=masked_texts(ticket_text(asked))).groupby("pattern_id")["said"].apply(list).to_dict()
    listed = list_candidates(rows_of(seen), window, taxonomy, min_tickets=10, notes=notes, texts=texts)
    return {
        "seed": seed,
        **savings_figures(listed, truth, later),
        "lowest_tier_right": lowest_tier_right(seen, truth["tickets"], taxonomy),
        **realised_figures(facts, truth),
    }


def facts_of(frame: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Facts as mining would store them, with the true kind as pattern."""
    return frame.assign(
        week=weeks_of(frame["opened_at"], "UTC"),
        pattern_id=frame["ticket_id"].map(truth.set_index("ticket_id")["kind"]),
        similarity=1.0,
        handoffs=frame["reassignment_count"],
        reopens=frame["reopen_count"],
        article=frame["resolution"].astype("object").str.extract(r"(KB\d+)", expand=False),
    )


def rows_of(facts: pd.DataFrame) -> list[dict[str, Any]]:
    """Facts as the store gives them: None where something is missing."""
    plain = facts[[name for name in FACT_COLUMNS if name in facts]].astype(object)
    return [
        {str(key): value for key, value in row.items()} for row in plain.where(plain.notna(), None).to_dict("records")
    ]


def savings_figures(listed: list[Candidate], truth: Mapping[str, pd.DataFrame], later: list[str]) -> dict[str, Any]:
    """Coverage of P10 to P90, rank correlation and kinds."""
    weeks = truth["weeks"]
    hours = weeks[weeks["week"].isin(later)].groupby("kind")["savable_hours"].mean()
    kinds = truth["kinds"].set_index("kind")["automation_kind"]
    table = pd.DataFrame(
        [(c.pattern_id, c.kind, c.savings.hours.p10, c.savings.hours.p50, c.savings.hours.p90) for c in listed],
        columns=["pattern", "kind", "p10", "p50", "p90"],
    )
    table["true"] = table["pattern"].map(hours)
    table["inside"] = (table["p10"] <= table["true"]) & (table["true"] <= table["p90"])
    top = table.nlargest(TOP, "true")
    swapped = with_true_factors(top, {c.pattern_id: c for c in listed}, truth, weeks[weeks["week"].isin(later)])
    return {
        **{f"rank_with_true_{name}": round(float(spearmanr(p50, top["true"])[0]), 4) for name, p50 in swapped.items()},
        "listed": len(table),
        "inside": round(float(table["inside"].mean()), 4),
        "inside_of_those_that_save": round(float(table.loc[table["true"] > 0, "inside"].mean()), 4),
        "rank_correlation_top": round(float(spearmanr(top["p50"], top["true"])[0]), 4),
        "rank_correlation_all": round(float(spearmanr(table["p50"], table["true"])[0]), 4),
        "kind_right_top": round(float((top["kind"] == top["pattern"].map(kinds)).mean()), 4),
    }


def with_true_factors(
    top: pd.DataFrame, listed: Mapping[str, Candidate], truth: Mapping[str, pd.DataFrame], later: pd.DataFrame
) -> dict[str, pd.Series]:
    """P50 with one true factor in the place of its estimate: which of them separates the estimate from the truth."""
    means = later.groupby("kind").mean(numeric_only=True).loc[top["pattern"]]
    minutes = (means["minutes_without_automation"] / means["tickets_without_automation"].clip(lower=1)).to_numpy()
    kinds = truth["kinds"].set_index("kind").loc[top["pattern"]]
    own = [listed[pattern] for pattern in top["pattern"]]
    touch = np.array([one.touch.minutes for one in own])
    volume = np.array([hours_a_week(one.weekly, one.touch).p50 * 60 / max(one.touch.minutes, 1e-9) for one in own])
    share = np.array([one.savings.covered * one.savings.success or np.nan for one in own])
    share = np.where(np.isnan(share), np.nanmean(share), share)
    true_share = (kinds["share_covered"] * kinds["success"]).to_numpy()
    base = pd.Series(volume * touch * share / 60)
    return {
        "volume": base * means["tickets_without_automation"].to_numpy() / np.maximum(volume, 1e-9),
        "touch_time": base * minutes / touch,
        "share": base * true_share / share,
        "all_three": pd.Series(means["tickets_without_automation"].to_numpy() * minutes * true_share),
    }


def lowest_tier_right(seen: pd.DataFrame, truth: pd.DataFrame, taxonomy: Taxonomy) -> float:
    """Share of tickets in patterns whose lowest capable tier is that of the truth."""
    lowest = truth.set_index("ticket_id")["lowest_tier"]
    right = 0
    for _, own in seen.groupby("pattern_id"):
        found = lowest_capable_tier(rows_of(own), taxonomy)
        right += len(own) * (found == own["ticket_id"].map(lowest).mode().iloc[0])
    return round(right / len(seen), 4)


def realised_figures(facts: pd.DataFrame, truth: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Hours that automations saved against the truth, for those with four weeks before and after."""
    changes = truth["changes"]
    started = changes[changes["what"].str.contains("automat")].set_index("kind")["week"].to_dict()
    rest = facts[~facts["pattern_id"].isin(started)]
    controls = {str(pattern): weeks_of_work(own) for pattern, own in rest.groupby("pattern_id")}
    savable = truth["weeks"]
    errors, covered = [], []
    for kind, since in sorted(started.items()):
        own = weeks_of_work(facts[facts["pattern_id"] == kind])
        true = savable[(savable["kind"] == kind) & (savable["week"] >= since)]["savable_hours"]
        if sum(one.week < since for one in own) < 4 or len(true) < 4 or true.sum() <= 0:
            continue
        found = realised(own, controls, since)
        if found is not None:
            errors.append(found.hours / true.sum() - 1)
            covered.append(found.low <= true.sum() <= found.high)
    return {
        "automations": len(errors),
        "realised_error_median": round(float(np.median(np.abs(errors))), 4) if errors else None,
        "realised_within_15": round(float(np.mean(np.abs(errors) <= 0.15)), 4) if errors else None,
        "realised_covered": round(float(np.mean(covered)), 4) if covered else None,
    }


def weeks_of_work(facts: pd.DataFrame) -> list[WeekOfWork]:
    """Tickets, automated ones, logged ones and minutes by week."""
    closed = (facts["tier"] == "L0").fillna(False).astype(bool)
    minutes = facts["effort_minutes"].where(~closed)
    grouped = facts.assign(closed=closed, minutes=minutes.astype("float64")).groupby("week")
    table = grouped.agg(
        tickets=("closed", "size"), automated=("closed", "sum"), logged=("minutes", "count"), minutes=("minutes", "sum")
    )
    return [
        WeekOfWork(str(week), int(row.tickets), int(row.automated), int(row.logged), float(row.minutes))
        for week, row in zip(table.index, table.itertuples(index=False), strict=True)
    ]


def table(desks: list[dict[str, Any]]) -> str:
    """One row a figure, mean over the desks with the lowest and highest."""
    shown = (
        ("true savable hours within P10 to P90, all listed", "inside", "75 to 90 %"),
        ("the same, of those that can be automated", "inside_of_those_that_save", ""),
        ("rank correlation of P50, true top 50", "rank_correlation_top", "0.90"),
        ("– with the true volume of the weeks to come", "rank_with_true_volume", ""),
        ("– with the true touch time", "rank_with_true_touch_time", ""),
        ("– with the true share covered and success", "rank_with_true_share", ""),
        ("– with all three: what chance leaves", "rank_with_true_all_three", ""),
        ("rank correlation of P50, all listed", "rank_correlation_all", ""),
        ("kind right, true top 50", "kind_right_top", "0.80"),
        ("lowest capable tier right, by volume", "lowest_tier_right", "0.85"),
        ("realised: automations a desk", "automations", ""),
        ("realised: median error", "realised_error_median", "within 15 %"),
        ("realised: within 15 %", "realised_within_15", "9 of 10"),
        ("realised: interval covers the truth", "realised_covered", "9 of 10"),
    )
    return spread_table(desks, shown)


def main() -> None:
    """Run all seeds."""
    run = Run(__file__, __doc__)
    desks = [one_desk(run.config["tickets"], run.config["weeks"], seed) for seed in run.config["seeds"]]
    run.write({"desks": desks}, table(desks))


if __name__ == "__main__":
    main()
