"""Months one and two of a model, step by step, through the Python API."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from provenance import Run

from triage_ml.settings import Settings
from triage_ml.simulate import simulate_desk
from triage_ml.tickets import read_tickets
from triage_training.handoffs import read_handoffs
from triage_training.notebook import Triage


def main() -> None:
    """The ten steps."""
    run = Run(__file__, __doc__)
    with tempfile.TemporaryDirectory() as scratch:
        # A desk to work on. With real tickets this is `triage import`, and `read_tickets` on what it wrote.
        desk = simulate_desk(
            Path(scratch, "desk"), tickets=run.config["tickets"], weeks=run.config["weeks"], seed=run.config["seed"]
        )
        tickets = read_tickets(desk.tickets_file)
        week = (tickets["opened_at"] - tickets["opened_at"].min()).dt.days // 7
        month_one = tickets[week < run.config["trained_weeks"]].reset_index(drop=True)
        later = tickets[week >= run.config["trained_weeks"]].reset_index(drop=True)
        month_two = later[later["opened_at"] < later["opened_at"].quantile(0.5)].reset_index(drop=True)
        last = later[later["opened_at"] >= later["opened_at"].quantile(0.5)].reset_index(drop=True)

        # Everything is kept under a home: the registry, the store, bundles, reports. The commands see the same.
        triage = Triage(Settings(paths={"home": Path(scratch, "home")}), taxonomy=desk.taxonomy_file)

        # 1. Can these tickets carry a model, and what should be put right first?
        ready = triage.check(month_one, handoffs=read_handoffs(desk.handoffs_file))
        # 2. The first version becomes champion if it keeps its promise of precision.
        first = triage.train(month_one, curve=True)
        # 3. What does it do to the tickets of month two, which it has never seen?
        on_later = triage.evaluate(month_two, "1")
        # 4. Its answers, a row a ticket: what the ticketing system would be told.
        answers = triage.predict(month_two, "1")
        # 5. Has anything changed since? A plain verdict, with its reasons.
        drift = triage.drift(tickets[week < run.config["trained_weeks"] + run.config["watched_weeks"]], model="1")
        # 6. Train again on everything so far: a challenger, while the champion goes on answering.
        second = triage.train(tickets[tickets["opened_at"] < last["opened_at"].min()].reset_index(drop=True))
        # 7. Champion and challenger on the same tickets, paired.
        compared = triage.compare(last, "1", "2")
        # 8. The gate decides; its checks carry figures, bounds and reasons.
        promoted = triage.promote("2", reason="four weeks more")
        # 9. Who is what now?
        models = triage.models()
        # 10. And back, in one line. (Only where there is something to go back to.)
        back = triage.roll_back("the worked example shows how", by="experiment") if promoted.promoted else None

    rows = ["| step | what came of it |", "|---|---|"]
    rows.append(
        f"| check | {ready.usable:,} usable tickets; {len(ready.advice)} things to do, the first: {ready.advice[0]} |"
    )
    rows.append(f"| train | version {first.version.number}, {first.version.role} |")
    for target, row in on_later.iterrows():
        said = f"{row['accuracy']:.1%} right; {row['auto_at_0.90']:.1%} decided auto, {row['right_at_0.90']:.1%} of those right"
        rows.append(f"| evaluate on later tickets, {target} | {said} |")
    rows.append(f"| predict | {len(answers):,} rows; {(answers['action'] == 'auto').mean():.1%} auto as a whole |")
    reasons = "; ".join(drift.reasons[:2]) or "no reason to"
    rows.append(f"| drift | {drift.verdict}: {reasons} |")
    rows.append(f"| train again | version {second.version.number}, {second.version.role} |")
    for target, one in compared.items():
        low, high = 100 * one.macro_f1.low, 100 * one.macro_f1.high
        rows.append(
            f"| compare, {target} | macro-F1 {100 * one.macro_f1.value:+.1f} points ({low:+.1f} to {high:+.1f}) |"
        )
    failed = [f"{check.name} {check.target}".strip() for check in promoted.judgement.checks if not check.passed]
    verdict = "promoted" if promoted.promoted else f"refused: {', '.join(failed)}"
    rows.append(
        f"| promote | {verdict}, {len(promoted.judgement.checks)} checks on {promoted.judgement.tickets:,} tickets |"
    )
    rows.append(f"| models | {', '.join(models['version'] + ' ' + models['role'])} |")
    rows.append(f"| roll back | {'version ' + back + ' answers again' if back else 'nothing to go back to'} |")
    checks = [check.to_dict() for check in promoted.judgement.checks]
    run.write(
        {"advice": ready.advice, "later": on_later.to_dict("index"), "drift": drift.verdict, "checks": checks},
        "\n".join(rows),
    )


if __name__ == "__main__":
    main()
