"""Desks with changes at known weeks against quiet ones: which changes does the drift verdict call, how often is it wrong?"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run

from triage_ml.answer import prepare
from triage_ml.classify import TriageClassifier
from triage_ml.evaluate import WeekDrift, answer_all, answer_table, share_interval, tokens_of, watch
from triage_ml.simulate import simulate_desk
from triage_ml.text import mask, ticket_text
from triage_ml.tickets import read_tickets

LABELS = ("assignment_group", "subcategory")
TARGETS = ("tier", "category")


def one_desk(tickets: int, weeks: int, reference: int, seed: int, quiet: bool) -> dict[str, Any]:
    """Weeks called, and for each change whether its week or the next was called, and whether it was named."""
    with tempfile.TemporaryDirectory() as scratch:
        desk = simulate_desk(Path(scratch, "desk"), tickets=tickets, weeks=weeks, seed=seed, quiet=quiet)
        table = read_tickets(desk.tickets_file)
        changes = pd.read_parquet(desk.truth / "changes.parquet")
        kinds = pd.read_parquet(desk.truth / "tickets.parquet").set_index("ticket_id")["kind"]
    iso = table["opened_at"].dt.isocalendar()
    week = iso["year"].astype(str) + "-W" + iso["week"].astype(str).str.zfill(2)
    names = sorted(week.unique())
    past = (week < names[reference]).to_numpy(dtype=bool)
    texts = prepare(ticket_text(table))
    known = table.loc[past, list(TARGETS)].astype(object)
    model = TriageClassifier().fit([text for text, is_past in zip(texts, past, strict=True) if is_past], known)
    answers = answer_table(table["ticket_id"].tolist(), answer_all(model, texts), table)
    answers = answers.assign(
        week=week.to_numpy(dtype=object), **{name: table[name].to_numpy(object) for name in LABELS}
    )
    masked = mask(texts)
    found = watch(answers, masked, targets=TARGETS, reference=past, trained=past, labels=LABELS)
    called = [one for one in found.weeks if one.verdict != "nothing to do"]
    evidence = Evidence(answers, masked, kinds.loc[table["ticket_id"]].to_numpy(object), past)
    seen = []
    for change in changes[changes["week"].isin(names[reference:-1])].to_dict("records"):
        near = names[names.index(change["week"]) :][:2]
        calls = [one for one in called if one.week in near]
        named = any(evidence.names(one, change) for one in calls)
        seen.append((change["what"].split(":")[0], bool(calls), named))
    return {"seed": seed, "quiet": quiet, "watched": len(found.weeks), "called": len(called), "changes": seen}


class Evidence:
    """Which tickets a called word stands for."""

    def __init__(self, answers: pd.DataFrame, texts: list[str], kinds: np.ndarray, past: np.ndarray) -> None:
        self._tokens = [set(tokens) for tokens in tokens_of(answers, texts, LABELS)]
        self._weeks = answers["week"].to_numpy(object)
        self._kinds = kinds
        self._past = past

    def names(self, week: WeekDrift, change: dict[str, Any]) -> bool:
        """Whether the evidence of the week points at the change."""
        if pd.isna(change["kind"]):
            said = [
                name for labels in (week.new_labels, week.gone_labels) for names in labels.values() for name in names
            ]
            said += [word.word for word in week.words]
            groups = [change["group"], *change["what"].split("-> ")[-1].split(" + ")]
            return any(group in name for name in said for group in groups)
        return any(self._share(word.word, week.week, word.rises, change["kind"]) >= 0.5 for word in week.words)

    def _share(self, word: str, week: str, rises: bool, kind: str) -> float:
        """Of the tickets with the word, in that week (or, where it falls, in the usual weeks), the share of the kind."""
        where = self._weeks == week if rises else self._past
        rows = [row for row in np.flatnonzero(where) if word in self._tokens[row]]
        return float((self._kinds[rows] == kind).mean()) if rows else 0.0


def main() -> None:
    """All desks, and one table."""
    run = Run(__file__, __doc__)
    size = [run.config[name] for name in ("tickets", "weeks", "reference_weeks")]
    desks = [
        one_desk(*size, seed, quiet) for quiet in (False, True) for seed in run.config["quiet" if quiet else "changing"]
    ]
    counts: dict[str, Counter[str]] = {}
    for what, called, named in (change for desk in desks for change in desk["changes"]):
        for name in (what, "**all**"):
            counts.setdefault(name, Counter()).update({"happened": 1, "called": called, "named": named})
    rows = ["| change | happened | called in its week or the next | named |", "|---|---|---|---|"]
    for name, count in sorted(counts.items(), key=lambda row: (row[0] == "**all**", row[0])):
        rows.append(
            f"| {name} | {count['happened']} | {count['called'] / count['happened']:.0%} | "
            f"{count['named'] / count['happened']:.0%} |"
        )
    quiet = [desk for desk in desks if desk["quiet"]]
    false, weeks = sum(desk["called"] for desk in quiet), sum(desk["watched"] for desk in quiet)
    interval = share_interval(false, weeks)
    rows.append(f"| quiet weeks called | {weeks} | **{false / max(weeks, 1):.1%}** (up to {interval.high:.1%}) | |")
    run.write({"desks": desks}, "\n".join(rows))


if __name__ == "__main__":
    main()
