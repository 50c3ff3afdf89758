"""The one page that `triage demo` prints: what was learnt, the top of the list, the answer, what to type next."""

from __future__ import annotations

import json
from typing import Any

from triage_ml.demo import Demo
from triage_ml.settings import Settings

__all__ = ["demo_json", "demo_page"]

_TOP = 8


def demo_page(demo: Demo, settings: Settings) -> str:
    """The page as text, at most 100 columns wide but for paths and the curl line."""
    url = f"http://{settings.serving.host}:{settings.serving.port}"
    parts = [
        _heading(f"The whole way in {demo.seconds:.0f} seconds"),
        _learnt(demo),
        _heading(f"Weekly list, {demo.reported['week']}: what comes back, and the hours a week it would save"),
        _list(demo),
        _heading(f"A ticket, routed over HTTP in {demo.milliseconds} ms (median of 20, stored before the answer left)"),
        demo.curl(url),
        "",
        json.dumps(_short(demo.answer), indent=2, ensure_ascii=False),
        _heading("What is where"),
        _where(demo),
        _heading("What to type next"),
        "  make serve               answers the curl line above (triage serve)",
        "  triage train --help      the same on your tickets: triage import, then train, mine, report",
        "  triage --help            everything else",
    ]
    return "\n".join(parts)


def demo_json(demo: Demo) -> dict[str, Any]:
    """The results of the demo's commands, for `--json`."""
    return {
        "seconds": demo.seconds,
        "simulated": demo.simulated,
        "trained": demo.trained,
        "mined": demo.mined,
        "reported": demo.reported,
        "answer": demo.answer,
        "answer_milliseconds": demo.milliseconds,
        "curl": demo.curl(),
    }


def _heading(text: str) -> str:
    return f"\n{text}\n{'─' * min(len(text), 100)}"


def _learnt(demo: Demo) -> str:
    trained = demo.trained
    split = trained["split"]
    lines = [
        f"Learnt from {split['fit']:,} tickets, calibrated on {split['calibration']:,} later ones, "
        f"measured on {split['test']:,} later still.",
        "",
        f"  {'target':<10} {'accuracy':>9} {'macro-F1':>9} {'calibration error':>18}   decided auto at 0.90 promised",
    ]
    for name, row in trained["targets"].items():
        auto = row["coverage"]["0.90"]
        share = f"{auto['coverage']:.0%} of tickets, {auto['precision']:.1%} right" if auto["precision"] else "none"
        lines.append(f"  {name:<10} {row['accuracy']:>9.1%} {row['macro_f1']:>9.1%} {row['ece']:>18.3f}   {share}")
    lines += ["", "Right means: as recorded when the ticket closed. The desk records some labels wrong, as desks do."]
    return "\n".join(lines)


def _list(demo: Demo) -> str:
    lines = [f"  {'tickets':>7}  {'hours saved':>11}  {'P10 to P90':>12}  kind and title"]
    for row in demo.reported["candidates"][:_TOP]:
        hours = row["hours"]
        between = f"{hours['p10']:.1f} to {hours['p90']:.1f}"
        kind = row["kind"].replace("_", " ")
        lines.append(f"  {row['volume']:>7,}  {hours['p50']:>11.1f}  {between:>12}  {row['title']} [{kind}]")
    reported = demo.reported
    lines.append("")
    lines.append(f"{reported['covered']:.0%} of {reported['tickets']:,} tickets belong to a listed or known pattern.")
    return "\n".join(lines)


def _short(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with at most two reasons and one alternative a target; the service gives five and three."""
    targets = {
        name: row | {"alternatives": row["alternatives"][:1], "because": row["because"][:2]}
        for name, row in answer["targets"].items()
    }
    return answer | {"targets": targets}


def _where(demo: Demo) -> str:
    files = demo.reported.get("files", {})
    rows = {
        "weekly list": files.get("html", "–"),
        "same as a table": files.get("csv", "–"),
        "model report": demo.trained["report"],
        "simulated desk": demo.desk,
    }
    return "\n".join(f"  {name:<16} {path}" for name, path in rows.items())
