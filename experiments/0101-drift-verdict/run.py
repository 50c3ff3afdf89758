"""Desks with changes at known weeks against quiet ones: which changes does the drift verdict call, how often is it wrong?"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run

from triage_ml.answer import prepare
from triage_ml.classify import TriageClassifier
from triage_ml.evaluate import answer_all, answer_table, watch
from triage_ml.simulate import simulate_desk
from triage_ml.text import mask, ticket_text
from triage_ml.tickets import read_tickets

LABELS = ("assignment_group", "subcategory")
TARGETS = ("tier", "category")


def one_desk(tickets: int, weeks: int, reference: int, seed: int, quiet: bool) -> dict[str, Any]:
    """Weeks called, and for each change whether its week or the next was."""
    with tempfile.TemporaryDirectory() as scratch:
        desk = Path(scratch, "desk")
        simulate_desk(desk, tickets=tickets, weeks=weeks, seed=seed, quiet=quiet)
        table = read_tickets(desk / "tickets.parquet")
        changes = pd.read_parquet(desk / "truth" / "changes.parquet")
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
    found = watch(answers, mask(texts), targets=TARGETS, reference=past, labels=LABELS)
    called = {one.week for one in found.weeks if one.verdict != "nothing to do"}
    watched = names[reference:]
    seen: list[tuple[str, bool]] = []
    for at, what in zip(changes["week"], changes["what"], strict=True):
        if at in watched[:-1]:
            seen.append((what.split(":")[0], bool(called & set(names[names.index(at) : names.index(at) + 2]))))
    return {"seed": seed, "quiet": quiet, "watched": len(watched), "called": len(called), "changes": seen}


def main() -> None:
    """All desks, and one table."""
    run = Run(__file__, __doc__)
    size = [run.config[name] for name in ("tickets", "weeks", "reference_weeks")]
    desks = [one_desk(*size, seed, quiet) for seed in run.config["seeds"] for quiet in (False, True)]
    happened: Counter[str] = Counter()
    called: Counter[str] = Counter()
    for desk in desks:
        for what, was_called in desk["changes"]:
            happened[what] += 1
            called[what] += was_called
    quiet = [desk for desk in desks if desk["quiet"]]
    false, weeks = sum(desk["called"] for desk in quiet), sum(desk["watched"] for desk in quiet)
    rows = ["| change | happened | called in its week or the next |", "|---|---|---|"]
    rows += [f"| {what} | {count} | {called[what] / count:.0%} |" for what, count in sorted(happened.items())]
    total = max(sum(happened.values()), 1)
    rows.append(f"| **all** | {total} | **{sum(called.values()) / total:.0%}** |")
    rows.append(f"| quiet weeks called | {weeks} | **{false / max(weeks, 1):.1%}** |")
    run.write({"desks": desks}, "\n".join(rows))


if __name__ == "__main__":
    main()
