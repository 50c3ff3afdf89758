"""`triage check`: label hygiene and readiness, before anything is fitted for good."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from triage_ml.console import ConfigOption, JsonOption, running
from triage_training.shared_options import TargetsOption, TaxonomyOption, TicketsArgument, read_settings, target_names

if TYPE_CHECKING:
    from triage_training.readiness import Readiness

__all__ = ["app"]

app = typer.Typer()


@app.command("check")
def check_command(
    tickets: TicketsArgument,
    targets: TargetsOption = None,
    taxonomy: TaxonomyOption = None,
    handoffs: Annotated[
        Path | None, typer.Option(help="Hand-off log: compares the first group with the final one.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write the whole account here as a page (.html).")] = None,
    doubts: Annotated[
        Path | None, typer.Option(help="Write the tickets whose label is doubtful here, surest first (.csv, .jsonl).")
    ] = None,
    cleanlab: Annotated[
        bool, typer.Option("--cleanlab", help="Let cleanlab choose and rank doubtful labels (extra hygiene).")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Label hygiene and readiness: what can be learnt from these tickets, what can't, and why."""
    with running("check", as_json) as out:
        from triage_ml.tickets import read_tickets
        from triage_training.check_job import check_tickets
        from triage_training.check_page import print_readiness
        from triage_training.handoffs import read_handoffs

        settings, known = read_settings(config, taxonomy)
        table = read_tickets(tickets)
        log = None if handoffs is None else read_handoffs(handoffs)
        names = target_names(targets)
        with out.steps() as step:
            found = check_tickets(table, settings, known, targets=names, handoffs=log, cleanlab=cleanlab, step=step)
        ids = table["ticket_id"].tolist()
        print_readiness(out, found)
        _write(found, ids, html, doubts)
        for what, path in (("Page", html), ("Doubtful labels", doubts)):
            if path is not None:
                out.say(f"\n{what}: {path}")
        out.result(**found.to_dict(ids), html=html, doubts=doubts)


def _write(found: Readiness, ids: list[str], html: Path | None, doubts: Path | None) -> None:
    import pandas as pd

    from triage_ml.files import atomic_file
    from triage_ml.tickets import write_tickets
    from triage_training.check_page import render_readiness

    if doubts is not None:
        rows = [(t.name, ids[d.row], d.label, d.suggested, d.doubt) for t in found.targets for d in t.doubts]
        write_tickets(pd.DataFrame(rows, columns=["target", "ticket_id", "label", "suggested", "doubt"]), doubts)
    if html is not None:
        page = render_readiness(found, ids)
        with atomic_file(html) as draft:
            draft.write_text(page, encoding="utf-8")
