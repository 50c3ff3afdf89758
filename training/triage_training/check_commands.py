"""`triage check`: label hygiene and readiness, before anything is fitted for good."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage_ml.console import ConfigOption, JsonOption, Output, running
from triage_training.shared_options import TargetsOption, TaxonomyOption, TicketsArgument

if TYPE_CHECKING:
    from triage_training.check_job import Readiness

__all__ = ["app"]

app = typer.Typer()


@app.command("check")
def check_command(
    tickets: TicketsArgument,
    targets: TargetsOption = None,
    taxonomy: TaxonomyOption = None,
    doubts: Annotated[
        Path | None, typer.Option(help="Write the tickets whose label is doubtful here, surest first (.csv, .jsonl).")
    ] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Label hygiene and readiness: what can be learnt from these tickets, what can't, and why."""
    with running("check", as_json) as out:
        import pandas as pd

        from triage_ml.settings import load_settings
        from triage_ml.taxonomy import load_taxonomy
        from triage_ml.tickets import read_tickets, write_tickets
        from triage_training.check_job import check_tickets

        settings = load_settings(config)
        known = load_taxonomy(taxonomy or settings.taxonomy.file)
        table = read_tickets(tickets)
        with out.steps() as step:
            names = targets.split(",") if targets else None
            found = check_tickets(table, settings, known, targets=names, step=step)
        ids = table["ticket_id"].tolist()
        _say(out, found)
        if doubts is not None:
            rows = [(t.name, ids[d.row], d.label, d.suggested, d.margin) for t in found.targets for d in t.doubts]
            write_tickets(pd.DataFrame(rows, columns=["target", "ticket_id", "label", "suggested", "margin"]), doubts)
            out.say(f"\nDoubtful labels: {doubts}")
        out.result(
            tickets=found.tickets,
            usable=found.usable,
            targets={target.name: target.to_dict(ids) for target in found.targets},
            languages=found.languages,
            template_share=round(found.template_share, 4),
            repeats_share=round(found.repeats_share, 4),
            known_after_triage=found.after_triage,
            reassigned=found.reassigned,
            aliases=found.aliases,
            unknown_groups=found.unknown_groups,
            advice=found.advice,
        )


def _say(out: Output, found: Readiness) -> None:
    languages = ", ".join(f"{name} {share:.0%}" for name, share in found.languages.items() if share >= 0.005)
    out.say(f"{found.tickets:,} tickets, {found.usable:,} usable. Languages: {languages}.")
    out.say(f"{found.template_share:.0%} repeat a template, {found.repeats_share:.0%} have their exact like.")
    if found.after_triage:
        out.say(f"Known only after triage, never a feature: {', '.join(found.after_triage)}.")
    for target in found.targets:
        out.say(
            f"\n{target.name}: {target.labelled:,} labelled, {len(target.classes)} classes, {len(target.rare)} rare, "
            f"{len(target.doubts):,} labels doubtful"
        )
        if target.curve is not None:
            points = ", ".join(f"{tickets:,}: {figure:.1%}" for tickets, figure in target.curve.points)
            out.say(f"  macro-F1 by tickets fitted on: {points}; at twice as many about {target.curve.doubled:.1%}")
    if found.aliases:
        out.say("\nFor taxonomy.toml:")
        for line in found.aliases:
            out.say(f"  {line}")
    if found.advice:
        out.say("\nWhat to do:")
        for line in found.advice:
            out.say(f"  - {line}")
